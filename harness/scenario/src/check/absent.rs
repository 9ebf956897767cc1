//! Pods that the operator must not make.

use super::{Finding, Observation, Verdict, duration, pods};
use crate::AbsentCheck;

pub(super) fn evaluate(check: &AbsentCheck, observation: &Observation) -> Verdict {
    let group = check.group.as_deref();
    let (who, milestone) = (
        pods::who(check.role, group),
        pods::who(check.after.role, check.after.group.as_deref()),
    );
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(format!(
            "no {who} for {} after a {milestone} was made",
            check.duration
        )),
        found,
        ..Finding::default()
    };
    let length = match duration::parse("for", &check.duration) {
        Ok(length) => length,
        Err(message) => return Verdict::Never(finding(message, None)),
    };
    if let Some(pod) = pods::find(observation, check.role, group) {
        let message = format!("the operator made the {who} {}", pods::name(pod));
        let args = pods::ray_container(pod).and_then(|container| container.args.clone());
        return Verdict::Never(finding(
            message,
            Some(format!("{:?}", args.unwrap_or_default())),
        ));
    }
    let awaited = pods::all(observation, check.after.role, check.after.group.as_deref());
    let Some(seen) = awaited
        .into_iter()
        .map(|pod| pods::first_seen(observation, pod))
        .min()
    else {
        let absent = pods::absent(observation, check.after.role, check.after.group.as_deref());
        return Verdict::NotYet(finding(format!("waits for its milestone: {absent}"), None));
    };
    let watched = observation.now.duration_since(seen);
    if watched < length {
        let left = (length - watched).as_secs_f64();
        let message = format!("no {who} so far; watches for {left:.1} s more");
        return Verdict::NotYet(finding(message, None));
    }
    let message = format!(
        "no {who} came for {} after the {milestone} was made",
        check.duration
    );
    Verdict::Pass(finding(message, None))
}
