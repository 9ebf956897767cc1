//! The entry points for single checks.

use super::{
    Expectations, LogKey, Observation, Verdict, absent, dashboard, environment, event, flag_order,
    flag_values, job, logs, never, pod, pods, reached, state,
};
use crate::{Check, Milestone, Role};

/// Says what a check makes of a state. The same state always gives the same verdict; `Never` is final for the case.
///
/// Some verdicts depend on [`Observation::now`] alone (a `never` check passes by time), so call it again after a
/// second even where nothing else has changed.
pub fn evaluate(
    check: &Check,
    observation: &Observation,
    expectations: &dyn Expectations,
) -> Verdict {
    match check {
        Check::Pod(check) => pod::evaluate(check, observation, expectations),
        Check::FlagOrder(check) => flag_order::evaluate(check, observation),
        Check::FlagValues(check) => flag_values::evaluate(check, observation),
        Check::Absent(check) => absent::evaluate(check, observation),
        Check::Ray(check) => dashboard::evaluate(check, observation),
        Check::Logs(check) => logs::evaluate(
            check,
            observation,
            &mut logs::Reading::default(),
            usize::MAX,
        ),
        Check::Job(check) => job::evaluate(check, observation),
        Check::State(check) => state::evaluate(check, observation),
        Check::Never(check) => never::evaluate(check, observation),
        Check::Reached(check) => reached::evaluate(check, observation),
        Check::Event(check) => event::evaluate(check, observation),
        Check::Rejected(check) => event::evaluate_rejected(check, observation),
    }
}

/// The logs that a check must see to be judged: those of containers that have started.
pub fn needed_logs(check: &Check, observation: &Observation) -> Vec<LogKey> {
    match check {
        Check::Logs(check) => logs::needed(check, observation).into_iter().collect(),
        Check::Ray(_) | Check::Job(_) => environment::needed(observation).into_iter().collect(),
        _ => Vec::new(),
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
    let passes =
        |check: &Check| matches!(evaluate(check, observation, expectations), Verdict::Pass(_));
    let mut ray = checks
        .iter()
        .filter(|check| matches!(check, Check::Ray(_)))
        .peekable();
    let ray_ready = if ray.peek().is_some() {
        ray.all(passes)
    } else {
        dashboard::head_is_alive(observation)
    };
    if ray_ready {
        reached.push(Milestone::RayReady);
    }
    let mut jobs = checks
        .iter()
        .filter(|check| matches!(check, Check::Job(_)))
        .peekable();
    if jobs.peek().is_some() && jobs.all(passes) {
        reached.push(Milestone::Job);
    }
    reached
}
