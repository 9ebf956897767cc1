//! The check for Pods that the operator must not make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, PodOf, Role};

/// No Pod of a role (and group) exists during a time after another Pod was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbsentCheck {
    /// Which Pod must not exist, before that time as little as during it.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// How long it is watched, such as `10s`.
    #[serde(rename = "for")]
    pub duration: Length,
    /// Watching starts when a Pod of this role and group was made: one that the operator makes after its turn for the
    /// absent one has come, such as a Pod of a `RayCluster` that is applied after it.
    pub after: PodOf,
}
