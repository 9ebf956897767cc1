//! The milestones that a case has reached: some are states of its head, others are granted by
//! checks.

use super::{Check, Expectations, Milestone, Observation, Verdict, dashboard, pods};
use crate::Role;

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
