//! Whether Pods can lie on the nodes together, each whole on one of them.

use super::super::resources::Resources;

/// Whether each of the Pods finds a node beside the others, where the nodes have this left. Two
/// orders are tried, the largest CPU and the largest memory first, each on the first node with
/// room: a no may be wrong where all is nearly full.
pub fn can_be_placed(pods: &[Resources], left: &[Resources]) -> bool {
    let keys: [fn(Resources) -> u64; 2] = [Resources::millicores, Resources::bytes];
    keys.into_iter().any(|key| in_order_of(key, pods, left))
}

fn in_order_of(key: fn(Resources) -> u64, pods: &[Resources], left: &[Resources]) -> bool {
    let mut left = left.to_vec();
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| std::cmp::Reverse(key(*pod)));
    pods.iter().all(
        |pod| match left.iter_mut().find(|node| pod.fit_into(**node)) {
            Some(node) => {
                *node = node.minus(*pod);
                true
            }
            None => false,
        },
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_on_nothing(&[], &[], true)]
    #[case::something_on_nothing(&[(0.1, 1.0)], &[], false)]
    #[case::both_on_one(&[(1.0, 1.0), (1.0, 1.0)], &[(0.9, 9.0), (2.0, 9.0)], true)]
    #[case::the_sum_is_there_but_scattered(&[(1.0, 1.0), (1.0, 1.0)], &[(0.95, 9.0), (1.9, 9.0)], false)]
    #[case::one_on_each(&[(1.0, 1.0), (1.0, 1.0)], &[(1.05, 9.0), (1.9, 9.0)], true)]
    #[case::large_ones_first(&[(0.5, 1.0), (0.5, 1.0), (1.0, 1.0)], &[(1.0, 9.0), (1.0, 9.0)], true)]
    #[case::memory_first(&[(0.5, 1.0), (0.4, 4.0)], &[(0.5, 4.0), (0.5, 1.0)], true)]
    #[case::no_memory(&[(0.1, 8.0)], &[(4.0, 4.0), (4.0, 4.0)], false)]
    fn each_pod_is_whole_on_a_node(
        #[case] pods: &[(f64, f64)],
        #[case] left: &[(f64, f64)],
        #[case] expected: bool,
    ) {
        let pods: Vec<_> = pods
            .iter()
            .map(|pod| Resources::new(pod.0, pod.1).with_pods(1))
            .collect();
        let left: Vec<_> = left
            .iter()
            .map(|node| Resources::without_pod_limit(node.0, node.1))
            .collect();
        assert_eq!(can_be_placed(&pods, &left), expected);
    }

    #[test]
    fn a_node_takes_no_more_pods_than_it_may() {
        let pods = [Resources::default().with_pods(1); 3];
        let node = |pods| Resources::new(8.0, 8.0).with_pods(pods);
        assert!(!can_be_placed(&pods, &[node(1), node(1)]));
        assert!(can_be_placed(&pods, &[node(1), node(2)]));
    }
}
