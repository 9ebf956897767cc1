//! Which findings are left out: by option, by configuration, and by an annotation on the object.

use std::cell::RefCell;
use std::collections::BTreeSet;

use kuberay_manifest::yaml::Node;
use kuberay_manifest::{Location, Severity, Source};

use super::document::CheckFinding;
use super::{Options, TRAPS, finding, region};
use crate::document::MissingPods;
use crate::document::Object;
use crate::objects::RayObject;

/// An id to ignore, and who says so.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Ignore, Options, check};
/// use kuberay_manifest::Source;
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, args: ["prepare &"], resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = [Source::new(Path::new("demo.yaml"), manifest)];
/// let mut options = Options::new(vec!["1.6.2".parse()?]);
/// options.ignore = vec![Ignore { id: "trailing-ampersand".into(), origin: None }];
/// assert!(check(&sources, &options)?.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The id.
    pub id: String,
    /// The file and position; none for an option of the command line.
    pub origin: Option<(String, Location)>,
}

/// Findings that are no traps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// A file that is no YAML.
    Unreadable,
    /// An object with a field of the wrong type.
    MalformedObject,
    /// An object that a client refuses that asks for strict validation, as kubectl does.
    RefusedByClient,
    /// An object that breaks its custom resource definition.
    RefusedByApiServer,
    /// An object that breaks the operator's own checks.
    RefusedByOperator,
    /// An object whose Pods or Services can't be created.
    RefusedAtPodCreation,
    /// An object that only clients of another kind refuse.
    RefusedForSome,
    /// An object that nobody refuses and that has no Pods for now.
    NoPodsYet,
    /// An object whose kind is named like one of KubeRay's, of another API.
    NotKuberay,
    /// An object for which an upgrade changes something.
    ChangesWithUpgrade,
    /// An id that is ignored and not found.
    UnusedIgnore,
}

/// The ids of findings that are no traps.
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
    /// Returns its id.
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

    /// Who refuses, as the beginning of a message.
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

    /// Returns what it means, in a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "The file is no YAML or JSON, or a Helm template that nobody has rendered."
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
            Self::NoPodsYet => "Nobody refuses the object, and it has no Pods for now.",
            Self::NotKuberay => "The object's apiVersion is not ray.io/v1 or ray.io/v1alpha1.",
            Self::ChangesWithUpgrade => {
                "The upgrade from `--from` to `--to` changes what runs; a finding of its own in the formats sarif, github \
                 and junit, with the severity of the largest impact."
            }
            Self::UnusedIgnore => "An id that is ignored was not found.",
        }
    }
}

/// Returns whether findings can have an id.
pub fn is_id(id: &str) -> bool {
    TRAPS.iter().any(|trap| trap.id == id) || IDS.iter().any(|other| other.id() == id)
}

/// No word that may be an id is longer, in bytes.
const LONGEST: usize = 200;

/// Returns the id that is most like a word that is none.
pub fn nearest(word: &str) -> Option<&'static str> {
    // Nobody misspells so much, and to compare it would take for ever.
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

/// What is selected and ignored, and which of it was of use.
pub(super) struct Ignores<'a> {
    options: &'a Options,
    used: BTreeSet<String>,
}

impl<'a> Ignores<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self {
            options,
            used: BTreeSet::new(),
        }
    }

    /// Whether a finding is reported.
    pub(super) fn keeps(&mut self, finding: &CheckFinding, own: Option<&Own>) -> bool {
        if own.is_some_and(|own| own.takes(&finding.id)) {
            return false;
        }
        if self
            .options
            .ignore
            .iter()
            .any(|ignore| ignore.id == finding.id)
        {
            self.used.insert(finding.id.clone());
            return false;
        }
        let select = &self.options.select;
        select.is_empty() || finding.severity == Severity::Error || select.contains(&finding.id)
    }

    pub(super) fn keep(
        &mut self,
        finding: CheckFinding,
        own: Option<&Own>,
    ) -> Option<CheckFinding> {
        self.keeps(&finding, own).then_some(finding)
    }

    /// The ids of options and configuration that were not found.
    pub(super) fn unused(mut self) -> Vec<CheckFinding> {
        let mut unused: Vec<CheckFinding> = Vec::new();
        for ignore in &self.options.ignore {
            if self.used.contains(&ignore.id) {
                continue;
            }
            let (file, at) = ignore.origin.clone().unwrap_or_default();
            let at = if file.is_empty() {
                Location { line: 1, column: 1 }
            } else {
                at
            };
            let end = Location {
                column: at.column + 1,
                ..at
            };
            let one = finding(Other::UnusedIgnore, &file, (at, end), message(&ignore.id));
            unused.push(one);
        }
        unused.retain(|one| self.keeps(one, None));
        unused
    }
}

fn message(id: &str) -> String {
    if is_id(id) {
        format!("`{id}` is ignored and was not found; leave it out")
    } else {
        let near = nearest(id).map(|near| format!("; did you mean `{near}`?"));
        format!(
            "`{id}` is ignored and no id of a finding{}",
            near.unwrap_or_default()
        )
    }
}

/// The ids that an object's annotation ignores.
pub(super) struct Own {
    ids: Vec<String>,
    region: (Location, Location),
    used: RefCell<BTreeSet<String>>,
}

impl Own {
    pub(super) fn of(source: &Source, object: &RayObject) -> Self {
        let text = object
            .ignore
            .as_ref()
            .and_then(Node::text)
            .unwrap_or_default();
        let ids = text
            .split([',', ' ', '\n'])
            .map(str::trim)
            .filter(|id| !id.is_empty());
        Self {
            ids: ids.map(Into::into).collect(),
            region: object
                .ignore
                .as_ref()
                .map(|node| region::region(source, node))
                .unwrap_or_default(),
            used: RefCell::default(),
        }
    }

    fn takes(&self, id: &str) -> bool {
        let takes = self.ids.iter().any(|own| own == id);
        if takes {
            self.used.borrow_mut().insert(id.into());
        }
        takes
    }

    /// The ids that were not found.
    pub(super) fn unused(
        &self,
        file: &str,
        object: &Object,
        ignores: &mut Ignores,
    ) -> Vec<CheckFinding> {
        let used = self.used.borrow().clone();
        let unused = self
            .ids
            .iter()
            .filter(|id| !used.contains(*id) && *id != Other::UnusedIgnore.id());
        let findings = unused.map(|id| {
            let mut one = finding(Other::UnusedIgnore, file, self.region, message(id));
            one.object = Some(object.clone());
            one
        });
        findings
            .filter(|one| ignores.keeps(one, Some(self)))
            .collect()
    }
}
