//! The check for a flag whose value differs from Pod to Pod.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Role};

/// The values that one generated `ray start` flag has in many Pods of one specification: each of these in one Pod at
/// least, and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagValuesCheck {
    /// Which Pods.
    pub role: Role,
    /// Worker group; all when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// How many Pods are looked at, at least.
    #[schemars(range(min = 2))]
    pub pods: usize,
    /// The flag without its dashes, such as `num-gpus`.
    #[schemars(length(min = 1))]
    pub flag: String,
    /// Its values.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub values: Vec<String>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}
