//! States of containers.

use k8s_openapi::api::core::v1::ContainerStateTerminated;

use super::{Finding, Observation, Verdict, pods};
use crate::StateCheck;

pub(super) fn evaluate(check: &StateCheck, observation: &Observation) -> Verdict {
    let expected = words(check);
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(expected.clone()),
        found,
        ..Finding::default()
    };
    let group = check.group.as_deref();
    let Some(pod) = pods::find(observation, check.role, group) else {
        return Verdict::NotYet(finding(pods::absent(observation, check.role, group), None));
    };
    let Some(container) = pods::container_name(pod, check.container.as_deref()) else {
        return Verdict::NotYet(finding(
            format!("Pod {} has no containers", pods::name(pod)),
            None,
        ));
    };
    if !pods::container_names(pod).contains(&container) {
        let names = pods::container_names(pod).join(", ");
        let message = format!(
            "Pod {} has no container {container}; it has {names}",
            pods::name(pod)
        );
        return Verdict::Never(finding(message, None));
    }
    let status = pods::status(pod, container);
    let found = Some(pods::state_words(status));
    let ends: Vec<_> = status.into_iter().flat_map(pods::ends).flatten().collect();
    let is_meant = |end: &&ContainerStateTerminated| {
        let reason = check.reason.is_none() || check.reason == end.reason;
        reason && check.exit_code.is_none_or(|code| code == end.exit_code)
    };
    let names_end = check.exit_code.is_some() || check.reason.is_some();
    let exited = !names_end || ends.iter().any(is_meant);
    if let (Some(other), false) = (ends.first(), exited) {
        let words = |code: Option<i32>, reason: Option<&str>| {
            let code = code.map(|code| code.to_string());
            let parts = [code, reason.map(|reason| format!("({reason})"))];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let message = format!(
            "container {container} of Pod {} exited {} instead of {}",
            pods::name(pod),
            words(
                Some(other.exit_code),
                other.reason.as_deref().filter(|_| check.reason.is_some())
            ),
            words(check.exit_code, check.reason.as_deref()),
        );
        return Verdict::Never(finding(message, found));
    }
    let restarted = check
        .restarts
        .is_none_or(|times| status.is_some_and(|status| status.restart_count >= times));
    let waits =
        check.waiting.is_none() || status.and_then(pods::waiting) == check.waiting.as_deref();
    let runs = !check.running || pods::is_running(pod, container);
    let ready = !check.ready || status.is_some_and(|status| status.ready);
    if exited && restarted && waits && runs && ready {
        let message = format!(
            "container {container} of Pod {}: {expected}",
            pods::name(pod)
        );
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
        check
            .reason
            .as_ref()
            .map(|reason| format!("ended ({reason})")),
        check
            .restarts
            .map(|times| format!("restarted {times} times or more")),
        check
            .waiting
            .as_ref()
            .map(|reason| format!("waits ({reason})")),
        check.running.then(|| "runs".to_owned()),
        check.ready.then(|| "is ready".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
