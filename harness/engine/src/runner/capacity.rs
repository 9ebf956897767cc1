//! The number of cases that fit on the nodes at once; no case starts that would only wait for a
//! node.

mod allocation;
mod placement;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Pod};

pub use allocation::{Allocation, AllocationError, Capacity, Priority};
pub(super) use placement::can_be_placed;

use super::requests::of_pod;
use super::resources::{Resources, whole};
use crate::contract::Quantity;
use crate::target::node_is_ready;

/// Returns the default number of cases that run at once on kind: one for each processor. Every node
/// of kind claims all processors, and a Ray that starts keeps one busy for ten seconds and more
/// (measured: docs/benchmarks.md).
pub fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Returns the capacity of the nodes that accept Pods, less the requests of the Pods that run
/// there. Pods in namespaces of `cases` are left out, because their allocations count them.
pub(super) fn free(nodes: &[Node], pods: &[Pod], cases: &BTreeSet<String>) -> Resources {
    let all = usable(nodes)
        .map(allocatable)
        .fold(Resources::default(), Resources::plus);
    let names: Vec<_> = usable(nodes)
        .filter_map(|node| node.metadata.name.as_deref())
        .collect();
    all.minus(taken(pods, cases, |node| {
        node.is_none_or(|node| names.contains(&node))
    }))
}

/// Returns the free capacity of each of these nodes, computed as [`free`] does; a Pod without a
/// node counts on none.
pub(super) fn free_of_each(
    nodes: &[Node],
    pods: &[Pod],
    cases: &BTreeSet<String>,
) -> Vec<Resources> {
    let left = |node: &Node| {
        let here = |other: Option<&str>| other.is_some() && other == node.metadata.name.as_deref();
        allocatable(node).minus(taken(pods, cases, here))
    };
    usable(nodes).map(left).collect()
}

/// Returns the requests of the Pods that have not ended on these nodes (`None`: not on any yet),
/// without those of `cases`.
fn taken(
    pods: &[Pod],
    cases: &BTreeSet<String>,
    is_there: impl Fn(Option<&str>) -> bool,
) -> Resources {
    let takes = |pod: &&Pod| {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let is_of_case = pod
            .metadata
            .namespace
            .as_ref()
            .is_some_and(|name| cases.contains(name));
        !is_of_case && !matches!(phase, Some("Succeeded" | "Failed")) && is_there(node)
    };
    let requested = pods.iter().filter(takes).map(of_pod);
    requested.fold(Resources::default(), Resources::plus)
}

/// Allocatable CPU (cores) and memory (bytes) of the largest node that accepts Pods.
pub(super) fn largest(nodes: &[Node]) -> Option<(f64, f64)> {
    usable(nodes)
        .map(|node| (amount(node, "cpu"), amount(node, "memory")))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
}

pub(super) fn usable(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| {
        // A controller takes this taint away some seconds after the node has become Ready; Pods
        // tolerate it as long.
        let passes = |key: &str| key == NOT_READY && node_is_ready(node).is_ok();
        node.spec.as_ref().is_none_or(|spec| {
            let closed = spec
                .taints
                .iter()
                .flatten()
                .any(|taint| taint.effect != "PreferNoSchedule" && !passes(&taint.key));
            !spec.unschedulable.unwrap_or(false) && !closed
        })
    })
}

/// The taint of nodes that are not Ready.
const NOT_READY: &str = "node.kubernetes.io/not-ready";

fn allocatable(node: &Node) -> Resources {
    let resources = Resources::new(amount(node, "cpu"), amount(node, "memory"));
    resources.with_pods(whole(amount(node, "pods")))
}

fn amount(node: &Node, resource: &str) -> f64 {
    let allocatable = node
        .status
        .as_ref()
        .and_then(|status| status.allocatable.as_ref());
    allocatable
        .and_then(|allocatable| Quantity::parse(&allocatable.get(resource)?.0))
        .map_or(0.0, Quantity::value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Resources, free, free_of_each, largest};

    const MIB: f64 = 1024.0 * 1024.0;

    #[test]
    fn a_node_that_has_just_become_ready_counts() {
        let node = |ready: &str| {
            serde_json::from_value(json!({"spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]},
                "status": {"allocatable": {"cpu": "2", "memory": "1000Mi"}, "conditions": [{"type": "Ready", "status": ready}]}}))
            .expect("a Node")
        };
        assert_eq!(largest(&[node("True")]), Some((2.0, 1000.0 * MIB)));
        assert_eq!(largest(&[node("False")]), None);
    }

    #[test]
    fn a_two_core_node_takes_one_head_of_one_cpu_or_two_of_half() {
        let node = |name: &str, taints| {
            serde_json::from_value(
                json!({"metadata": {"name": name}, "spec": {"taints": taints},
                "status": {"allocatable": {"cpu": "2", "memory": "1000Mi", "pods": "110"}}}),
            )
            .expect("a Node")
        };
        let pod = |namespace: &str, node: &str, cpu: &str, phase: &str| {
            serde_json::from_value(json!({"metadata": {"namespace": namespace}, "spec": {"nodeName": node, "containers": [
                {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "100Mi"}}}]}, "status": {"phase": phase}}))
            .expect("a Pod")
        };
        let nodes = [
            node("a", json!([])),
            node("b", json!([{"key": "k", "effect": "NoSchedule"}])),
        ];
        let pods = [
            pod("system", "a", "850m", "Running"),
            pod("system", "a", "100m", "Running"),
            pod("system", "a", "1", "Succeeded"),
            pod("system", "b", "1", "Running"),
            pod("case", "a", "1", "Running"),
        ];
        let left_over = free(&nodes, &pods, &BTreeSet::from(["case".to_owned()]));
        assert_eq!(left_over, Resources::new(1.05, 800.0 * MIB).with_pods(108));
        assert_eq!(largest(&nodes), Some((2.0, 1000.0 * MIB)));
        let both = [node("a", json!([])), node("b", json!([]))];
        let left = free_of_each(&both, &pods, &BTreeSet::from(["case".to_owned()]));
        let second = Resources::new(1.0, 900.0 * MIB).with_pods(109);
        assert_eq!(left, [left_over, second], "each with its own Pods");

        let half = Resources::new(0.5, 0.0);
        assert!(Resources::new(1.0, 0.0).fit_into(left_over));
        assert!(half.plus(half).fit_into(left_over));
        assert!(!Resources::new(1.1, 0.0).fit_into(left_over));
    }
}
