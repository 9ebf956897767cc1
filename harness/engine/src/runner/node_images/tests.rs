use rstest::rstest;
use serde_json::json;

use super::*;

const RAY: &str = "docker.io/rayproject/ray:2.52.0";
const ONE: &str = "docker.io/rayproject/ray@sha256:1";
const OTHER: &str = "docker.io/rayproject/ray@sha256:2";
const MIRROR: &str = "mirror.example/rayproject/ray@sha256:3";

#[rstest]
#[case::one_node("rayproject/ray:2.52.0", vec![vec![ONE, RAY]], Some("sha256:1"))]
#[case::two_nodes(RAY, vec![vec![ONE, RAY], vec![RAY, ONE]], Some("sha256:1"))]
#[case::one_node_has_it(RAY, vec![vec![ONE, RAY], vec!["docker.io/library/busybox:1"]], Some("sha256:1"))]
#[case::different_ones(RAY, vec![vec![ONE, RAY], vec![OTHER, RAY]], None)]
#[case::another_release("rayproject/ray:2.53.0", vec![vec![ONE, RAY]], None)]
#[case::no_digest(RAY, vec![vec![RAY]], None)]
#[case::no_digest_on_one_node(RAY, vec![vec![ONE, RAY], vec![RAY]], None)]
#[case::digest_of_another_name(RAY, vec![vec![MIRROR, RAY]], None)]
#[case::no_node(RAY, vec![], None)]
#[case::named_by_digest("rayproject/ray@sha256:9", vec![], Some("sha256:9"))]
#[case::a_registry_with_a_port("localhost:5000/ray", vec![vec!["localhost:5000/ray@sha256:1"]], None)]
fn a_name_means_an_image_where_all_nodes_agree(
    #[case] image: &str,
    #[case] nodes: Vec<Vec<&str>>,
    #[case] expected: Option<&str>,
) {
    let node = |names: Vec<&str>| {
        serde_json::from_value(json!({"metadata": {}, "status": {"images": [{"names": names}]}}))
    };
    let nodes: Result<Vec<Node>, _> = nodes.into_iter().map(node).collect();
    assert_eq!(digest_on(&nodes.unwrap(), image).as_deref(), expected);
}
