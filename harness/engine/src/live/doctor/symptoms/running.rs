//! Ray's container runs and is not ready.

use super::texts::{last_line, ray_started};
use super::{Candidate, Case, PATIENCE, SLOW};
use crate::live::doctor::causes;
use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView};

/// The time after which a command that never returns is reported as such.
const CERTAIN: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);

pub(super) fn of_ray(case: &Case, pod: &PodView, container: &ContainerView) -> Vec<Candidate> {
    if container.ready {
        return Vec::new();
    }
    if let Some(found) = hook(case, pod, container) {
        return vec![found];
    }
    if container.phase != ContainerPhase::Running {
        return Vec::new();
    }
    let mut found = Vec::new();
    let since = container.started.or(pod.created());
    let since = since.map_or(SLOW, |since| case.now().duration_since(since));
    let log = case.log(pod, container.name);
    let started = ray_started(log);
    let events = case.events(pod.uid());
    let unhealthy = events
        .iter()
        .find(|event| event.reason == "Unhealthy" && event.message.contains("probe failed"));
    let told = unhealthy.map(|event| format!("{} ({} times)", event.message, event.count));
    let told = told.unwrap_or_default();
    if told.contains("wget") && told.contains("not found") {
        found.push(
            Candidate::of(&causes::PROBE_NEEDS_WGET, 88)
                .at(pod, container.name)
                .proven(ProofKind::Event, &told),
        );
    } else if started && unhealthy.is_some() && since > patience(pod) {
        found.push(
            Candidate::of(&causes::PROBE_FAILS, 60)
                .at(pod, container.name)
                .proven(ProofKind::Event, &told)
                .proven(ProofKind::Log, last_line(log)),
        );
    }
    if started {
        return found;
    }
    let blocks = case
        .trap(pod, &["never-returns"])
        .filter(|_| since > CERTAIN);
    let waits = case.trap(pod, &["waits-for-jobs"]).filter(|_| since > SLOW);
    let age = format!(
        "container {} runs for {} s without Ray",
        container.name,
        since.as_secs()
    );
    if let Some(trap) = blocks.or(waits) {
        found.push(
            case.of_trap(trap, 79)
                .at(pod, container.name)
                .proven(ProofKind::Status, &age)
                .proven(ProofKind::Log, last_line(log)),
        );
    } else if since > SLOW {
        found.push(
            Candidate::of(&causes::RAY_NOT_STARTED, 55)
                .at(pod, container.name)
                .proven(ProofKind::Status, &age)
                .proven(ProofKind::Log, last_line(log))
                .proven(ProofKind::Event, &told),
        );
    }
    found
}

/// Returns the time for which the readiness probe of a container may fail. The operator's own asks
/// Ray, which takes minutes on a busy machine; a user's asks something else.
fn patience(pod: &PodView) -> jiff::SignedDuration {
    let probe = pod.first()["readinessProbe"].to_string();
    if probe.contains("healthz") {
        SLOW
    } else {
        PATIENCE + CERTAIN
    }
}

/// A postStart hook that has not returned: the kubelet reports its container as not created.
fn hook(case: &Case, pod: &PodView, container: &ContainerView) -> Option<Candidate> {
    let hook = &pod.first()["lifecycle"]["postStart"];
    let waits = matches!(container.phase, ContainerPhase::Waiting { reason, .. }
        if ["ContainerCreating", "PodInitializing"].contains(&reason));
    let long = pod.age(case.now()) > SLOW;
    (hook.is_object() && waits && long && container.restarts == 0).then(|| {
        Candidate::of(&causes::POST_START_HOOK_WAITS, 58)
            .at(pod, container.name)
            .proven(ProofKind::Field, &format!("lifecycle.postStart: {hook}"))
    })
}
