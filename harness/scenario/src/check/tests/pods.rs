use assertables::assert_contains;
use rstest::rstest;

use super::*;

const ARGS: &str = " (/home/ray/samples/ray_cluster_resources.sh&)  && ulimit -n 65536; ray start --head  --block  \
                    --dashboard-agent-listen-port=52365  --dashboard-host=0.0.0.0  --memory=5368709120  \
                    --metrics-export-port=8080  --num-cpus=1 ";

fn snapshots(args: &str) -> Snapshots {
    Snapshots(vec![
        (PodField::Command, json!(["/bin/bash", "-c", "--"])),
        (PodField::Args, json!([args])),
    ])
}

fn command_and_args() -> Check {
    check(json!({ "pod": { "role": "head", "snapshot": ["command", "args"] } }))
}

#[test]
fn a_pod_as_in_its_snapshots_passes() {
    let finding = passes(evaluate(
        &command_and_args(),
        &observe(&SOLUTION_1),
        &snapshots(ARGS),
    ));
    assert!(
        finding
            .message
            .ends_with("command equals head.command; args equals head.args"),
        "{}",
        finding.message
    );
    assert_contains!(finding.found.unwrap(), "--num-cpus=1 ");
}

#[rstest]
#[case::last_space(ARGS.trim_end())]
#[case::first_space(ARGS.trim_start())]
#[case::one_space_within(&ARGS.replace("--head  --block", "--head --block"))]
fn one_space_fails_at_once(#[case] expected: &str) {
    let verdict = evaluate(
        &command_and_args(),
        &observe(&SOLUTION_1),
        &snapshots(expected),
    );
    let finding = fails(
        verdict,
        "head Pod raycluster-head-command-head-r4jlx: args differs from head.args",
    );
    assert!(finding.diff.is_some());
    assert!(finding.expected.is_some());
    assert!(finding.found.is_some());
}

#[test]
fn another_command_fails() {
    let snapshots = Snapshots(vec![(PodField::Command, json!(["/bin/bash", "-lc", "--"]))]);
    let check = check(json!({ "pod": { "role": "head", "snapshot": ["command"] } }));
    fails(
        evaluate(&check, &observe(&SOLUTION_1), &snapshots),
        "command differs from head.command",
    );
    passes(evaluate(&check, &observe(&OLD_SOLUTION_1), &snapshots));
}

#[test]
fn a_missing_snapshot_is_new_with_what_was_found() {
    let verdict = evaluate(
        &command_and_args(),
        &observe(&SOLUTION_1),
        &Snapshots(vec![]),
    );
    let finding = is_new(
        verdict,
        "no snapshot head.command for command; no snapshot head.args for args",
    );
    assert_contains!(finding.found.unwrap(), "\"/bin/bash\"");
}

#[test]
fn a_difference_fails_although_something_is_new() {
    let snapshots = Snapshots(vec![(PodField::Command, json!(["/bin/bash", "-lc", "--"]))]);
    let finding = fails(
        evaluate(&command_and_args(), &observe(&SOLUTION_1), &snapshots),
        "command differs from head.command; no snapshot head.args for args",
    );
    assert_contains!(finding.found.unwrap(), "ulimit");
}

#[test]
fn a_value_that_moved_from_args_to_command_is_said_to_have_moved() {
    // Until 1.3, `-lc` would be the first of the args; this operator has it in the command.
    let snapshots = Snapshots(vec![
        (PodField::Command, json!(["/bin/bash", "--"])),
        (PodField::Args, json!(["-c", ARGS])),
    ]);
    let verdict = evaluate(&command_and_args(), &observe(&SOLUTION_1), &snapshots);
    fails(verdict, "\"-c\" moved from args to command");
}

#[test]
fn a_pod_that_does_not_exist_is_waited_for() {
    let mut observation = Observation::default();
    waits(
        judge(&command_and_args(), &observation),
        "no head Pod yet; no RayCluster exists",
    );
    observation.ray_clusters.push(json!({}));
    waits(
        judge(&command_and_args(), &observation),
        "the operator has sent no event about the RayCluster",
    );
    observation.events.push(event(
        "RayCluster",
        "a",
        "FailedToCreateHeadPod",
        "quota",
        1,
    ));
    waits(
        judge(&command_and_args(), &observation),
        "last event of RayCluster a: FailedToCreateHeadPod: quota",
    );
    let worker =
        check(json!({ "pod": { "role": "worker", "group": "large", "snapshot": ["args"] } }));
    waits(
        judge(&worker, &observe(&OVERWRITE)),
        "no worker Pod of group large yet",
    );
}

#[rstest]
#[case(PodField::Lifecycle, json!({ "postStart": { "exec": { "command":
    ["/bin/sh", "-c", "/home/ray/samples/ray_cluster_resources.sh"] } } }))]
#[case(PodField::Containers, json!(["ray-head"]))]
#[case(PodField::InitContainers, json!([]))]
fn other_fields_of_the_head(#[case] field: PodField, #[case] expected: Value) {
    let check = check(json!({ "pod": { "role": "head", "snapshot": [field] } }));
    passes(evaluate(
        &check,
        &observe(&POST_START),
        &Snapshots(vec![(field, expected)]),
    ));
}

#[test]
fn absent_fields_are_null() {
    let null = Snapshots(vec![
        (PodField::Lifecycle, Value::Null),
        (
            PodField::Probes,
            json!({ "readinessProbe": null, "livenessProbe": null, "startupProbe": null }),
        ),
    ]);
    let check = check(json!({ "pod": { "role": "head", "snapshot": ["lifecycle", "probes"] } }));
    passes(evaluate(&check, &observe(&OLD_SOLUTION_1), &null));
    fails(
        evaluate(&check, &observe(&SOLUTION_1), &null),
        "probes differs",
    );
    fails(
        evaluate(&check, &observe(&OLD_POST_START), &null),
        "lifecycle differs",
    );
}

#[test]
fn env_keeps_its_order_and_init_containers_their_arguments() {
    let captured: Value = serde_json::from_str(OVERWRITE.pods).unwrap();
    let worker = &captured[1];
    let init = &worker["initContainers"][0];
    let snapshots = Snapshots(vec![
        (PodField::Env, worker["container"]["env"].clone()),
        (
            PodField::InitContainers,
            json!([{ "name": init["name"], "command": init["command"], "args": init["args"] }]),
        ),
    ]);
    let check =
        check(json!({ "pod": { "role": "worker", "snapshot": ["env", "initContainers"] } }));
    passes(evaluate(&check, &observe(&OVERWRITE), &snapshots));
    let mut swapped = worker["container"]["env"].clone();
    swapped.as_array_mut().unwrap().swap(0, 1);
    fails(
        evaluate(
            &check,
            &observe(&OVERWRITE),
            &Snapshots(vec![(PodField::Env, swapped)]),
        ),
        "env differs",
    );
}

#[test]
fn only_a_value_that_another_field_gained_is_said_to_have_moved() {
    // `-x` is lost and comes back nowhere, while the args gain a line.
    let snapshots = Snapshots(vec![
        (PodField::Command, json!(["/bin/bash", "-c", "--", "-x"])),
        (PodField::Args, json!([])),
    ]);
    let finding = fails(
        evaluate(&command_and_args(), &observe(&SOLUTION_1), &snapshots),
        "command differs from head.command; args differs from head.args",
    );
    assert!(!finding.message.contains("moved"), "{}", finding.message);
}

/// Differs everywhere, from a file that nobody recorded on this release.
struct Unrecorded;

impl Expectations for Unrecorded {
    fn compare(&self, _subject: &Subject, _found: &Value) -> Comparison {
        Comparison::Different {
            expected: String::new(),
            found: String::new(),
            diff: String::new(),
            file: "x".into(),
            unrecorded: Some("not recorded on this release".into()),
        }
    }
}

#[test]
fn a_note_about_several_fields_is_told_once() {
    let verdict = evaluate(&command_and_args(), &observe(&SOLUTION_1), &Unrecorded);
    let finding = fails(verdict, "not recorded on this release");
    let notes = finding.message.matches("not recorded on this release");
    assert_eq!(notes.count(), 1, "{}", finding.message);
}

#[test]
fn a_pod_being_deleted_gives_way_to_its_successor() {
    let mut observation = observe(&SOLUTION_1);
    let mut old = observation.pods[0].clone();
    old.metadata.name = Some("old".into());
    old.metadata.deletion_timestamp = old.metadata.creation_timestamp.clone();
    observation.pods.insert(0, old);
    passes(evaluate(
        &command_and_args(),
        &observation,
        &snapshots(ARGS),
    ));
    is_new(
        judge(&command_and_args(), &observation),
        "head Pod raycluster-head-command-head-r4jlx",
    );
}

/// The head of the sample with an init container and a container beside Ray.
fn with_others() -> Observation {
    let mut observation = observe(&SOLUTION_1);
    let spec = observation.pods[0].spec.as_mut().unwrap();
    let container = |name: &str| -> k8s_openapi::api::core::v1::Container {
        serde_json::from_value(
            json!({"name": name, "command": [name], "resources": {"limits": {"cpu": "1"}}}),
        )
        .unwrap()
    };
    spec.containers.push(container("autoscaler"));
    spec.init_containers = Some(vec![container("first")]);
    observation
}

/// Compares with nothing, and tells of what it was asked.
struct RecordedSubjects(std::cell::RefCell<Vec<(Subject, Value)>>);

impl Expectations for RecordedSubjects {
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        self.0.borrow_mut().push((subject.clone(), found.clone()));
        Comparison::Equal {
            body: String::new(),
            file: "x".into(),
        }
    }
}

#[rstest]
#[case("autoscaler")]
#[case("first")]
fn a_named_container_is_looked_at(#[case] name: &str) {
    let fields = ["command", "args", "env", "lifecycle", "probes", "resources"];
    let check = check(json!({ "pod": { "role": "head", "container": name, "snapshot": fields } }));
    let asked = RecordedSubjects(std::cell::RefCell::default());
    let finding = passes(evaluate(&check, &with_others(), &asked));
    assert!(
        finding
            .message
            .starts_with(&format!("container {name} of head Pod ")),
        "{}",
        finding.message
    );
    let asked = asked.0.into_inner();
    let containers: Vec<_> = asked
        .iter()
        .map(|(subject, _)| subject.container.as_deref())
        .collect();
    assert_eq!(containers, [Some(name); 6]);
    let values: Vec<&Value> = asked.iter().map(|(_, value)| value).collect();
    assert_eq!(*values[0], json!([name]));
    assert_eq!(*values[1], Value::Null);
    assert_eq!(values[5]["limits"]["cpu"], "1");
}

#[test]
fn a_container_that_is_not_there_fails_and_the_others_are_named() {
    let check = check(
        json!({ "pod": { "role": "head", "container": "autoscalr", "snapshot": ["command"] } }),
    );
    let verdict = evaluate(&check, &with_others(), &Snapshots(vec![]));
    let finding = fails(verdict, "has no container autoscalr");
    assert_eq!(finding.found.unwrap(), "first\nray-head\nautoscaler");
}

#[test]
fn a_submitter_is_what_the_job_of_a_rayjob_describes() {
    let check = check(json!({ "pod": { "role": "submitter", "snapshot": ["command"] } }));
    let job = |owner: &str| {
        serde_json::from_value(json!({
            "metadata": {"name": "j", "ownerReferences": [
                {"apiVersion": "v1", "kind": owner, "name": "x", "uid": "1"}
            ]},
            "spec": {"template": {"spec": {"containers": [
                {"name": "ray-job-submitter", "command": ["ray", "--submission-id x-b"]}
            ]}}},
        }))
        .unwrap()
    };
    let mut observation = observe(&SOLUTION_1);
    observation.jobs = vec![job("CronJob"), job("RayCluster")];
    waits(judge(&check, &observation), "no submitter Pod yet");
    observation.jobs.push(job("RayJob"));
    waits(judge(&check, &observation), "waits for the RayJob x");
    observation.ray_jobs =
        vec![json!({"metadata": {"name": "x", "uid": "1"}, "status": {"jobId": "x-b"}})];
    let asked = RecordedSubjects(std::cell::RefCell::default());
    passes(evaluate(&check, &observation, &asked));
    let (subject, value) = asked.0.into_inner().remove(0);
    assert_eq!(subject.role, Role::Submitter);
    assert_eq!(value, json!(["ray", "--submission-id x-<generated>"]));
}

#[test]
fn the_pod_that_runs_as_submitter_is_the_one_of_that_job() {
    let logs =
        check(json!({ "logs": { "role": "submitter", "lines": [{ "must": "succeeded" }] } }));
    let exits = check(json!({ "state": { "role": "submitter", "exitCode": 0 } }));
    let mut observation = observe(&SOLUTION_1);
    let job = json!({ "metadata": { "name": "j", "ownerReferences": [
        { "apiVersion": "v1", "kind": "RayJob", "name": "x", "uid": "1" }] } });
    observation.jobs.push(serde_json::from_value(job).unwrap());
    let pod = |name: &str, owner: &str, code: i32| -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": name, "ownerReferences": [
                { "apiVersion": "v1", "kind": "Job", "name": owner, "uid": "2" }] },
            "spec": { "containers": [{ "name": "ray-job-submitter" }] },
            "status": { "containerStatuses": [{ "name": "ray-job-submitter", "image": "", "imageID": "",
                "ready": false, "restartCount": 0, "state": { "terminated": { "exitCode": code } } }] },
        }))
        .unwrap()
    };
    observation.pods.push(pod("other", "another", 7));
    waits(judge(&exits, &observation), "no submitter Pod yet");
    assert_eq!(needed_logs(&logs, &observation), []);
    observation.pods.push(pod("mine", "j", 0));
    passes(judge(&exits, &observation));
    assert_eq!(needed_logs(&logs, &observation)[0].pod, "mine");
    waits(
        judge(&logs, &observation),
        "waits for the log of container ray-job-submitter of Pod mine",
    );
    let codes = check(json!({ "state": { "role": "submitter", "exitCode": 1 } }));
    fails(judge(&codes, &observation), "exited 0 instead of 1");
}

#[test]
fn pods_made_before_and_after_a_steps_are_told_apart() {
    let of = |created: &str| {
        check(json!({ "pod": { "role": "head", "created": created, "snapshot": ["args"] } }))
    };
    let args = |observation: &Observation, created: &str| {
        let asked = RecordedSubjects(std::cell::RefCell::default());
        passes(evaluate(&of(created), observation, &asked));
        asked.0.into_inner().remove(0).1
    };
    let mut observation = observe(&SOLUTION_1);
    for created in ["before", "after"] {
        waits(
            judge(&of(created), &observation),
            "the steps still wait for the Pods that they need",
        );
    }
    let uid = observation.pods[0].metadata.uid.clone().unwrap();
    observation.before_steps = Some([uid].into());
    for created in ["before", "after"] {
        let awaited = format!("created {created} the steps: no head Pod yet");
        waits(judge(&of(created), &observation), &awaited);
    }
    let mut newer = observation.pods[0].clone();
    newer.metadata.uid = Some("newer".into());
    newer.spec.as_mut().unwrap().containers[0].args = Some(vec!["new".into()]);
    observation.pods.push(newer);
    assert_eq!(args(&observation, "after"), json!(["new"]));
    assert_ne!(args(&observation, "before"), json!(["new"]));
    // One that is being deleted is neither.
    let mut ending = observation.clone();
    ending.pods[0].metadata.deletion_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(NOW)),
    );
    waits(
        judge(&of("before"), &ending),
        "created before the steps: no head Pod yet",
    );
    observation.pods[1].metadata.deletion_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(NOW)),
    );
    waits(
        judge(&of("after"), &observation),
        "created after the steps: no head Pod yet",
    );
}
