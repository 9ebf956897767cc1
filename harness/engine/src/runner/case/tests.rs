use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{outdated_logs, running_head};
use crate::check::{Log, LogKey, Observation};
use crate::scenario::{Check, Milestone};

fn head(name: &str, state: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"ray.io/node-type": "head"}},
        "spec": {"containers": [{"name": "ray-head"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "ray-head", "image": "", "imageID": "",
            "ready": false, "restartCount": 0, "containerID": "c", "state": {state: {}}}]},
    }))
    .expect("a Pod")
}

#[test]
fn the_newest_running_head_is_asked() {
    let observation = Observation {
        pods: vec![
            head("old", "running"),
            head("new", "running"),
            head("newest", "waiting"),
        ],
        ..Observation::default()
    };
    assert_eq!(
        running_head(&observation).and_then(|pod| pod.metadata.name.as_deref()),
        Some("new")
    );
}

/// A hook may well wait for what only the dashboard shows.
#[test]
fn a_head_in_its_hook_is_asked_too() {
    let mut pod = head("hook", "waiting");
    let first = &mut pod.spec.as_mut().expect("a spec").containers[0];
    first.lifecycle = Some(k8s_openapi::api::core::v1::Lifecycle::default());
    let mut observation = Observation {
        pods: vec![pod],
        ..Observation::default()
    };
    assert!(
        running_head(&observation).is_none(),
        "nothing shows that it has begun"
    );
    let started = json!({"metadata": {}, "reason": "Started", "involvedObject": {
        "kind": "Pod", "name": "hook", "fieldPath": "spec.containers{ray-head}"}});
    observation.events = vec![serde_json::from_value(started).expect("an event")];
    assert!(running_head(&observation).is_some());
    observation.pods[0]
        .spec
        .as_mut()
        .expect("a spec")
        .containers[0]
        .lifecycle = None;
    assert!(
        running_head(&observation).is_none(),
        "without a hook it is between two runs"
    );
}

#[test]
fn a_log_is_read_again_once_its_milestones_are_reached() {
    let check: Check =
        serde_json::from_value(json!({"logs": {"role": "head", "after": ["ready", "job"],
        "lines": [{"not": "x"}]}}))
        .expect("a check");
    let key = LogKey {
        pod: "head".into(),
        container: "ray-head".into(),
        previous: false,
    };
    let time = |second: i64| jiff::Timestamp::from_second(second).expect("a time");
    let mut observation = Observation {
        pods: vec![head("head", "running")],
        milestones: BTreeMap::from([(Milestone::Ready, time(5))]),
        ..Observation::default()
    };
    assert_eq!(
        outdated_logs(&check, &observation),
        [],
        "one milestone is not reached"
    );
    observation.milestones.insert(Milestone::Job, time(9));
    assert_eq!(
        outdated_logs(&check, &observation),
        std::slice::from_ref(&key)
    );
    let mut read = |second| {
        let log = Log {
            lines: Vec::<String>::new().into_iter().collect(),
            complete_as_of: Some(time(second)),
            ended: false,
        };
        observation.logs.insert(key.clone(), log);
        outdated_logs(&check, &observation).len()
    };
    assert_eq!(read(8), 1);
    assert_eq!(read(9), 0);
}
