use k8s_openapi::api::core::v1::{Event, Pod};
use serde_json::json;

use super::{Redactor, Typed, Writer, event_line, file_name, keys};

#[test]
fn a_pod_is_written_as_yaml_without_secrets_and_noise() {
    let folder = tempfile::tempdir().expect("a folder");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "head", "managedFields": [{"manager": "x"}]},
        "spec": {"containers": [{"name": "ray-head", "args": [" echo 123  456  && ulimit", "x of-a-secret-0815 y"],
            "env": [{"name": "REDIS_PASSWORD", "value": "canary-4711"}]}]},
    }))
    .expect("a Pod");
    let redactor = Redactor::new(["of-a-secret-0815".to_owned()]);
    let mut writer = Writer {
        folder: folder.path().into(),
        redactor: &redactor,
        problems: Vec::new(),
    };
    writer.yaml("pods/head.yaml", &Typed::new("v1", "Pod", &pod));
    assert_eq!(writer.problems, Vec::<String>::new());
    let text = std::fs::read_to_string(folder.path().join("pods/head.yaml")).expect("the file");
    for hidden in ["canary", "0815", "managedFields"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let objects = crate::scenario::parse_manifest(&text, "head.yaml").expect("YAML");
    assert_eq!(objects[0]["kind"], "Pod");
    assert_eq!(
        objects[0]["spec"]["containers"][0]["args"][0],
        " echo 123  456  && ulimit"
    );
}

#[test]
fn every_container_has_its_logs() {
    let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "w"}, "spec": {
        "initContainers": [{"name": "wait-gcs-ready"}], "containers": [{"name": "ray-worker"}]}}))
    .expect("a Pod");
    let names: Vec<_> = keys(&pod).iter().map(file_name).collect();
    assert_eq!(
        names,
        [
            "logs/w/wait-gcs-ready.log",
            "logs/w/wait-gcs-ready.previous.log",
            "logs/w/ray-worker.log",
            "logs/w/ray-worker.previous.log"
        ]
    );
}

#[test]
fn an_event_is_a_line() {
    let event: Event = serde_json::from_value(json!({"metadata": {}, "type": "Warning", "reason": "Failed",
        "message": "no image\n", "count": 3, "lastTimestamp": "2026-11-23T05:32:13Z",
        "involvedObject": {"kind": "Pod", "name": "head"}}))
    .expect("an event");
    assert_eq!(
        event_line(&event),
        "2026-11-23T05:32:13Z Warning Failed Pod/head (x3): no image\n"
    );
}
