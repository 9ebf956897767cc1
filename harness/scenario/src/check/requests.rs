//! What a Pod asks for, against what nodes have.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource;
use kuberay_contract::Quantity;

use super::{Finding, Observation, pods};

/// Says so where a Pod that is on no node asks for more than the largest node has; a node that is
/// only busy may become free and is waited for.
pub(super) fn too_large(observation: &Observation, pod: &Pod) -> Option<Finding> {
    let spec = pod.spec.as_ref()?;
    let (cpu, memory) = observation
        .largest_node
        .filter(|_| spec.node_name.is_none())?;
    let (wants_cpu, wants_memory) = (total(pod, "cpu"), total(pod, "memory"));
    let mut parts = Vec::new();
    if wants_cpu > cpu {
        parts.push(format!(
            "requests cpu {wants_cpu} but the largest node has {cpu}"
        ));
    }
    if wants_memory > memory {
        parts.push(format!(
            "requests memory {} but the largest node has {}",
            gib(wants_memory),
            gib(memory)
        ));
    }
    let said = pods::condition(pod, "PodScheduled").and_then(|condition| condition.message.clone());
    (!parts.is_empty()).then(|| Finding {
        message: format!(
            "Pod {} {}; lower its requests",
            pods::name(pod),
            parts.join(" and ")
        ),
        found: said,
        ..Finding::default()
    })
}

/// What the scheduler counts: containers together, or the largest moment of the init containers if
/// that is more.
pub fn total(pod: &Pod, resource: &str) -> f64 {
    let Some(spec) = &pod.spec else { return 0.0 };
    let amount = |requests: Option<&BTreeMap<String, resource::Quantity>>| {
        requests
            .and_then(|requests| requests.get(resource))
            .and_then(|text| Quantity::parse(&text.0))
            .map_or(0.0, Quantity::value)
    };
    let of = |container: &Container| {
        amount(
            container
                .resources
                .as_ref()
                .and_then(|entry| entry.requests.as_ref()),
        )
    };
    let mut beside = 0.0;
    let mut largest: f64 = 0.0;
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            beside += of(container);
            largest = largest.max(beside);
        } else {
            largest = largest.max(beside + of(container));
        }
    }
    let together = beside + spec.containers.iter().map(of).sum::<f64>();
    together.max(largest) + amount(spec.overhead.as_ref())
}

fn gib(bytes: f64) -> String {
    format!("{:.1}Gi", bytes / 1024f64.powi(3))
}
