//! The document that `doctor --format json` writes.

use kuberay_manifest::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::live::bundle::UnreadKind;

/// The value of `version` in the document. It changes when a field is removed or changes its
/// meaning, not when one is added.
pub const VERSION: &str = "kuberay-conformance.doctor/v1";

/// The problems of the Ray objects of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("$id" = "urn:kuberay-conformance:doctor:v1"))]
pub struct DoctorReport {
    /// `kuberay-conformance.doctor/v1`.
    pub version: String,
    /// When the cluster was read.
    pub taken_at: String,
    /// Release of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// The operators.
    pub operators: Vec<OperatorReport>,
    /// The problems of the operators and their definitions.
    pub findings: Vec<DoctorFinding>,
    /// The objects that users write, each with the Pods that came of it.
    pub objects: Vec<DoctorObject>,
    /// The kinds that could not be read, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadKind>,
    /// Number of requests that the API server got.
    pub requests: usize,
}

/// An operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatorReport {
    /// Namespace of its Deployment.
    pub namespace: String,
    /// Name of its Deployment.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its release, where something names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Whether a Pod of it is available.
    pub available: bool,
    /// The namespaces that it works on; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<String>,
    /// The variables of its environment that change Ray Pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// Its feature gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_gates: Option<String>,
}

/// An object that a user writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorObject {
    /// Kind of the object, such as `RayCluster`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ObjectState,
    /// The problems, the likeliest cause first.
    pub findings: Vec<DoctorFinding>,
    /// Its Pods.
    pub pods: Vec<PodReport>,
}

/// The state of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectState {
    /// All Pods are ready, or the job has succeeded.
    #[default]
    Healthy,
    /// The object is not ready yet, and nothing is wrong so far.
    Progressing,
    /// Something is wrong.
    Broken,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorFinding {
    /// Rank among the findings of the object; 1 is the likeliest cause.
    pub rank: usize,
    /// The id of the cause: that of a trap, or one of docs/guide/doctor.md.
    pub cause: String,
    /// `error`: something does not work, and the exit code is 1. `warning`: the Pods are healthy,
    /// and something may differ from what the author expects. `note`: what the object waits for.
    pub severity: Severity,
    /// The problem and its cause, in one sentence.
    pub message: String,
    /// The Pod that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The container that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The proofs.
    pub proof: Vec<Proof>,
    /// The rule of the contract behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The scenarios that show it on a real cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<String>,
    /// The remedy.
    pub help: String,
    /// A patch of the user's object that removes the problem, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
}

/// A proof of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The source of the proof.
    pub kind: ProofKind,
    /// The log line, the message or the value.
    pub text: String,
}

/// The source of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofKind {
    /// A line of a log.
    Log,
    /// The exit code of a container.
    ExitCode,
    /// An event.
    Event,
    /// A status.
    Status,
    /// A field of an object.
    Field,
    /// A statement of the contract about the object.
    Contract,
}

impl ProofKind {
    /// Its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::ExitCode => "exit code",
            Self::Event => "event",
            Self::Status => "status",
            Self::Field => "field",
            Self::Contract => "contract",
        }
    }
}

/// A change of the user's object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// Kind of the object.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// A JSON Patch (RFC 6902), as `kubectl patch --type json` takes it.
    pub operations: Vec<Value>,
}

/// A Pod against what its operator should have created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodReport {
    /// Its name.
    pub name: String,
    /// `head`, `worker` or `submitter`.
    pub role: String,
    /// Its group.
    pub group: String,
    /// Whether it is ready or has succeeded.
    pub ready: bool,
    /// The origin of its containers.
    pub origin: PodOrigin,
    /// The releases that create such a Pod, where others than the present operator's do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The differences from the Pod that the present operator creates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// The writers that changed it, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// The changes when the Pod is recreated, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when_recreated: Vec<String>,
}

/// The origin of the containers of a Pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PodOrigin {
    /// The present operator creates it like this.
    Expected,
    /// The object has changed since the Pod was created.
    OlderSpec,
    /// Another release of the operator created it.
    OlderOperator,
    /// Another writer has changed it.
    AnotherWriter,
    /// It was not compared.
    #[default]
    NotCompared,
}

/// A reason why a report is not a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVerdict {
    /// These could not be read, for this reason.
    #[error("{0} could not be read: {1}")]
    Unread(String, String),
    /// Nothing was there to judge.
    #[error("no Ray object was found")]
    NoObject,
}

impl DoctorReport {
    /// Returns whether the report has a finding with the severity `error`.
    pub fn has_problems(&self) -> bool {
        self.all_findings()
            .any(|finding| finding.severity == Severity::Error)
    }

    /// Checks that the report is a verdict.
    ///
    /// # Errors
    /// When nothing was judged: no Ray object was read, or not all of them and their Pods could be.
    pub fn is_verdict(&self) -> Result<(), NoVerdict> {
        const NEEDED: [&str; 4] = ["RayClusters", "RayJobs", "RayServices", "Pods"];
        let needed = |unread: &&UnreadKind| NEEDED.contains(&unread.what.as_str());
        if let Some(unread) = self.unread.iter().find(needed) {
            return Err(NoVerdict::Unread(unread.what.clone(), unread.why.clone()));
        }
        if self.objects.is_empty() {
            return Err(NoVerdict::NoObject);
        }
        Ok(())
    }

    /// The findings of everything.
    pub fn all_findings(&self) -> impl Iterator<Item = &DoctorFinding> {
        let of_objects = self.objects.iter().flat_map(|object| &object.findings);
        self.findings.iter().chain(of_objects)
    }
}

/// Returns the JSON schema of the document, as committed in `docs/schema/doctor.schema.json`.
pub fn schema() -> Value {
    kuberay_manifest::schema_of::<DoctorReport>()
}
