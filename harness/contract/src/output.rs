//! What the model says about Pods: their containers, each with command, args and environment.

use std::collections::BTreeSet;

use serde_json::Value;

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
    /// What they are.
    pub role: PodRole,
    /// `headgroup`, the worker group's name, or empty for a submitter.
    pub group: String,
    /// Init containers in their order.
    pub init_containers: Vec<ContainerContract>,
    /// Containers in their order.
    pub containers: Vec<ContainerContract>,
}

/// What a Pod is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodRole {
    /// The head.
    Head,
    /// A worker.
    Worker,
    /// The Pod of a Job that submits the job of a `RayJob`.
    Submitter,
}

/// What a container is for.
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

/// What a container holds once the Pod exists.
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
    /// What it is for.
    pub kind: ContainerKind,
    /// Its name.
    pub name: String,
    /// Its command; empty where the image's own runs.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<Text>,
    /// Its environment, the user's variables included.
    pub env: Vec<EnvVar>,
    /// The features of the contract that shaped it.
    pub features: BTreeSet<Feature>,
}

/// A variable of a container.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: EnvValue,
    /// Whether the operator added it.
    pub injected: bool,
}

/// Where a variable has its value from.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvValue {
    /// A text.
    Text(Text),
    /// `valueFrom`, as it stands in the Pod.
    From(Value),
}

impl ContainerContract {
    /// The last variable of a name, which is the one that counts.
    pub fn variable(&self, name: &str) -> Option<&EnvVar> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }
}

/// Stands for the identity that the API server gives a RayCluster.
pub const UNKNOWN_UID: &str = "<uid of the RayCluster>";

impl PodContract {
    /// The same where a text that stood in for something unknown is replaced by what it stood for.
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

    /// Every container, init containers first.
    pub fn all(&self) -> impl Iterator<Item = &ContainerContract> {
        self.init_containers.iter().chain(&self.containers)
    }
}
