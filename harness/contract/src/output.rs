//! Predicted Pods: their containers, each with command, arguments, environment and added probes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Feature, Text};

/// The Pods that an operator makes from one template.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, PodRole, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// assert_eq!(pods[0].role, PodRole::Head);
/// let names: Vec<&str> = pods[0].all().map(|container| container.name.as_str()).collect();
/// assert_eq!(names, ["ray-head"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PodContract {
    /// Purpose of the Pods.
    pub role: PodRole,
    /// `headgroup`, the worker group's name, or empty for a submitter.
    pub group: String,
    /// Init containers in their order.
    pub init_containers: Vec<ContainerContract>,
    /// Containers in their order.
    pub containers: Vec<ContainerContract>,
}

/// Purpose of a Pod.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, PodRole, predict};
///
/// let template = serde_json::json!({"spec": {"containers": [
///     {"name": "ray", "image": "rayproject/ray:2.52.0"},
/// ]}});
/// let job = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "demo"},
///     "spec": {"entrypoint": "python main.py", "rayClusterSpec": {
///         "headGroupSpec": {"rayStartParams": {}, "template": template},
///         "workerGroupSpecs": [
///             {"groupName": "small", "rayStartParams": {}, "template": template},
///         ],
///     }},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &job)?;
/// let roles: Vec<PodRole> = pods.iter().map(|pod| pod.role).collect();
/// assert_eq!(roles, [PodRole::Head, PodRole::Worker, PodRole::Submitter]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodRole {
    /// The head.
    Head,
    /// A worker.
    Worker,
    /// The Pod of a Job that submits the job of a `RayJob`.
    Submitter,
}

/// Purpose of a container.
///
/// ```
/// use kuberay_contract::{ContainerKind, EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"enableInTreeAutoscaling": true, "headGroupSpec": {
///         "rayStartParams": {},
///         "template": {"spec": {"containers": [
///             {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///             {"name": "sidecar", "image": "busybox"},
///         ]}},
///     }},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let kinds: Vec<ContainerKind> = pods[0].all().map(|container| container.kind).collect();
/// assert_eq!(kinds, [ContainerKind::Ray, ContainerKind::User, ContainerKind::Autoscaler]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerKind {
    /// Runs `ray start`.
    Ray,
    /// The autoscaler beside the head.
    Autoscaler,
    /// An init container, the user's or `wait-gcs-ready`.
    Init,
    /// Submits the job of a `RayJob`.
    Submitter,
    /// The user's own; the operator leaves it alone.
    User,
}

/// A container as it stands in the created Pod.
///
/// ```
/// use kuberay_contract::{ContainerKind, EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let head = &pods[0].containers[0];
/// assert_eq!(head.kind, ContainerKind::Ray);
/// assert_eq!(head.command, ["/bin/bash", "-c", "--"]);
/// assert!(head.variable("RAY_ADDRESS").unwrap().injected);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerContract {
    /// Purpose of the container.
    pub kind: ContainerKind,
    /// Its name.
    pub name: String,
    /// Its command; empty where the entrypoint of the image runs.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<Text>,
    /// Its environment, the user's variables included.
    pub env: Vec<EnvVar>,
    /// The probes that the operator adds to it.
    pub added_probes: AddedProbes,
    /// The features of the contract that shaped it.
    pub features: BTreeSet<Feature>,
}

/// The probes that the operator adds to a container; a probe of the Pod template stays as it is.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"rayVersion": "2.53.0", "headGroupSpec": {"rayStartParams": {}, "template": {
///         "spec": {"containers": [{"name": "ray-head", "image": "rayproject/ray:2.53.0"}]},
///     }}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let liveness = pods[0].containers[0].added_probes.liveness.as_ref().unwrap();
/// assert_eq!(liveness["httpGet"]["path"], "/api/healthz");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddedProbes {
    /// The `livenessProbe` as the API server returns it, with its defaults; `None` where the
    /// operator adds none.
    pub liveness: Option<Value>,
    /// The `readinessProbe`, likewise.
    pub readiness: Option<Value>,
}

impl AddedProbes {
    /// Returns each probe with the name of its field in a container.
    pub fn by_field(&self) -> [(&'static str, Option<&Value>); 2] {
        [
            ("livenessProbe", self.liveness.as_ref()),
            ("readinessProbe", self.readiness.as_ref()),
        ]
    }
}

/// An environment variable of a container.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, EnvValue, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "env": [{"name": "MODE", "value": "fast"}]},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let head = &pods[0].containers[0];
/// assert!(!head.variable("MODE").unwrap().injected);
/// let address = head.variable("RAY_ADDRESS").unwrap();
/// assert!(address.injected);
/// assert_eq!(address.value, EnvValue::Text("127.0.0.1:6379".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: EnvValue,
    /// `true` where the operator adds it, `false` where the Pod template has it.
    pub injected: bool,
}

/// Source of a variable's value.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, EnvValue, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let name = pods[0].containers[0].variable("RAY_CLUSTER_NAME").unwrap();
/// let EnvValue::From(source) = &name.value else {
///     panic!("the name comes from a label");
/// };
/// assert_eq!(source["fieldRef"]["fieldPath"], "metadata.labels['ray.io/cluster']");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum EnvValue {
    /// A text.
    Text(Text),
    /// `valueFrom`, as it stands in the Pod.
    From(Value),
}

impl ContainerContract {
    /// Returns the container as an entry of `spec.containers`: its name and the predicted fields.
    /// Flags without an order are sorted by name.
    pub fn spec(&self) -> Value {
        let env = self.env.iter().map(|variable| match &variable.value {
            EnvValue::Text(text) => json!({"name": variable.name, "value": text.to_string()}),
            EnvValue::From(from) => json!({"name": variable.name, "valueFrom": from}),
        });
        let args = self.args.iter().map(ToString::to_string);
        let mut container = json!({
            "name": self.name,
            "command": self.command,
            "args": args.collect::<Vec<String>>(),
            "env": env.collect::<Vec<Value>>(),
        });
        for (field, probe) in self.added_probes.by_field() {
            if let Some(probe) = probe {
                container[field] = probe.clone();
            }
        }
        container
    }

    /// Returns the last variable of a name, which is the one that counts.
    pub fn variable(&self, name: &str) -> Option<&EnvVar> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }
}

/// Stand-in for the UID that the API server gives a RayCluster.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, EnvValue, UNKNOWN_UID, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster",
///     "metadata": {"name": "demo", "annotations": {"ray.io/ft-enabled": "true"}},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let head = pods[0].clone().with(UNKNOWN_UID, "1d3f");
/// let storage = head.containers[0].variable("RAY_external_storage_namespace").unwrap();
/// assert_eq!(storage.value, EnvValue::Text("1d3f".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const UNKNOWN_UID: &str = "<uid of the RayCluster>";

impl PodContract {
    /// Replaces a stand-in, such as [`UNKNOWN_UID`], by the known text in commands, arguments and
    /// environment.
    #[must_use]
    pub fn with(mut self, stand_in: &str, known: &str) -> Self {
        for container in self.init_containers.iter_mut().chain(&mut self.containers) {
            let values =
                container
                    .env
                    .iter_mut()
                    .filter_map(|variable| match &mut variable.value {
                        EnvValue::Text(text) => Some(text),
                        EnvValue::From(_) => None,
                    });
            for text in values.chain(&mut container.args) {
                let flags = text.flags.iter_mut().flatten();
                for part in flags.chain([&mut text.before, &mut text.after]) {
                    *part = part.replace(stand_in, known);
                }
            }
            for word in &mut container.command {
                *word = word.replace(stand_in, known);
            }
        }
        self
    }

    /// Returns the `spec` of a Pod that matches the model.
    ///
    /// ```
    /// use kuberay_contract::{EffectiveSettings, differences, predict};
    ///
    /// let cluster = serde_json::json!({
    ///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
    ///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
    ///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
    ///     ]}}}},
    /// });
    /// let pods = predict(&"1.6.2".parse()?, &EffectiveSettings::default(), &cluster)?;
    /// assert_eq!(differences(&pods[0], &pods[0].spec()), []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spec(&self) -> Value {
        let specs = |containers: &[ContainerContract]| -> Value {
            containers.iter().map(ContainerContract::spec).collect()
        };
        json!({
            "initContainers": specs(&self.init_containers),
            "containers": specs(&self.containers),
        })
    }

    /// Returns an iterator over every container, init containers first.
    pub fn all(&self) -> impl Iterator<Item = &ContainerContract> {
        self.init_containers.iter().chain(&self.containers)
    }
}
