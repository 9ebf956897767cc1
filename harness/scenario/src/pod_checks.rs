//! Checks of what the operator wrote into Pods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Role, Subject};

/// A field of a Pod that a snapshot is taken of. The first six are of one container: the Ray container unless the check
/// names another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum PodField {
    /// `command` of the container.
    Command,
    /// `args` of the container.
    Args,
    /// `env` of the container, in order.
    Env,
    /// `lifecycle` of the container.
    Lifecycle,
    /// `readinessProbe`, `livenessProbe` and `startupProbe` of the container.
    Probes,
    /// `resources` of the container.
    Resources,
    /// Names of all containers of the Pod, in order.
    Containers,
    /// `name`, `command` and `args` of all init containers of the Pod, in order.
    InitContainers,
}

impl PodField {
    /// Every field.
    pub const ALL: [PodField; 8] = [
        PodField::Command,
        PodField::Args,
        PodField::Env,
        PodField::Lifecycle,
        PodField::Probes,
        PodField::Resources,
        PodField::Containers,
        PodField::InitContainers,
    ];

    /// The field's part of a snapshot's file name.
    pub fn file_part(self) -> &'static str {
        match self {
            PodField::InitContainers => "init-containers",
            other => other.key(),
        }
    }

    /// The field as scenario files write it.
    pub fn key(self) -> &'static str {
        match self {
            PodField::Command => "command",
            PodField::Args => "args",
            PodField::Env => "env",
            PodField::Lifecycle => "lifecycle",
            PodField::Probes => "probes",
            PodField::Resources => "resources",
            PodField::Containers => "containers",
            PodField::InitContainers => "initContainers",
        }
    }

    /// Whether it belongs to the Pod, not to one of its containers.
    pub fn is_of_pod(self) -> bool {
        matches!(self, PodField::Containers | PodField::InitContainers)
    }
}

/// Snapshots of one Pod's fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Container or init container; the Ray container (index 0) when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// Only Pods made before or after what the steps applies and deletes; any when absent.
    #[serde(default)]
    pub made: Option<Made>,
    /// Fields that must equal their snapshot, each in a file of its own.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub snapshot: Vec<PodField>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// When a Pod was made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Made {
    /// Before the steps; it is judged once the operator has made another Pod after it.
    Before,
    /// After the steps.
    After,
}

impl Made {
    /// The word as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Made::Before => "before",
            Made::After => "after",
        }
    }
}

/// The order of the generated `ray start` flags in many Pods of one specification. In all of them the flags themselves
/// must be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagOrderCheck {
    /// Which Pods.
    pub role: Role,
    /// Worker group; all when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// How many Pods are compared, at least.
    #[schemars(range(min = 2))]
    pub pods: usize,
    /// How many orders there must be among them.
    pub orders: Orders,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// How many orders of flags there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Orders {
    /// The same in every Pod.
    One,
    /// More than one.
    Several,
}

impl PodCheck {
    /// What the snapshots of its fields are of.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.snapshot.iter().map(|field| Subject {
            role: self.role,
            group: self.group.clone(),
            container: self.container.clone(),
            made: self.made,
            field: *field,
        })
    }
}
