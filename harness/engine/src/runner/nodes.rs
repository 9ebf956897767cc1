//! The number of nodes that a kind cluster needs for the scenarios of a run.

use super::requests::pods;
use super::{Resources, default_jobs};
use crate::scenario::{Scenario, manifests};

/// Cores that the control plane's Pods, the Pod network's and the operator request on the first
/// node: 1050m on Kubernetes 1.34.
const TAKEN: f64 = 1.05;
/// Nodes of a kind cluster on which cases may overlap: three nodes hold two cases of one CPU each,
/// and the control plane.
pub const NODES_TO_OVERLAP: u32 = 3;
/// Nodes of one machine share its processors; with more, cases only wait for each other.
const MOST: u32 = 4;

/// Returns how many nodes these scenarios need, and how many a new cluster gets for them: more, so
/// that cases may overlap, if there are more scenarios than run at once.
pub(super) fn nodes_for_all(scenarios: &[&Scenario], jobs: Option<usize>) -> (u32, u32) {
    let needed = scenarios
        .iter()
        .map(|scenario| nodes_for(scenario))
        .max()
        .unwrap_or(1);
    // With a number of jobs, no case overlaps.
    let overlaps = jobs.is_none() && scenarios.len() > default_jobs();
    (
        needed,
        if overlaps {
            needed.max(NODES_TO_OVERLAP)
        } else {
            needed
        },
    )
}

/// Returns the number of nodes that the scenario names, or that its Pods need if it is higher. Each
/// node of kind has all processors of this machine.
fn nodes_for(scenario: &Scenario) -> u32 {
    let said = scenario.file.spec.nodes;
    // The operator's own samples are not there yet, and their scenarios say what they need.
    let Ok(objects) = manifests(scenario, None) else {
        return said;
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    said.max(needed(
        &pods(&objects),
        u32::try_from(cores).unwrap_or(u32::MAX),
    ))
}

/// One, too, where no number helps, because one Pod alone asks for more than a node has.
fn needed(pods: &[Resources], cores: u32) -> u32 {
    let nodes =
        |count: u32| Resources::without_pod_limit(f64::from(count) * f64::from(cores), f64::MAX);
    let sum = pods
        .iter()
        .copied()
        .fold(Resources::new(TAKEN, 0.0), Resources::plus);
    let fits = |count: &u32| sum.fit_into(nodes(*count));
    if !pods.iter().all(|pod| pod.fit_into(nodes(1))) {
        return 1;
    }
    (1..=MOST).find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_to_place(&[], 2, 1)]
    #[case::a_head(&[0.5], 2, 1)]
    #[case::a_head_and_two_workers(&[0.5, 0.3, 0.3], 2, 2)]
    #[case::the_same_on_a_larger_machine(&[0.5, 0.3, 0.3], 4, 1)]
    #[case::a_pod_that_no_node_can_hold(&[64.0], 2, 1)]
    #[case::more_than_any_number(&[1.0; 20], 2, 1)]
    fn as_many_as_the_pods_need(#[case] pods: &[f64], #[case] cores: u32, #[case] expected: u32) {
        let pods: Vec<_> = pods.iter().map(|cpu| Resources::new(*cpu, 1.0)).collect();
        assert_eq!(needed(&pods, cores), expected);
    }
}
