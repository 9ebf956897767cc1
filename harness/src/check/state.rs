//! States of containers, and what must not happen to them.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;

use super::{Finding, Observation, Verdict, pods};
use crate::scenario::{NeverCheck, StateCheck};

pub(super) fn evaluate(check: &StateCheck, observation: &Observation) -> Verdict {
    let expected = words(check);
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(expected.clone()),
        found,
        diff: None,
    };
    let group = check.group.as_deref();
    let Some(pod) = pods::find(observation, check.role, group) else {
        return Verdict::NotYet(finding(pods::absent(observation, check.role, group), None));
    };
    let Some(container) = pods::container_name(pod, check.container.as_deref()) else {
        return Verdict::NotYet(finding(format!("Pod {} has no containers", pods::name(pod)), None));
    };
    if !pods::container_names(pod).contains(&container) {
        let names = pods::container_names(pod).join(", ");
        let message = format!("Pod {} has no container {container}; it has {names}", pods::name(pod));
        return Verdict::Never(finding(message, None));
    }
    let status = pods::status(pod, container);
    let found = Some(pods::state_words(status));
    let exits: Vec<i32> = status
        .into_iter()
        .flat_map(|status| {
            [
                pods::terminated(status.state.as_ref()),
                pods::terminated(status.last_state.as_ref()),
            ]
        })
        .flatten()
        .map(|ended| ended.exit_code)
        .collect();
    let exited = check.exit_code.is_none_or(|code| exits.contains(&code));
    if let (Some(code), Some(other), false) = (check.exit_code, exits.first(), exited) {
        let message = format!(
            "container {container} of Pod {} exited {other} instead of {code}",
            pods::name(pod)
        );
        return Verdict::Never(finding(message, found));
    }
    let waits = check.waiting.is_none() || status.and_then(pods::waiting) == check.waiting.as_deref();
    let runs = !check.running || pods::is_running(pod, container);
    if exited && waits && runs {
        let message = format!("container {container} of Pod {}: {expected}", pods::name(pod));
        return Verdict::Pass(finding(message, found));
    }
    let message = format!(
        "waits for \"{expected}\"; {}",
        pods::situation(observation, pod, container)
    );
    Verdict::NotYet(finding(message, found))
}

fn words(check: &StateCheck) -> String {
    let parts = [
        check.exit_code.map(|code| format!("exited {code}")),
        check.waiting.as_ref().map(|reason| format!("waits ({reason})")),
        check.running.then(|| "runs".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) fn evaluate_never(check: &NeverCheck, observation: &Observation) -> Verdict {
    let who = pods::who(check.restarts.role, None);
    let barrier = check.after.word();
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(format!(
            "no restart of the {who} for {} after `{barrier}`",
            check.duration
        )),
        found,
        diff: None,
    };
    let length: SignedDuration = match check.duration.parse() {
        Ok(length) => length,
        Err(error) => {
            let message = format!("`for: {}` is not a duration such as 10s: {error}", check.duration);
            return Verdict::Never(finding(message, None));
        }
    };
    let pods = pods::all(observation, check.restarts.role, None);
    if let Some((message, found)) = pods.iter().find_map(|pod| restarted(pod)) {
        return Verdict::Never(finding(message, Some(found)));
    }
    let Some(reached) = observation.barriers.get(&check.after) else {
        let seen = pods.first().map_or_else(
            || pods::absent(observation, check.restarts.role, None),
            |pod| {
                let container = pods::container_name(pod, None).unwrap_or_default();
                pods::situation(observation, pod, container)
            },
        );
        return Verdict::NotYet(finding(format!("waits for the barrier `{barrier}`; {seen}"), None));
    };
    if pods.is_empty() {
        return Verdict::Never(finding(
            format!("the {who} is gone since `{barrier}` was reached"),
            None,
        ));
    }
    let newer = pods.iter().find(|pod| {
        let created = pod.metadata.creation_timestamp.as_ref();
        created.is_some_and(|created| created.0 > *reached)
    });
    if let Some(newer) = newer {
        let message = format!(
            "the {who} was replaced by {} after `{barrier}` was reached",
            pods::name(newer)
        );
        return Verdict::Never(finding(message, None));
    }
    let watched = observation.now.duration_since(*reached);
    if watched < length {
        let left = (length - watched).as_secs_f64();
        return Verdict::NotYet(finding(
            format!("no restart so far; watches for {left:.1} s more"),
            None,
        ));
    }
    Verdict::Pass(finding(
        format!(
            "no container of the {who} restarted for {} after `{barrier}`",
            check.duration
        ),
        None,
    ))
}

/// The first container of a Pod that has restarted, as a sentence and the state it is in.
fn restarted(pod: &Pod) -> Option<(String, String)> {
    let status = pods::statuses(pod).find(|status| status.restart_count > 0)?;
    let message = format!("container {} of Pod {} restarted", status.name, pods::name(pod));
    Some((message, pods::state_words(Some(status))))
}
