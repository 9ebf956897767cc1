//! States that can't get better, and that no check expects.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Event;

use super::cause::{Cause, TerminalFailure};
use super::{Check, Finding, LogKey, Observation, pods, stuck};
use crate::Role;

/// How long the operator may fail to create something before it counts as unable to; a new
/// namespace, say, has no service account in its first moments.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);

/// A state that can't get better and that no check expects, with its cause and, where it is plain,
/// what to do.
///
/// The finding of an ended container shows its last lines only where [`Observation::logs`] holds
/// what [`terminal_logs`] names: read those first. Some states count only after seconds, so call it
/// again as time passes.
pub fn terminal(checks: &[Check], observation: &Observation) -> Option<Finding> {
    let stuck = observation
        .pods
        .iter()
        .flat_map(|pod| stuck::causes(observation, pod));
    refusals(observation)
        .chain(operator(observation))
        .chain(stuck)
        .find(|terminal| !is_expected(terminal, checks))
        .map(|terminal| terminal.finding)
}

/// The first rejection by the API server that no check expects. Such an object is not part of what
/// is judged, so no check may pass beside it.
pub fn unexpected_rejection(checks: &[Check], observation: &Observation) -> Option<Finding> {
    refusals(observation)
        .find(|terminal| !is_expected(terminal, checks))
        .map(|terminal| terminal.finding)
}

/// Whether a check of the scenario expects just this; whether it is so in detail is for that check
/// to say.
fn is_expected(failure: &TerminalFailure, checks: &[Check]) -> bool {
    checks.iter().any(|check| check.expects(failure))
}

fn refusals(observation: &Observation) -> impl Iterator<Item = TerminalFailure> {
    observation
        .rejections
        .iter()
        .map(|refusal| TerminalFailure {
            cause: Cause::Api(refusal.sentence()),
            place: None,
            finding: Finding {
                message: format!(
                    "the API server refused {}; correct the manifest",
                    refusal.sentence().trim().trim_end_matches('.')
                ),
                ..Finding::default()
            },
        })
}

/// Logs whose last lines [`terminal`] shows: those of ended and restarted containers of Ray Pods.
pub fn terminal_logs(observation: &Observation) -> Vec<LogKey> {
    let ray = observation
        .pods
        .iter()
        .filter(|pod| pods::role(pod).is_some());
    ray.flat_map(|pod| pods::statuses(pod).flat_map(move |status| stuck::logs(pod, status)))
        .collect()
}

/// What the operator says that it can't do, while nothing shows that it could after all.
fn operator(observation: &Observation) -> Vec<TerminalFailure> {
    let terminal = |reason: &str, message: String| TerminalFailure {
        cause: Cause::Operator(reason.to_owned()),
        place: None,
        finding: Finding {
            message,
            ..Finding::default()
        },
    };
    let warnings = observation.events.iter().filter(|event| {
        pods::is_about_ray(event)
            && event.type_.as_deref() == Some("Warning")
            && is_failure(event, observation)
    });
    let from_events = warnings.map(|event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        terminal(
            reason,
            format!(
                "the operator can't go on with {}: {}",
                pods::object(event),
                pods::sentence(event)
            ),
        )
    });
    // Releases that write no event still write the status.
    let from_status = observation.ray_clusters.iter().filter_map(|cluster| {
        let name = cluster["metadata"]["name"].as_str().unwrap_or_default();
        let status = &cluster["status"];
        let (reason, message, since) = if let Some(failure) = pods::replica_failure(cluster) {
            let uid = cluster["metadata"]["uid"].as_str().unwrap_or_default();
            (
                failure["reason"].as_str(),
                failure["message"].as_str()?,
                observation.failing.get(uid).copied(),
            )
        } else if status["state"] == "failed" {
            (Some("failed"), status["reason"].as_str()?, None)
        } else {
            return None;
        };
        let reason = reason.unwrap_or("failed");
        fails(reason, message, since, observation).then(|| {
            terminal(
                reason,
                format!("the operator can't go on with RayCluster {name}: {reason}: {message}"),
            )
        })
    });
    from_events.chain(from_status).collect()
}

fn is_failure(event: &Event, observation: &Observation) -> bool {
    let reason = event.reason.as_deref().unwrap_or_default();
    let message = event.message.as_deref().unwrap_or_default();
    // The operator validates an object once and then leaves it. RayConfigError is none of these:
    // operators up to 1.1 report it of a RayCluster whose Pods they make (`calculateStatus` in
    // raycluster_controller.go of 1.1.1).
    let invalid = reason.starts_with("Invalid");
    let creation = reason.starts_with("FailedToCreate")
        || reason == "PodReconciliationError"
        || reason == "AutoscalerServiceAccountNotFound";
    let since = || observation.seen.get(event.metadata.uid.as_ref()?).copied();
    invalid || (creation && fails(reason, message, since(), observation))
}

/// Whether a failure to create something stands: its message is final or it lasts, and no Pod has
/// come of it. `since` is when it was first seen, by the harness's own clock.
fn fails(reason: &str, message: &str, since: Option<Timestamp>, observation: &Observation) -> bool {
    let awaited = if reason.contains("WorkerPod") {
        Role::Worker
    } else {
        Role::Head
    };
    let message = message.to_lowercase();
    // The operator itself was ending, as it does when a busy machine makes its probes fail; the
    // next tries again.
    if message.contains("context canceled") {
        return false;
    }
    let passing = [
        "already exists",
        "serviceaccount",
        "service account",
        "being terminated",
    ];
    let is_final = ["is invalid", "forbidden", "denied the request"]
        .iter()
        .any(|part| message.contains(part))
        && !passing.iter().any(|part| message.contains(part));
    let lasts = since.is_some_and(|since| observation.now.duration_since(since) >= PATIENCE);
    pods::find(observation, awaited, None).is_none() && (is_final || lasts)
}
