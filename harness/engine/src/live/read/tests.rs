//! What is read of objects as an API server returns them.

use serde_json::json;

use super::*;

#[test]
fn a_webhook_counts_where_it_takes_pods() {
    let rule =
        |groups: &[&str], resources: &[&str]| json!({"apiGroups": groups, "resources": resources});
    assert!(takes_pods(&rule(&[""], &["pods"])));
    assert!(takes_pods(&rule(&["*"], &["*"])));
    assert!(!takes_pods(&rule(&["apps"], &["deployments"])));
    assert!(!takes_pods(&rule(&["ray.io"], &["*"])));
}

#[test]
fn the_configuration_of_an_operator_is_the_file_that_it_is_told() {
    let deployment = |args: &[&str]| {
        json!({"spec": {"template": {"spec": {"containers": [{"args": args}],
            "volumes": [{"configMap": {"name": "config-1"}}]}}}})
    };
    let told = configuration_of(&deployment(&["--config", "/etc/config.yaml"]));
    assert_eq!(told.as_deref(), Some("config-1"));
    assert_eq!(
        configuration_of(&deployment(&["--feature-gates=A=true"])),
        None
    );
    let map = json!({"data": {"other": "a: 1", "config.yaml":
        "kind: Configuration\nwatchNamespace: team\ndefaultContainerEnvs: [{name: A, value: b}]\n"}});
    assert_eq!(configuration(&map).unwrap()["watchNamespace"], "team");
    assert_eq!(configuration(&json!({"data": {"a": "b"}})), None);
}

#[test]
fn a_definition_is_kept_as_its_fields_and_its_hash() {
    let found = crd(
        &json!({"metadata": {"name": "rayclusters.ray.io"}, "spec": {
        "names": {"kind": "RayCluster"},
        "versions": [{"name": "v1", "served": true, "schema": {"openAPIV3Schema": {"properties": {"spec": {}}}}},
            {"name": "v1alpha1", "served": false}]}}),
    );
    assert_eq!(found.kind.as_str(), "RayCluster");
    assert_eq!(found.versions.len(), 1);
    assert_eq!(found.fields, ["spec"]);
    assert_eq!(found.sha256.len(), 64);
}

#[test]
fn managed_fields_become_writers() {
    let object = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "n", "managedFields": [
        {"manager": "editor", "time": "2026-11-28T11:45:00Z", "fieldsV1": {"f:spec": {"f:containers":
            {"k:{\"name\":\"ray-head\"}": {".": {}, "f:args": {}}}}}},
        {"manager": "kubelet", "fieldsV1": {"f:status": {}}}]}});
    let writers = trim::of_object(&object);
    assert_eq!(writers.len(), 1);
    assert_eq!(writers[0].manager, "editor");
    assert_eq!(writers[0].fields, ["spec.containers[ray-head].args"]);
}
