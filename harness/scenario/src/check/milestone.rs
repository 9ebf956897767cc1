//! Points in the life of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Expectations, Observation, Verdict, dashboard, pods};
use crate::Role;

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
    /// The container of the `logs` check has ended. The check reads the complete log of the instance
    /// that ended last. Only `logs` checks can use this milestone.
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

/// The milestones that hold in this state; when each was first reached is for the caller to record.
pub fn milestones(
    checks: &[Check],
    observation: &Observation,
    expectations: &dyn Expectations,
) -> Vec<Milestone> {
    let mut reached = Vec::new();
    if let Some(head) = pods::find(observation, Role::Head, None) {
        if pods::ray_container(head)
            .is_some_and(|container| pods::is_running(head, &container.name))
        {
            reached.push(Milestone::Running);
        }
        if pods::is_ready(head) {
            reached.push(Milestone::Ready);
        }
    }
    let granted = |milestone: Milestone| {
        let mut checks = checks
            .iter()
            .filter(|check| check.grants() == Some(milestone))
            .peekable();
        let passes =
            |check: &Check| matches!(check.evaluate(observation, expectations), Verdict::Pass(_));
        checks.peek().is_some().then(|| checks.all(passes))
    };
    if granted(Milestone::RayReady).unwrap_or_else(|| dashboard::head_is_alive(observation)) {
        reached.push(Milestone::RayReady);
    }
    if granted(Milestone::Job).unwrap_or(false) {
        reached.push(Milestone::Job);
    }
    reached
}
