use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{Changes, apply_changes};

fn cluster() -> Value {
    let container = json!({"name": "ray", "image": "ray:1", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}});
    json!({
        "rayVersion": "1.0.0",
        "headGroupSpec": {"template": {"spec": {"containers": [container, {"name": "side", "image": "side:1"}]}}},
        "workerGroupSpecs": [
            {"template": {"spec": {"containers": [{"name": "w", "image": "ray:2"}]}}},
        ],
    })
}

fn object(kind: &str, field: &str, spec: Value) -> Value {
    let mut object =
        json!({"apiVersion": "ray.io/v1", "kind": kind, "metadata": {"name": "n"}, "spec": {}});
    if field.is_empty() {
        object["spec"] = spec;
    } else {
        object["spec"][field] = spec;
    }
    object
}

#[test]
fn without_changes_only_the_namespace_differs() {
    let mut objects = [object("RayCluster", "", cluster())];
    let mut expected = objects[0].clone();
    expected["metadata"]["namespace"] = json!("ns");
    let lines = apply_changes(&mut objects, &Changes::default(), "ns", "ray:9", "9.0.0");
    assert_eq!(objects[0], expected);
    assert_eq!(lines, ["RayCluster/n metadata.namespace: set to \"ns\""]);
    assert!(apply_changes(&mut objects, &Changes::default(), "ns", "ray:9", "9.0.0").is_empty());
}

#[rstest]
#[case("RayCluster", "", "spec")]
#[case("RayJob", "rayClusterSpec", "spec.rayClusterSpec")]
#[case("RayService", "rayClusterConfig", "spec.rayClusterConfig")]
fn every_ray_container_and_no_other_is_changed(
    #[case] kind: &str,
    #[case] field: &str,
    #[case] at: &str,
) {
    let mut objects = [object(kind, field, cluster())];
    objects[0]["metadata"]["namespace"] = json!("old");
    let changes = Changes {
        image: true,
        ray_version: true,
        requests: BTreeMap::from([("cpu".into(), "100m".into())]),
    };
    let lines = apply_changes(&mut objects, &changes, "ns", "ray:9", "9.0.0");
    let spec = if field.is_empty() {
        &objects[0]["spec"]
    } else {
        &objects[0]["spec"][field]
    };
    assert_eq!(spec["rayVersion"], "9.0.0");
    let head = &spec["headGroupSpec"]["template"]["spec"]["containers"];
    let worker = &spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0];
    let requests = json!({"requests": {"cpu": "100m"}});
    assert_eq!(
        head[0],
        json!({"name": "ray", "image": "ray:9", "resources": requests})
    );
    assert_eq!(head[1], json!({"name": "side", "image": "side:1"}));
    assert_eq!(
        *worker,
        json!({"name": "w", "image": "ray:9", "resources": requests})
    );
    let expected = [
        "metadata.namespace: \"old\" became \"ns\"".to_string(),
        format!("{at}.rayVersion: \"1.0.0\" became \"9.0.0\""),
        format!("{at}.headGroupSpec.template.spec.containers[0].image: \"ray:1\" became \"ray:9\""),
        format!(
            "{at}.headGroupSpec.template.spec.containers[0].resources.requests: \
             {{\"cpu\":\"1\",\"memory\":\"1Gi\"}} became {{\"cpu\":\"100m\"}}"
        ),
        format!(
            "{at}.workerGroupSpecs[0].template.spec.containers[0].image: \"ray:2\" became \"ray:9\""
        ),
        format!(
            "{at}.workerGroupSpecs[0].template.spec.containers[0].resources.requests: set to {{\"cpu\":\"100m\"}}"
        ),
    ];
    assert_eq!(lines, expected.map(|line| format!("{kind}/n {line}")));
}

#[test]
fn objects_of_the_cluster_get_no_namespace_and_others_no_image() {
    let mut objects = [
        object("ClusterRole", "", json!({})),
        object("ConfigMap", "", cluster()),
    ];
    objects[0]["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
    let changes = Changes {
        image: true,
        ..Changes::default()
    };
    let lines = apply_changes(&mut objects, &changes, "ns", "ray:9", "9.0.0");
    assert_eq!(objects[0]["metadata"], json!({"name": "n"}));
    assert_eq!(objects[1]["spec"], cluster());
    assert_eq!(lines, ["ConfigMap/n metadata.namespace: set to \"ns\""]);
}

#[rstest]
#[case::of_kubernetes("v1", Value::Null)]
#[case::of_another_group("longhorn.io/v1beta2", json!("ns"))]
fn a_namespaced_kind_with_the_name_of_another_gets_the_namespace(
    #[case] api_version: &str,
    #[case] namespace: Value,
) {
    let mut node = json!({"apiVersion": api_version, "kind": "Node", "metadata": {"name": "n"}});
    apply_changes(
        std::slice::from_mut(&mut node),
        &Changes::default(),
        "ns",
        "ray:9",
        "9.0.0",
    );
    assert_eq!(node["metadata"]["namespace"], namespace);
}
