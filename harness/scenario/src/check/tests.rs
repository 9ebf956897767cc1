//! What a real cluster answered (see `testdata/`), as observations for the tests of all checks.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use k8s_openapi::api::core::v1::{Event, Pod};
use serde_json::{Value, json};

use super::*;
use crate::{PodField, Role};

mod absent;
mod environment;
mod events;
mod flag_orders;
mod flag_values;
mod jobs;
mod kinds;
mod logs;
mod operator;
mod pods;
mod reached;
mod states;
mod terminal;

fn evaluate(check: &Check, observation: &Observation, expectations: &dyn Expectations) -> Verdict {
    check.evaluate(observation, expectations)
}

fn needed_logs(check: &Check, observation: &Observation) -> Vec<LogKey> {
    check.needed_logs(observation)
}

/// The moment of every observation.
const NOW: &str = "2026-11-23T07:00:00Z";
/// The entrypoint of the guide's script.
const ENTRYPOINT: &str = r#"python -c "import ray; ray.init(); print(ray.cluster_resources())""#;

/// Files captured of one run.
struct Capture {
    pods: &'static str,
    head_log: &'static str,
    jobs: &'static str,
    /// Addresses of the Pods, in their order.
    ips: &'static [&'static str],
    started: &'static str,
}

macro_rules! capture {
    ($name:literal, $ips:expr, $started:literal) => {
        Capture {
            pods: include_str!(concat!("testdata/", $name, ".pods.json")),
            head_log: include_str!(concat!("testdata/", $name, ".head.log")),
            jobs: include_str!(concat!("testdata/", $name, ".jobs.json")),
            ips: $ips,
            started: $started,
        }
    };
}

const SOLUTION_1: Capture = capture!("solution1", &["10.244.0.8"], "2026-11-23T05:32:13Z");
const POST_START: Capture = capture!("timing1-postStart", &["10.244.0.7"], "2026-11-23T05:31:33Z");
const OVERWRITE: Capture = capture!(
    "overwrite",
    &["10.244.0.9", "10.244.0.10"],
    "2026-11-23T05:32:57Z"
);
const OLD_SOLUTION_1: Capture =
    capture!("v1.0.0-solution1", &["10.244.0.20"], "2026-11-23T06:35:34Z");
const OLD_POST_START: Capture = capture!(
    "v1.0.0-timing1-postStart",
    &["10.244.0.18"],
    "2026-11-23T06:33:26Z"
);

fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// The capture as an observation in which all went well: Pods run and are ready, milestones were
/// reached a minute ago, and the head's log was read whole since.
fn observe(capture: &Capture) -> Observation {
    let captured: Vec<Value> = serde_json::from_str(capture.pods).expect("captured Pods");
    let pods: Vec<Pod> = captured
        .iter()
        .zip(capture.ips)
        .map(|(pod, ip)| to_pod(pod, ip, capture.started))
        .collect();
    let jobs: Vec<DashboardJob> = serde_json::from_str(capture.jobs).expect("captured jobs");
    let nodes = capture
        .ips
        .iter()
        .enumerate()
        .map(|(index, ip)| DashboardNode {
            ip: (*ip).to_owned(),
            state: "ALIVE".into(),
            is_head: index == 0,
            resources: BTreeMap::from([("CPU".to_owned(), 1.0), (format!("node:{ip}"), 1.0)]),
        });
    let now = time(NOW);
    let milestones = [
        Milestone::Running,
        Milestone::Ready,
        Milestone::RayReady,
        Milestone::Job,
    ];
    let mut observation = Observation {
        now,
        dashboard: Some(Dashboard {
            ray_version: None,
            jobs,
            nodes: nodes.collect(),
        }),
        milestones: milestones
            .into_iter()
            .map(|milestone| (milestone, now - 1.minute()))
            .collect(),
        seen: captured
            .iter()
            .map(|pod| (pod["pod"].as_str().unwrap().to_owned(), now - 2.minutes()))
            .collect(),
        pods,
        ..Observation::default()
    };
    set_log(&mut observation, false, capture.head_log);
    observation
}

/// The fields that were captured, as the Pod they were of.
fn to_pod(captured: &Value, ip: &str, started: &str) -> Pod {
    let container = &captured["container"];
    let running = |name: &Value| {
        json!({
            "name": name, "image": "rayproject/ray:2.52.0", "imageID": "", "ready": true, "restartCount": 0,
            "state": { "running": { "startedAt": started } },
        })
    };
    let ended = |init: &Value| {
        json!({
            "name": init["name"], "image": "", "imageID": "", "ready": true, "restartCount": 0,
            "state": { "terminated": { "exitCode": 0, "finishedAt": started } },
        })
    };
    let init = captured["initContainers"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    serde_json::from_value(json!({
        "metadata": {
            "name": captured["pod"], "uid": captured["pod"], "labels": captured["labels"],
            "creationTimestamp": started,
        },
        "spec": { "nodeName": "node", "containers": [container], "initContainers": init },
        "status": {
            "phase": "Running", "podIP": ip, "startTime": started,
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [running(&container["name"])],
            "initContainerStatuses": init.iter().map(ended).collect::<Vec<_>>(),
        },
    }))
    .expect("a Pod")
}

/// Replaces the Ray container's status of the first Pod, keeping its name; the Pod is then not
/// ready.
fn set_status(observation: &mut Observation, restarts: i32, state: &Value, last_state: &Value) {
    let status = observation.pods[0].status.as_mut().unwrap();
    status.conditions = None;
    let container = &mut status.container_statuses.as_mut().unwrap()[0];
    container.restart_count = restarts;
    container.state = Some(serde_json::from_value(state.clone()).unwrap());
    container.last_state = Some(serde_json::from_value(last_state.clone()).unwrap());
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "waiting": { "reason": reason, "message": message } })
}

fn exited(code: i32) -> Value {
    json!({ "terminated": { "exitCode": code, "reason": "Error", "finishedAt": "2026-11-23T06:59:00Z" } })
}

fn key(observation: &Observation, previous: bool) -> LogKey {
    let pod = observation.pods[0].metadata.name.clone().unwrap();
    LogKey {
        pod,
        container: "ray-head".into(),
        previous,
    }
}

/// Gives the head's Ray container this log, read whole a moment ago.
fn set_log(observation: &mut Observation, previous: bool, text: &str) {
    let lines = text.lines().map(str::to_owned).collect();
    let log = Log {
        lines,
        complete_as_of: Some(observation.now),
        ended: previous,
    };
    observation.logs.insert(key(observation, previous), log);
}

/// Adds an event about the first Pod.
fn pod_event(observation: &mut Observation, reason: &str, message: &str, count: i32) {
    let pod = &observation.pods[0].metadata;
    let event = event("Pod", pod.name.as_deref().unwrap(), reason, message, count);
    observation.events.push(event);
}

fn event(kind: &str, name: &str, reason: &str, message: &str, count: i32) -> Event {
    let warning = !["Started", "Created", "Pulled"].contains(&reason);
    let field = (kind == "Pod").then_some("spec.containers{ray-head}");
    serde_json::from_value(json!({
        "metadata": {}, "type": if warning { "Warning" } else { "Normal" }, "reason": reason, "message": message,
        "count": count, "firstTimestamp": NOW, "involvedObject": { "kind": kind, "name": name, "fieldPath": field },
    }))
    .expect("an event")
}

/// Reads a check as it stands in a scenario file.
fn check(value: Value) -> Check {
    serde_json::from_value(value).expect("a check")
}

/// Snapshots that hold one value for each field.
struct Snapshots(Vec<(PodField, Value)>);

impl Expectations for Snapshots {
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        let file = format!("{:?}.{:?}", subject.role, subject.field).to_lowercase();
        let body = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        match self.0.iter().find(|(field, _)| *field == subject.field) {
            None => Comparison::Missing {
                found: body(found),
                file,
            },
            Some((_, expected)) if expected == found => Comparison::Equal {
                body: body(found),
                file,
            },
            Some((_, expected)) => {
                let diff = format!("-{}\n+{}", body(expected), body(found));
                Comparison::Different {
                    expected: body(expected),
                    found: body(found),
                    diff,
                    file,
                    unrecorded: None,
                }
            }
        }
    }
}

fn judge(check: &Check, observation: &Observation) -> Verdict {
    evaluate(check, observation, &Snapshots(vec![]))
}

#[track_caller]
fn passes(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Pass(finding) => finding,
        other => panic!("should pass: {other:#?}"),
    }
}

#[track_caller]
fn waits(verdict: Verdict, message: &str) -> Finding {
    match verdict {
        Verdict::NotYet(finding) if finding.message.contains(message) => finding,
        other => panic!("should wait with {message:?}: {other:#?}"),
    }
}

#[track_caller]
fn fails(verdict: Verdict, message: &str) -> Finding {
    match verdict {
        Verdict::Never(finding) if finding.message.contains(message) => finding,
        other => panic!("should fail with {message:?}: {other:#?}"),
    }
}

fn is_new(verdict: Verdict, message: &str) -> Finding {
    match verdict {
        Verdict::New(finding) if finding.message.contains(message) => finding,
        other => panic!("should be new with {message:?}: {other:#?}"),
    }
}

#[test]
fn milestones_are_those_that_hold_now() {
    let none = Snapshots(vec![]);
    let ray = check(json!({ "ray": { "nodes": 2 } }));
    let job = check(json!({ "job": { "entrypoint": ENTRYPOINT, "status": "SUCCEEDED" } }));
    let observation = observe(&SOLUTION_1);
    let all = [
        Milestone::Running,
        Milestone::Ready,
        Milestone::RayReady,
        Milestone::Job,
    ];
    assert_eq!(
        milestones(std::slice::from_ref(&job), &observation, &none),
        all
    );
    // Without a job check there is no such milestone; with a `ray` check, that check decides.
    assert_eq!(milestones(&[], &observation, &none), all[..3]);
    assert_eq!(
        milestones(&[ray, job], &observation, &none),
        [Milestone::Running, Milestone::Ready, Milestone::Job]
    );
    assert_eq!(milestones(&[], &Observation::default(), &none), []);
    // The Pod of an old release is ready long before Ray is.
    let early = Observation {
        dashboard: None,
        ..observe(&OLD_SOLUTION_1)
    };
    assert_eq!(milestones(&[], &early, &none), all[..2]);
}

#[test]
fn ray_must_list_just_the_nodes() {
    let ray = |nodes: usize| check(json!({ "ray": { "nodes": nodes } }));
    passes(judge(&ray(1), &observe(&SOLUTION_1)));
    passes(judge(&ray(2), &observe(&OVERWRITE)));
    waits(
        judge(&ray(1), &observe(&OVERWRITE)),
        "waits for the head alive and no other node; Ray lists 2 alive of 2",
    );
    let mut observation = observe(&OVERWRITE);
    observation.dashboard.as_mut().unwrap().nodes[1].state = "DEAD".into();
    let finding = waits(
        judge(&ray(2), &observation),
        "waits for 2 nodes alive, the head among them; Ray lists 1 alive of 2",
    );
    assert_eq!(
        finding.found.unwrap(),
        "head 10.244.0.9 ALIVE\nworker 10.244.0.10 DEAD"
    );
    observation.dashboard.as_mut().unwrap().nodes[0].is_head = false;
    waits(judge(&ray(1), &observation), "and no head");
    observation.dashboard = None;
    waits(
        judge(&ray(2), &observation),
        "the dashboard has not answered; container ray-head of Pod raycluster-overwrite",
    );
    waits(
        judge(&ray(2), &Observation::default()),
        "the dashboard has not answered: no head Pod yet; no RayCluster exists",
    );
}

#[test]
fn the_resources_of_all_nodes_are_added() {
    let ray = |resources: Value| check(json!({ "ray": { "nodes": 2, "resources": resources } }));
    let mut observation = observe(&OVERWRITE);
    let finding = passes(judge(
        &ray(json!({ "CPU": 2, "node:<pod-ip>": 1 })),
        &observation,
    ));
    assert_eq!(
        finding.found.unwrap(),
        "{CPU: 2, node:10.244.0.10: 1, node:10.244.0.9: 1}"
    );
    fails(
        judge(&ray(json!({ "CPU": 1 })), &observation),
        "the resources of all nodes together differ: expected CPU: 1; found CPU: 2",
    );
    fails(
        judge(&ray(json!({ "GPU": "present" })), &observation),
        "expected GPU: present, above 0; found no GPU",
    );
    let nodes = &mut observation.dashboard.as_mut().unwrap().nodes;
    nodes[0].resources.insert("objectStoreMemory".into(), 1e9);
    passes(judge(
        &ray(json!({ "object_store_memory": "1G" })),
        &observation,
    ));
    let nodes = &mut observation.dashboard.as_mut().unwrap().nodes;
    nodes[0].resources.remove("objectStoreMemory");
    nodes[0].resources.insert("object_store_memory".into(), 2e9);
    passes(judge(
        &ray(json!({ "object_store_memory": "2G" })),
        &observation,
    ));
    let nodes = &mut observation.dashboard.as_mut().unwrap().nodes;
    nodes[1].resources.clear();
    waits(
        judge(&ray(json!({ "CPU": 2 })), &observation),
        "waits for Ray to report the resources of every node",
    );
    // What a node had that is dead does not count.
    let nodes = &mut observation.dashboard.as_mut().unwrap().nodes;
    nodes[1].state = "DEAD".into();
    let alone = check(json!({ "ray": { "nodes": 1, "resources": { "CPU": 1 } } }));
    passes(judge(&alone, &observation));
    waits(
        judge(&ray(json!({ "CPU": 1 })), &observation),
        "Ray lists 1 alive of 2",
    );
}
