//! The document that `explain --format json` writes.

use kuberay_contract::Stage;
use kuberay_manifest::{Location, Severity};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the document calls its own form; it changes when a field changes its meaning or goes, not
/// when one is added.
pub const VERSION: &str = "kuberay-conformance.explain/v1";

/// What one or more releases of the operator make of the objects in a file.
///
/// What a cluster's mutating webhooks, quotas and admission policies do is out of scope.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{Explanation, explain};
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
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let json = serde_json::to_string(&explanation)?;
/// assert_eq!(serde_json::from_str::<Explanation>(&json)?, explanation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("$id" = "urn:kuberay-conformance:explain:v1"))]
pub struct Explanation {
    /// `kuberay-conformance.explain/v1`.
    pub version: String,
    /// The first file, as it was given.
    pub file: String,
    /// Every file, in the order of the containers.
    #[serde(default)]
    pub files: Vec<String>,
    /// The releases, in the order in which they were given.
    pub operators: Vec<ExplainedOperator>,
    /// Why objects or some of their Pods do not exist, for each release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<ExplainedRefusal>,
    /// Objects that nobody refuses and that have no Pods, for each release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Objects that a release takes and the next one given refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Break>,
    /// One entry for each container of each Pod, for each release.
    pub containers: Vec<Container>,
    /// What differs from each release to the next one given.
    pub changes: Vec<ContainerChange>,
    /// What was left out and why.
    pub notes: Vec<String>,
}

impl Explanation {
    /// Joins what operators of one cluster make of their objects.
    pub fn together(explanations: Vec<Self>) -> Self {
        let mut all = Self {
            version: VERSION.into(),
            file: String::new(),
            files: Vec::new(),
            operators: Vec::new(),
            refusals: Vec::new(),
            waiting: Vec::new(),
            breaks: Vec::new(),
            containers: Vec::new(),
            changes: Vec::new(),
            notes: Vec::new(),
        };
        for one in explanations {
            let new = one.operators.into_iter();
            let new: Vec<ExplainedOperator> =
                new.filter(|one| !all.operators.contains(one)).collect();
            all.operators.extend(new);
            all.files.extend(one.files);
            all.refusals.extend(one.refusals);
            all.waiting.extend(one.waiting);
            all.breaks.extend(one.breaks);
            all.containers.extend(one.containers);
            all.changes.extend(one.changes);
            all.notes.extend(one.notes);
        }
        all.file = all.files.first().cloned().unwrap_or_default();
        all
    }
}

/// A reason why an object, or some of its Pods, does not exist.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{MissingPods, explain};
///
/// let manifest = "{apiVersion: ray.io/v1, kind: RayCluster, metadata: {name: Demo}, spec: {}}";
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let refusal = &explanation.refusals[0];
/// assert_eq!(refusal.missing, MissingPods::All);
/// assert!(explanation.containers.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRefusal {
    /// Release of the operator.
    #[schemars(with = "String")]
    pub operator: Version,
    /// The object that is refused.
    pub object: Object,
    /// Who refuses.
    pub stage: Stage,
    /// Whether the client that was asked about is refused; false where only other clients are.
    pub refused: bool,
    /// Which Pods do not exist because of it.
    pub missing: MissingPods,
    /// Path of the field in its document; it may end at a field that the file lacks.
    pub path: String,
    /// Where the reason is in the file.
    pub location: Location,
    /// The reason, in words close to those of who refuses.
    pub message: String,
    /// What each client does, where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<String>,
    /// The rule of the contract behind it, where it is a check of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The name of that check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Where KubeRay's source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Which Pods do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingPods {
    /// All of them.
    All,
    /// Those of a worker group and of the groups after it.
    Workers,
    /// The submitter of a `RayJob`.
    Submitter,
}

/// Why an object that nobody refuses has no Pods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Release of the operator.
    #[schemars(with = "String")]
    pub operator: Version,
    /// The object that waits.
    pub object: Object,
    /// Path of the field that says so, in its document.
    pub path: String,
    /// Where that field is in the file.
    pub location: Location,
    /// What happens.
    pub message: String,
    /// Where KubeRay's source says so.
    pub source: String,
}

/// An object that one release takes and the next one given refuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// The release before.
    #[schemars(with = "String")]
    pub from: Version,
    /// The release after.
    #[schemars(with = "String")]
    pub to: Version,
    /// The object.
    pub object: Object,
    /// Who refuses it.
    pub stage: Stage,
    /// The reason.
    pub message: String,
}

/// A release of the operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedOperator {
    /// Its release.
    #[schemars(with = "String")]
    pub release: Version,
    /// The behaviour class that it belongs to.
    pub class: String,
    /// Whether what is said of it was read from its sources only and never seen on a running
    /// operator.
    pub provisional: bool,
    /// Why what is said of it may not hold, where nobody has read its source for the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// Whether generated flags come in a fixed order; if not, the order shown is one of many.
    pub flags_are_ordered: bool,
}

/// A container as it will stand in the Pod.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{ContainerRole, explain};
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
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let head = &explanation.containers[0];
/// assert_eq!(head.role, ContainerRole::Head);
/// assert_eq!(head.command, ["/bin/bash", "-c", "--"]);
/// assert!(head.exact);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Release of the operator.
    #[schemars(with = "String")]
    pub operator: Version,
    /// The object that it comes from.
    pub object: Object,
    /// What it is for.
    pub role: ContainerRole,
    /// `headgroup`, the worker group's name, or empty for the Pod of a submitter.
    pub group: String,
    /// Its name.
    pub container: String,
    /// Its command; empty where the image's own runs.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Whether command, args and environment are exactly these; false where the operator draws the
    /// order of flags or one of several values.
    pub exact: bool,
    /// Its environment in its order, the user's variables included; of two with one name the last
    /// counts.
    pub env: Vec<Variable>,
    /// The features of the contract that shaped it.
    pub features: Vec<String>,
    /// What to look out for.
    pub warnings: Vec<Warning>,
}

/// An object of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// `RayCluster`, `RayJob`, `RayService` or `RayCronJob`.
    pub kind: String,
    /// Its name, or how its name begins.
    pub name: String,
    /// The line on which it begins.
    pub line: usize,
    /// The file that holds it.
    #[serde(default)]
    pub file: String,
    /// Its path in its document, where it is not the whole document, such as `items[2]`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// What a container is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ContainerRole {
    /// The head's Ray container.
    Head,
    /// A worker's Ray container.
    Worker,
    /// The autoscaler beside the head.
    Autoscaler,
    /// An init container.
    Init,
    /// Submits the job of a `RayJob`.
    Submitter,
}

/// A variable of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, where it is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where its value comes from, as in a Pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<Value>,
    /// Whether the operator added it.
    pub injected: bool,
}

/// A trap in the file.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::explain;
/// use kuberay_manifest::Severity;
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
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let warning = &explanation.containers[0].warnings[0];
/// assert_eq!(warning.severity, Severity::Warning);
/// assert_eq!(warning.rule, "C04");
/// assert_eq!(warning.path, "spec.headGroupSpec.template.spec.containers[0].args[0]");
/// assert_eq!(warning.location.line, 11);
/// assert_eq!(warning.advice, "Put the background command in parentheses: `(my-command &)`.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Its stable name.
    pub id: String,
    /// The rule of the contract behind it.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Path of the value in its document, such as `spec.headGroupSpec.rayStartParams.block`.
    pub path: String,
    /// Where it is in the file.
    pub location: Location,
    /// What happens.
    pub message: String,
    /// What to write instead.
    pub advice: String,
}

/// What an upgrade changes in a container.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::explain;
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
/// let releases = ["1.3.2".parse()?, "1.4.2".parse()?];
/// let explanation = explain(Path::new("demo.yaml"), manifest, &releases, &EffectiveSettings::default())?;
/// assert!(explanation.changes[0].diff.contains("-command \"-lc\"\n+command \"-c\"\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerChange {
    /// The release before.
    #[schemars(with = "String")]
    pub from: Version,
    /// The release after.
    #[schemars(with = "String")]
    pub to: Version,
    /// The object that it comes from.
    pub object: Object,
    /// What the container is for.
    pub role: ContainerRole,
    /// The group of its Pod.
    pub group: String,
    /// Its name.
    pub container: String,
    /// The lines that go and come, with `-` and `+`, and what stays around them.
    pub diff: String,
}
