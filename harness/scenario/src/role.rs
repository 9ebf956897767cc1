//! Which Pod a check looks at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The role of a Pod in a Ray cluster, as in the operator's label `ray.io/node-type`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `ray.io/node-type: head`
    Head,
    /// `ray.io/node-type: worker`
    Worker,
    /// The Pod that removes a deleted `RayCluster` from Redis. The check reads the Pod template of
    /// the clean-up Job.
    RedisCleanup,
    /// The Pod that submits the entrypoint of a `RayJob`. The check reads the Pod template of the
    /// submitter Job.
    Submitter,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [
        Role::Head,
        Role::Worker,
        Role::Submitter,
        Role::RedisCleanup,
    ];

    /// Whether it is judged by the Job that describes its Pod.
    pub fn is_of_job(self) -> bool {
        matches!(self, Role::Submitter | Role::RedisCleanup)
    }

    /// The role as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Head => "head",
            Role::Worker => "worker",
            Role::Submitter => "submitter",
            Role::RedisCleanup => "redis-cleanup",
        }
    }
}

/// Names a Pod by its role and, where there are several, its worker group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodOf {
    /// Which Pod.
    pub role: Role,
    /// Name of the worker group. Default: any group.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
}
