//! Points in the life of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in the life of a case that must have been reached before something is judged.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Milestone {
    /// The head Pod's Ray container runs.
    Running,
    /// The head Pod is Ready; with a `postStart` hook, that hook has then ended.
    Ready,
    /// Every `ray` check has passed; without one, the dashboard answers and lists an alive head.
    RayReady,
    /// Every `job` check has passed.
    Job,
    /// The container of the `logs` check has ended. The check reads the complete log of the
    /// instance that ended last. Only `logs` checks can use this milestone.
    Ended,
}

impl Milestone {
    /// The milestone as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Milestone::Running => "running",
            Milestone::Ready => "ready",
            Milestone::RayReady => "rayReady",
            Milestone::Job => "job",
            Milestone::Ended => "ended",
        }
    }
}
