//! Pods without a node and containers that are not created.

use kuberay_manifest::Severity;
use serde_json::Value;

use super::{Candidate, Case, PATIENCE};
use crate::contract::Quantity;
use crate::live::doctor::causes;
use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView, text, time};

/// Messages of registries about an image that they do not have, or do not show.
const ABSENT: [&str; 8] = [
    "not found",
    "manifest unknown",
    "does not exist",
    "access denied",
    "access to the resource is denied",
    "unauthorized",
    "authorization failed",
    "403 Forbidden",
];

/// A Pod that is on no node, or whose volumes are not there.
pub(super) fn of_pod(case: &Case, pod: &PodView) -> Vec<Candidate> {
    let scheduled = pod.condition("PodScheduled");
    if let Some(condition) = scheduled.filter(|one| one["status"] == "False") {
        return vec![unscheduled(case, pod, condition)];
    }
    let events = case.events(pod.uid());
    let mount = events
        .iter()
        .find(|event| ["FailedMount", "FailedAttachVolume"].contains(&event.reason));
    let creating = pod.containers().iter().any(|container| {
        matches!(container.phase, ContainerPhase::Waiting { reason, .. }
            if ["ContainerCreating", "PodInitializing"].contains(&reason))
    });
    match mount.filter(|_| creating && pod.age(case.now()) > PATIENCE) {
        Some(event) => vec![
            Candidate::of(&causes::CONTAINER_CONFIG, 78)
                .at(pod, "")
                .proven(
                    ProofKind::Event,
                    &format!("{}: {}", event.reason, event.message),
                ),
        ],
        None => Vec::new(),
    }
}

fn unscheduled(case: &Case, pod: &PodView, condition: &Value) -> Candidate {
    let message = text(&condition["message"]);
    let since = time(&condition["lastTransitionTime"]).or(pod.created());
    let since = since.map_or(PATIENCE, |since| case.now().duration_since(since));
    if let Some(why) = too_large(&case.bundle.nodes, pod) {
        return Candidate::of(&causes::TOO_LARGE, 90)
            .at(pod, "")
            .proven(ProofKind::Field, &why)
            .proven(ProofKind::Status, message);
    }
    let cause = if message.contains("Insufficient") || message.contains("Too many pods") {
        &causes::NO_CAPACITY
    } else {
        &causes::UNSCHEDULABLE
    };
    let one = Candidate::of(cause, 80)
        .at(pod, "")
        .proven(ProofKind::Status, message);
    if since < PATIENCE {
        return one.rated(Severity::Note);
    }
    one
}

/// Returns the message for a Pod whose requests no node can meet, however idle it is.
fn too_large(nodes: &[Value], pod: &PodView) -> Option<String> {
    if nodes.is_empty() {
        return None;
    }
    let containers = pod.value["spec"]["containers"].as_array()?;
    for resource in ["cpu", "memory", "nvidia.com/gpu"] {
        let asked: f64 = containers
            .iter()
            .map(|container| amount(&container["resources"]["requests"][resource]))
            .sum();
        let largest = nodes
            .iter()
            .map(|node| amount(&node["status"]["allocatable"][resource]))
            .fold(0.0, f64::max);
        if asked > largest {
            let asked: Vec<&str> = containers
                .iter()
                .map(|container| text(&container["resources"]["requests"][resource]))
                .filter(|text| !text.is_empty())
                .collect();
            let asked = asked.join(" + ");
            return Some(format!(
                "it requests {resource} {asked}, and no node has more than {largest}"
            ));
        }
    }
    None
}

fn amount(value: &Value) -> f64 {
    Quantity::parse(text(value)).map_or(0.0, Quantity::value)
}

/// A container that is not created.
pub(super) fn of_container(
    case: &Case,
    pod: &PodView,
    container: &ContainerView,
) -> Option<Candidate> {
    let ContainerPhase::Waiting { reason, message } = container.phase else {
        return None;
    };
    let events = case.events(pod.uid());
    let pull = events.iter().filter(|event| event.reason == "Failed");
    let pull = pull.map(|event| event.message).collect::<Vec<_>>();
    let of = |cause, weight| Candidate::of(cause, weight).at(pod, container.name);
    let found = match reason {
        "InvalidImageName" | "ErrImageNeverPull" => of(&causes::IMAGE_NOT_FOUND, 92),
        "ErrImagePull" | "ImagePullBackOff" => {
            let told = format!("{message} {}", pull.join(" "));
            if ABSENT.iter().any(|part| told.contains(part)) {
                of(&causes::IMAGE_NOT_FOUND, 92)
            } else {
                of(&causes::IMAGE_PULL_FAILS, 88)
            }
        }
        "CreateContainerConfigError" => of(&causes::CONTAINER_CONFIG, 92),
        "CreateContainerError" | "RunContainerError" => of(&causes::CONTAINER_START, 91),
        _ => return None,
    };
    let image = image_of(pod, container.name);
    let event = pull.first().copied().unwrap_or_default();
    Some(
        found
            .proven(ProofKind::Status, &format!("{reason}: {message}"))
            .proven(ProofKind::Field, &image)
            .proven(ProofKind::Event, event),
    )
}

fn image_of(pod: &PodView, name: &str) -> String {
    let spec = &pod.value["spec"];
    let mut all = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|field| spec[field].as_array().into_iter().flatten());
    let found = all.find(|container| container["name"] == name);
    found
        .map(|container| format!("image: {}", text(&container["image"])))
        .unwrap_or_default()
}
