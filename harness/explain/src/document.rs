//! The document that `explain --format json` writes.

use kuberay_contract::Stage;
use kuberay_manifest::{Location, Severity};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `version` in the document. It changes when a field is removed or changes its
/// meaning, not when one is added.
///
/// ```
/// assert_eq!(kuberay_explain::VERSION, "kuberay-conformance.explain/v1");
/// ```
pub const VERSION: &str = "kuberay-conformance.explain/v1";

/// The containers, refusals and traps of the objects in a file, for one or more releases of the
/// operator.
///
/// The mutating webhooks, quotas and admission policies of a cluster are out of scope.
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
    /// The reasons why objects or some of their Pods do not exist, for each release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<ExplainedRefusal>,
    /// Accepted objects that have no Pods for now, for each release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Objects that a release accepts and the next one given refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Break>,
    /// One entry for each container of each Pod, for each release.
    pub containers: Vec<Container>,
    /// The differences between each release and the next one given.
    pub changes: Vec<ContainerChange>,
    /// Notes: objects that were left out, each with the reason, and traps of objects without Pods.
    pub notes: Vec<String>,
}

impl Explanation {
    /// Joins the explanations of several operators of one cluster, each with its own objects.
    ///
    /// Each operator is listed once. `file` is the first of all files.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use kuberay_contract::EffectiveSettings;
    /// use kuberay_explain::{Explanation, explain};
    ///
    /// let manifest = "{apiVersion: ray.io/v1, kind: RayCluster, metadata: {name: Demo}, spec: {}}";
    /// let settings = EffectiveSettings::default();
    /// let old = explain(Path::new("old.yaml"), manifest, &["1.3.2".parse()?], &settings)?;
    /// let new = explain(Path::new("new.yaml"), manifest, &["1.6.2".parse()?], &settings)?;
    /// let both = Explanation::together(vec![old, new]);
    /// assert_eq!(both.files, ["old.yaml", "new.yaml"]);
    /// assert_eq!(both.operators.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// The stage that refuses it.
    pub stage: Stage,
    /// `true` where the client that the explanation is for is refused; `false` where only other
    /// clients are.
    pub refused: bool,
    /// The Pods that do not exist because of it.
    pub missing: MissingPods,
    /// Path of the field in its document; it may end at a field that the file lacks.
    pub path: String,
    /// Position of the reason in the file.
    pub location: Location,
    /// The reason, in words close to those of the program that refuses.
    pub message: String,
    /// A sentence about each kind of client, where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<String>,
    /// The rule of the contract behind it, where it is a check of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The name of that check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// File and line of that check in KubeRay's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The Pods that do not exist because of a refusal.
///
/// ```
/// use kuberay_explain::MissingPods;
///
/// assert_eq!(serde_json::to_value(MissingPods::Workers)?, "workers");
/// # Ok::<(), serde_json::Error>(())
/// ```
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

/// A reason why an object that is accepted has no Pods for now.
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
///   suspend: true
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, resources: {limits: {cpu: 1}}}
/// "#;
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let waiting = &explanation.waiting[0];
/// assert_eq!(waiting.path, "spec.suspend");
/// assert_eq!(waiting.object.name, "demo");
/// assert!(explanation.containers.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Release of the operator.
    #[schemars(with = "String")]
    pub operator: Version,
    /// The object that waits.
    pub object: Object,
    /// Path of the field behind it in its document, such as `spec.suspend`.
    pub path: String,
    /// Position of that field in the file.
    pub location: Location,
    /// The effect, in a sentence.
    pub message: String,
    /// File, line and release of KubeRay's source that it comes from.
    pub source: String,
}

/// An object that one release accepts and the next one given refuses.
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
/// metadata: {name: 7b-chat}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, resources: {limits: {cpu: 1}}}
/// "#;
/// let releases = ["1.3.2".parse()?, "1.4.2".parse()?];
/// let explanation = explain(Path::new("demo.yaml"), manifest, &releases, &EffectiveSettings::default())?;
/// let refused = &explanation.breaks[0];
/// assert_eq!(refused.object.name, "7b-chat");
/// assert_eq!(refused.to, releases[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// The stage that refuses it.
    pub stage: Stage,
    /// The reason.
    pub message: String,
}

/// A release of the operator, with the limits of what is known about it.
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
/// let releases = ["1.2.2".parse()?, "1.6.2".parse()?];
/// let explanation = explain(Path::new("demo.yaml"), manifest, &releases, &EffectiveSettings::default())?;
/// let ordered = explanation.operators.iter().map(|operator| operator.flags_are_ordered);
/// assert_eq!(ordered.collect::<Vec<_>>(), [false, true]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedOperator {
    /// Its release.
    #[schemars(with = "String")]
    pub release: Version,
    /// The behaviour class that it belongs to.
    pub class: String,
    /// `true` where its behaviour was read from its sources only and not confirmed on a running
    /// operator.
    pub provisional: bool,
    /// The reason why its explanation may not hold, where the contract was not compared with its
    /// source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// `true` where generated flags come in a fixed order; else the order shown is one of many.
    pub flags_are_ordered: bool,
}

/// A container as it will be in the Pod.
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
    /// Its purpose.
    pub role: ContainerRole,
    /// `headgroup`, the worker group's name, or empty for the Pod of a submitter.
    pub group: String,
    /// Its name.
    pub container: String,
    /// Its command; empty where the image's own runs.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// `true` where command, args and environment are exactly these; `false` where the operator
    /// picks the order of flags, or one of several values, at random.
    pub exact: bool,
    /// Its environment in its order, including the user's variables; of two variables with the
    /// same name, the last one wins.
    pub env: Vec<Variable>,
    /// The features of the contract that shaped it.
    pub features: Vec<String>,
    /// The traps in the parts of the manifest that it is made of.
    pub warnings: Vec<Warning>,
}

/// An object of the file.
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
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let object = &explanation.containers[0].object;
/// assert_eq!(object.kind, "RayCluster");
/// assert_eq!(object.name, "demo");
/// assert_eq!(object.file, "demo.yaml");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// `RayCluster`, `RayJob`, `RayService` or `RayCronJob`.
    pub kind: String,
    /// Its `name`, or its `generateName`.
    pub name: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The file that holds it.
    #[serde(default)]
    pub file: String,
    /// Its path in its document, where it is not the whole document, such as `items[2]`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// The purpose of a container.
///
/// ```
/// use kuberay_explain::ContainerRole;
///
/// assert_eq!(serde_json::to_value(ContainerRole::Submitter)?, "submitter");
/// assert!(ContainerRole::Head < ContainerRole::Worker);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
    /// The container that submits the job of a `RayJob`.
    Submitter,
}

/// A variable of a container.
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
///         - name: ray-head
///           image: ray
///           env: [{name: GREETING, value: hello}]
///           resources: {limits: {cpu: 1}}
/// "#;
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let env = &explanation.containers[0].env;
/// let own = env.iter().find(|variable| variable.name == "GREETING").unwrap();
/// assert_eq!(own.value.as_deref(), Some("hello"));
/// assert!(!own.injected);
/// assert!(env.iter().any(|variable| variable.injected));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, where it is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The source of its value, as `valueFrom` of a Pod names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<Value>,
    /// `true` where the operator added it.
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
/// assert_eq!(warning.help, "Put the background command in parentheses: `(my-command &)`.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Its stable name.
    pub id: String,
    /// The rule of the contract behind it.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// Path of the value in its document, such as `spec.headGroupSpec.rayStartParams.block`.
    pub path: String,
    /// Its position in the file.
    pub location: Location,
    /// The effect, in a sentence.
    pub message: String,
    /// The text to write instead.
    pub help: String,
}

/// The changes that an upgrade makes to a container.
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
    /// The container's purpose.
    pub role: ContainerRole,
    /// The group of its Pod.
    pub group: String,
    /// Its name.
    pub container: String,
    /// Unified diff of the container's command, arguments and environment, with one line of
    /// context.
    pub diff: String,
}
