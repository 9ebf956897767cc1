//! The ids of findings: those of traps, and those of findings that are not traps.

use kuberay_manifest::Severity;

use crate::document::MissingPods;
use crate::warning::TRAPS;

/// A kind of finding that is not a trap.
///
/// ```
/// use kuberay_explain::check::Other;
/// use kuberay_manifest::Severity;
///
/// assert_eq!(Other::Unreadable.id(), "unreadable");
/// assert_eq!(Other::UnusedIgnore.severity(), Severity::Note);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// A file that is not YAML.
    Unreadable,
    /// An object with a field of the wrong type.
    MalformedObject,
    /// An object that clients with strict field validation refuse, such as kubectl.
    RefusedByClient,
    /// An object that breaks its custom resource definition.
    RefusedByApiServer,
    /// An object that breaks the operator's own checks.
    RefusedByOperator,
    /// An object whose Pods or Services can't be created.
    RefusedAtPodCreation,
    /// An object that only other clients refuse.
    RefusedForSome,
    /// An accepted object that has no Pods for now.
    NoPodsYet,
    /// An object of another API whose kind has the name of one of KubeRay's.
    NotKuberay,
    /// An object for which an upgrade changes something.
    ChangesWithUpgrade,
    /// An ignored id that was not found.
    UnusedIgnore,
}

/// Every kind of finding that is not a trap.
///
/// ```
/// use kuberay_explain::check::{IDS, Other};
///
/// assert!(IDS.contains(&Other::Unreadable));
/// ```
pub const IDS: [Other; 11] = [
    Other::Unreadable,
    Other::MalformedObject,
    Other::RefusedByClient,
    Other::RefusedByApiServer,
    Other::RefusedByOperator,
    Other::RefusedAtPodCreation,
    Other::RefusedForSome,
    Other::NoPodsYet,
    Other::NotKuberay,
    Other::ChangesWithUpgrade,
    Other::UnusedIgnore,
];

impl Other {
    /// Returns its id, in kebab case.
    ///
    /// ```
    /// use kuberay_explain::check::Other;
    ///
    /// assert_eq!(Other::NoPodsYet.id(), "no-pods-yet");
    /// ```
    pub fn id(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::MalformedObject => "malformed-object",
            Self::RefusedByClient => "refused-by-client",
            Self::RefusedByApiServer => "refused-by-api-server",
            Self::RefusedByOperator => "refused-by-operator",
            Self::RefusedAtPodCreation => "refused-at-pod-creation",
            Self::RefusedForSome => "refused-for-some-clients",
            Self::NoPodsYet => "no-pods-yet",
            Self::NotKuberay => "not-kuberay",
            Self::ChangesWithUpgrade => "changes-with-upgrade",
            Self::UnusedIgnore => "unused-ignore",
        }
    }

    /// Returns the beginning of a message about a refusal: the one that refuses, and the effect.
    pub(super) fn who(self, missing: MissingPods) -> &'static str {
        match (self, missing) {
            (Self::RefusedByClient, _) => "kubectl refuses this",
            (Self::RefusedByApiServer, _) => "the API server refuses this",
            (Self::RefusedByOperator, MissingPods::All) => {
                "the operator refuses this, and there are no Pods"
            }
            (Self::RefusedByOperator, MissingPods::Workers) => {
                "the operator refuses this, and there are no Pods of this worker group and of those after it"
            }
            (Self::RefusedByOperator, MissingPods::Submitter) => {
                "the operator makes no submitter because of this, and the job never runs"
            }
            (Self::RefusedAtPodCreation, MissingPods::Workers) => {
                "no Pod of this worker group and of those after it can be created"
            }
            (Self::RefusedAtPodCreation, MissingPods::Submitter) => {
                "the submitter can't be created, and the job never runs"
            }
            (Self::RefusedAtPodCreation, _) => "no Pod can be created",
            _ => "some clients refuse this",
        }
    }

    /// Returns its severity.
    ///
    /// ```
    /// use kuberay_explain::check::Other;
    /// use kuberay_manifest::Severity;
    ///
    /// assert_eq!(Other::RefusedByOperator.severity(), Severity::Error);
    /// ```
    pub fn severity(self) -> Severity {
        match self {
            Self::Unreadable
            | Self::MalformedObject
            | Self::RefusedByClient
            | Self::RefusedByApiServer
            | Self::RefusedByOperator
            | Self::RefusedAtPodCreation => Severity::Error,
            Self::ChangesWithUpgrade => Severity::Warning,
            Self::RefusedForSome | Self::NoPodsYet | Self::NotKuberay | Self::UnusedIgnore => {
                Severity::Note
            }
        }
    }

    /// Returns its description, in a sentence.
    ///
    /// ```
    /// use kuberay_explain::check::IDS;
    ///
    /// assert!(IDS.iter().all(|other| other.says().ends_with('.')));
    /// ```
    pub fn says(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "The file is not YAML or JSON, or it is an unrendered Helm template."
            }
            Self::MalformedObject => "A field of the object has the wrong type or is missing.",
            Self::RefusedByClient => {
                "A client that asks for strict validation, as kubectl does, refuses the object; others have the field dropped."
            }
            Self::RefusedByApiServer => {
                "The object breaks its custom resource definition, and the API server refuses it."
            }
            Self::RefusedByOperator => {
                "The object is stored, but it breaks the operator's own checks: it gets an event and no Pods."
            }
            Self::RefusedAtPodCreation => {
                "The operator takes the object, and the API server refuses the Pods or Services that it makes."
            }
            Self::RefusedForSome => "Only some clients refuse the object.",
            Self::NoPodsYet => "The object is valid, but it has no Pods yet.",
            Self::NotKuberay => "The object's apiVersion is not ray.io/v1 or ray.io/v1alpha1.",
            Self::ChangesWithUpgrade => {
                "The upgrade from `--from` to `--to` changes what runs; a separate finding in the formats sarif, github \
                 and junit, with the severity of the largest impact."
            }
            Self::UnusedIgnore => "An id that is ignored was not found.",
        }
    }
}

/// Returns whether an id is that of a trap or of another kind of finding.
///
/// ```
/// use kuberay_explain::check::is_id;
///
/// assert!(is_id("errexit"));
/// assert!(is_id("unreadable"));
/// assert!(!is_id("no-such-id"));
/// ```
pub fn is_id(id: &str) -> bool {
    TRAPS.iter().any(|trap| trap.id == id) || IDS.iter().any(|other| other.id() == id)
}

/// Longest word that is compared with ids, in bytes.
const LONGEST: usize = 200;

/// Returns the id that is most like a misspelt one; `None` where no id is close.
///
/// ```
/// use kuberay_explain::check::nearest;
///
/// assert_eq!(nearest("trailing-ampersands"), Some("trailing-ampersand"));
/// ```
pub fn nearest(word: &str) -> Option<&'static str> {
    // No id is so long, and the comparison takes minutes.
    if word.len() > LONGEST {
        return None;
    }
    let all = TRAPS
        .iter()
        .map(|trap| trap.id)
        .chain(IDS.iter().map(|other| other.id()));
    let close = all
        .map(|id| (strsim::jaro_winkler(word, id), id))
        .filter(|(near, _)| *near > 0.8);
    close.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id)
}
