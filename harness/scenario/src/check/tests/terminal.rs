use assertables::{assert_contains, assert_starts_with};
use rstest::rstest;

use super::*;

const NOT_FOUND: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \
                         \"docker.io/rayproject/ray:none\": docker.io/rayproject/ray:none: not found";
const NO_REGISTRY: &str = "failed to do request: Head \"https://registry-1.docker.io/v2/rayproject/ray/manifests/none\": \
                           dial tcp: lookup registry-1.docker.io: i/o timeout";

/// Checks as a scenario has them that expects all to go well.
fn sound() -> Vec<Check> {
    vec![
        check(json!({ "pod": { "role": "head", "snapshot": ["command"] } })),
        check(json!({ "logs": { "role": "head", "lines": [{ "must": "first" }] } })),
        check(json!({ "job": { "entrypoint": ENTRYPOINT, "status": "SUCCEEDED" } })),
        check(
            json!({ "never": { "for": "10s", "after": "ready", "restarts": { "role": "head" } } }),
        ),
        check(json!({ "state": { "role": "head", "running": true } })),
        check(json!({ "state": { "role": "worker", "exitCode": 3 } })),
    ]
}

#[track_caller]
fn cause(observation: &Observation) -> Finding {
    terminal(&sound(), observation).expect("should be terminal")
}

#[track_caller]
fn goes_on(observation: &Observation) {
    assert_eq!(terminal(&sound(), observation), None);
}

/// The head with its Ray container in a state.
fn head(restarts: i32, now: &Value, before: &Value) -> Observation {
    let mut observation = observe(&POST_START);
    observation.logs.clear();
    set_status(&mut observation, restarts, now, before);
    observation
}

#[rstest]
#[case(&SOLUTION_1)]
#[case(&POST_START)]
#[case(&OVERWRITE)]
#[case(&OLD_SOLUTION_1)]
#[case(&OLD_POST_START)]
fn clusters_that_do_well_go_on(#[case] capture: &Capture) {
    goes_on(&observe(capture));
    goes_on(&Observation::default());
}

#[test]
fn a_refused_object() {
    let mut observation = Observation::default();
    let (object, message) = (
        "RayCluster a".to_owned(),
        "Invalid: spec.headGroupSpec: Required value.".to_owned(),
    );
    observation.rejections.push(Rejection { object, message });
    assert_eq!(
        cause(&observation).message,
        "the API server refused RayCluster a: Invalid: spec.headGroupSpec: Required value; correct the manifest"
    );
    let expected = check(json!({ "rejected": { "by": "api", "message": "Required" } }));
    assert_eq!(terminal(&[expected], &observation), None);
    let other = check(json!({ "rejected": { "by": "operator", "message": "Required" } }));
    assert!(terminal(&[other], &observation).is_some());
}

#[test]
fn a_rejection_is_only_expected_by_a_check_that_names_its_reason() {
    let rejection = |object: &str, message: &str| Rejection {
        object: object.into(),
        message: message.into(),
    };
    let checks = [check(
        json!({ "rejected": { "by": "api", "message": "Required" } }),
    )];
    let mut observation = Observation {
        rejections: vec![rejection(
            "RayCluster a",
            "Invalid: spec.headGroupSpec: Required value",
        )],
        ..Observation::default()
    };
    assert_eq!(terminal(&checks, &observation), None);
    observation.rejections.push(rejection(
        "ConfigMap b",
        "Invalid: data[x y]: Invalid value",
    ));
    let finding = terminal(&checks, &observation).expect("the second is not expected");
    assert_eq!(
        finding.message,
        "the API server refused ConfigMap b: Invalid: data[x y]: Invalid value; correct the manifest"
    );
}

#[rstest]
#[case::at_once("ErrImagePull", NOT_FOUND, 0, Some("was not found in its registry"))]
#[case::later(
    "ImagePullBackOff",
    NOT_FOUND,
    3,
    Some("was not found in its registry")
)]
#[case::by_event("ImagePullBackOff", "Back-off pulling image", 1, None)]
#[case::one_pull_error("ErrImagePull", NO_REGISTRY, 1, None)]
#[case::two_pull_errors(
    "ImagePullBackOff",
    NO_REGISTRY,
    2,
    Some("can't be pulled, 2 times so far")
)]
#[case::wrong_name(
    "InvalidImageName",
    "couldn't parse image name",
    0,
    Some("is not the name of an image")
)]
#[case::never_pulled(
    "ErrImageNeverPull",
    "is not present with pull policy of Never",
    0,
    Some("imagePullPolicy is Never")
)]
#[case::on_its_way("ContainerCreating", "", 0, None)]
fn images(
    #[case] reason: &str,
    #[case] said: &str,
    #[case] failures: i32,
    #[case] message: Option<&str>,
) {
    let mut observation = head(0, &waiting(reason, said), &json!({}));
    if failures > 0 {
        pod_event(
            &mut observation,
            "Failed",
            &format!("Failed to pull image \"x\": {NO_REGISTRY}"),
            failures,
        );
        pod_event(&mut observation, "Failed", "Error: ErrImagePull", failures);
    }
    let Some(message) = message else {
        return goes_on(&observation);
    };
    let finding = cause(&observation);
    assert!(finding.message.contains(message), "{}", finding.message);
    assert_contains!(
        finding.message,
        "container ray-head of Pod raycluster-head-command-head-6kh8l"
    );
    assert_contains!(finding.found.unwrap(), said);
    let expected = check(json!({ "state": { "role": "head", "waiting": reason } }));
    assert_eq!(terminal(&[expected], &observation), None);
    let of_a_worker = check(json!({ "state": { "role": "worker", "waiting": reason } }));
    assert!(terminal(&[of_a_worker], &observation).is_some());
}

#[test]
fn the_two_words_for_a_pull_that_failed_are_one() {
    let observation = head(0, &waiting("ErrImagePull", NOT_FOUND), &json!({}));
    let expected = check(json!({ "state": { "role": "head", "waiting": "ImagePullBackOff" } }));
    assert_eq!(terminal(&[expected], &observation), None);
}

#[rstest]
#[case("CreateContainerConfigError", 1, None)]
#[case(
    "CreateContainerConfigError",
    2,
    Some("(CreateContainerConfigError): secret \"a\" not found; apply the ConfigMap or Secret")
)]
#[case(
    "CreateContainerError",
    2,
    Some("can't be created (CreateContainerError): secret \"a\" not found")
)]
fn containers_that_cannot_be_made(
    #[case] reason: &str,
    #[case] times: i32,
    #[case] message: Option<&str>,
) {
    let mut observation = head(0, &waiting(reason, "secret \"a\" not found"), &json!({}));
    pod_event(
        &mut observation,
        "Failed",
        "Error: secret \"a\" not found",
        times,
    );
    match message {
        Some(message) => assert_contains!(cause(&observation).message, message),
        None => goes_on(&observation),
    }
}

#[rstest]
#[case::now(0, exited(2), json!({}), "container ray-head of Pod raycluster-head-command-head-6kh8l exited 2")]
#[case::crash_loop(1, waiting("CrashLoopBackOff", ""), exited(3), "exited 3")]
#[case::runs_again(1, json!({ "running": {} }), exited(1), "exited 1")]
#[case::without_error(0, exited(0), json!({}), "exited 0, without an error, but it should go on running")]
#[case::not_found(
    0,
    exited(127),
    json!({}),
    "exited 127: what it should run was not found; check the command, the image and PATH"
)]
#[case::not_executable(0, exited(126), json!({}), "exited 126: what it should run is not executable")]
#[case::killed(0, exited(137), json!({}), "exited 137: it was killed")]
fn containers_that_ended(
    #[case] restarts: i32,
    #[case] now: Value,
    #[case] before: Value,
    #[case] message: &str,
) {
    let mut observation = head(restarts, &now, &before);
    let keys = terminal_logs(&observation);
    assert_eq!(keys, [key(&observation, now.get("terminated").is_none())]);
    let finding = cause(&observation);
    assert!(finding.message.ends_with(message), "{}", finding.message);
    set_log(
        &mut observation,
        keys[0].previous,
        "a\n/bin/bash: line 1: syntax error near unexpected token `&&'",
    );
    let finding = cause(&observation);
    let line = "; its last line: \"/bin/bash: line 1: syntax error near unexpected token `&&'\"";
    assert!(finding.message.contains(message), "{}", finding.message);
    assert!(finding.message.ends_with(line), "{}", finding.message);
    assert_starts_with!(finding.found.unwrap(), "    1 | a\n    2 | /bin/bash");
    for expected in [
        json!({ "state": { "role": "head", "exitCode": 9 } }),
        json!({ "state": { "role": "head", "waiting": "CrashLoopBackOff" } }),
        json!({ "event": { "reason": "BackOff" } }),
        json!({ "state": { "role": "head", "reason": "Completed" } }),
        json!({ "state": { "role": "head", "restarts": 1 } }),
        json!({ "logs": { "role": "head", "previous": true, "lines": [] } }),
        json!({ "logs": { "role": "head", "after": ["ended"], "lines": [] } }),
    ] {
        assert_eq!(terminal(&[check(expected)], &observation), None);
    }
    for of_another in [
        json!({ "event": { "reason": "Killing" } }),
        json!({ "state": { "role": "worker", "restarts": 1 } }),
        json!({ "state": { "role": "head", "container": "sidecar", "reason": "Completed" } }),
        json!({ "logs": { "role": "worker", "after": ["ended"], "lines": [] } }),
        json!({ "logs": { "role": "head", "after": ["ready"], "lines": [] } }),
    ] {
        assert!(terminal(&[check(of_another)], &observation).is_some());
    }
}

#[test]
fn a_pod_that_is_deleted_ends_by_intention() {
    let mut observation = head(0, &exited(143), &json!({}));
    observation.pods[0].metadata.deletion_timestamp =
        observation.pods[0].metadata.creation_timestamp.clone();
    goes_on(&observation);
}

#[test]
fn a_container_that_used_too_much_memory() {
    let end = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let message = cause(&head(1, &json!({ "running": {} }), &end)).message;
    assert!(
        message.contains("more memory than its limit (5Gi) (OOMKilled); raise the limit"),
        "{message}"
    );
}

#[test]
fn a_container_that_could_not_start_says_why() {
    let said = "exec: \"/bin/nosh\": stat /bin/nosh: no such file or directory";
    let end = json!({ "terminated": { "exitCode": 128, "reason": "StartError", "message": said } });
    let message = cause(&head(0, &end, &json!({}))).message;
    assert!(
        message.ends_with(&format!("exited 128; {said}")),
        "{message}"
    );
}

#[test]
fn a_hook_that_failed_is_the_cause_of_the_exit() {
    let mut observation = head(1, &waiting("CrashLoopBackOff", ""), &exited(137));
    pod_event(
        &mut observation,
        "FailedPostStartHook",
        "PostStartHook failed",
        1,
    );
    let message = cause(&observation).message;
    assert!(
        message.starts_with(
            "the postStart hook (/bin/sh -c /home/ray/samples/ray_cluster_resources.sh) of container ray-head"
        ),
        "{message}"
    );
    set_log(&mut observation, true, "waiting for Ray");
    let found = cause(&observation).found.expect("the last lines");
    assert_contains!(found, "waiting for Ray");
    for expected in [
        json!({ "event": { "reason": "FailedPostStartHook" } }),
        json!({ "state": { "role": "head", "waiting": "CrashLoopBackOff" } }),
    ] {
        assert_eq!(terminal(&[check(expected)], &observation), None);
    }
    // The event of a Pod of the same name before it does not count.
    observation.events[0].involved_object.uid = Some("another".into());
    assert_contains!(cause(&observation).message, "exited 137");
}

#[rstest]
#[case(
    "cpu",
    "64",
    Some("requests cpu 64 but the largest node has 2; lower its requests")
)]
#[case(
    "memory",
    "1Ti",
    Some("requests memory 1024.0Gi but the largest node has 8.0Gi")
)]
#[case("cpu", "2", None)]
#[case("memory", "8Gi", None)]
fn pods_larger_than_every_node(
    #[case] resource: &str,
    #[case] amount: &str,
    #[case] message: Option<&str>,
) {
    let mut observation = observe(&SOLUTION_1);
    observation.largest_node = Some((2.0, 8.0 * 1024f64.powi(3)));
    let spec = observation.pods[0].spec.as_mut().unwrap();
    spec.containers[0].resources =
        Some(serde_json::from_value(json!({ "requests": { resource: amount } })).unwrap());
    goes_on(&observation);
    observation.pods[0].spec.as_mut().unwrap().node_name = None;
    let status = observation.pods[0].status.as_mut().unwrap();
    let said = "0/1 nodes are available: 1 Insufficient";
    let scheduled = json!({ "type": "PodScheduled", "status": "False", "message": said });
    status.conditions = Some(vec![serde_json::from_value(scheduled).unwrap()]);
    match message {
        Some(message) => {
            let finding = cause(&observation);
            assert_contains!(finding.message, message);
            assert_eq!(
                finding.found.as_deref(),
                Some(said),
                "the scheduler's words"
            );
        }
        None => goes_on(&observation),
    }
    let expected = check(json!({ "event": { "reason": "FailedScheduling" } }));
    assert_eq!(terminal(&[expected], &observation), None);
    observation.largest_node = None;
    goes_on(&observation);
}

#[test]
fn init_containers_count_at_their_largest() {
    let mut observation = observe(&SOLUTION_1);
    observation.largest_node = Some((2.0, 1e12));
    let container = |name: &str, cpu: &str, restart: Option<&str>| json!({ "name": name, "restartPolicy": restart, "resources": { "requests": { "cpu": cpu } } });
    let mut set = |init: Value, cpu: &str| {
        let spec =
            json!({ "initContainers": init, "containers": [container("ray-head", cpu, None)] });
        observation.pods[0].spec = Some(serde_json::from_value(spec).unwrap());
        observation.clone()
    };
    goes_on(&set(
        json!([container("a", "2", None), container("b", "2", None)]),
        "2",
    ));
    assert_contains!(
        cause(&set(json!([container("a", "3", None)]), "1")).message,
        "cpu 3 "
    );
    assert_contains!(
        cause(&set(json!([container("a", "500m", Some("Always"))]), "2")).message,
        "cpu 2.5 "
    );
    assert_contains!(
        cause(&set(
            json!([
                container("a", "500m", Some("Always")),
                container("b", "2", None)
            ]),
            "1"
        ))
        .message,
        "cpu 2.5 ",
        "one that stays is beside the next"
    );
    let mut observation = set(json!([]), "2");
    let overhead = json!({ "cpu": "250m" });
    observation.pods[0].spec.as_mut().unwrap().overhead =
        Some(serde_json::from_value(overhead).unwrap());
    assert_contains!(cause(&observation).message, "cpu 2.25 ");
}

#[test]
fn containers_beside_ray_may_crash_at_first() {
    let mut observation = observe(&OVERWRITE);
    let status = observation.pods[0]
        .status
        .as_mut()
        .unwrap()
        .container_statuses
        .as_mut()
        .unwrap();
    let mut side = status[0].clone();
    side.name = "autoscaler".into();
    side.state = Some(serde_json::from_value(waiting("CrashLoopBackOff", "")).unwrap());
    side.last_state = Some(serde_json::from_value(exited(1)).unwrap());
    side.restart_count = 2;
    status.push(side);
    goes_on(&observation);
    let status = observation.pods[0]
        .status
        .as_mut()
        .unwrap()
        .container_statuses
        .as_mut()
        .unwrap();
    status[1].restart_count = 3;
    assert_contains!(
        cause(&observation).message,
        "container autoscaler of Pod raycluster-overwrite-cmd-head-kpt26 exited 1"
    );
}

/// The Pod of a worker, whose init container waits for the head.
fn with_init(restarts: i32, now: &Value, before: &Value) -> Observation {
    let mut observation = observe(&OVERWRITE);
    observation.logs.clear();
    let spec = observation.pods[1].spec.as_ref().unwrap();
    let name = spec.init_containers.as_ref().unwrap()[0].name.clone();
    let status = observation.pods[1].status.as_mut().unwrap();
    status.container_statuses = None;
    let init = &mut status.init_container_statuses.as_mut().unwrap()[0];
    assert_eq!(init.name, name);
    init.restart_count = restarts;
    init.state = Some(serde_json::from_value(now.clone()).unwrap());
    init.last_state = Some(serde_json::from_value(before.clone()).unwrap());
    observation
}

#[rstest]
#[case::has_ended(0, exited(0), json!({}), false)]
#[case::ends_for_the_first_time(0, exited(1), json!({}), false)]
#[case::runs_again(1, json!({ "running": {} }), exited(1), true)]
#[case::runs_again_without_error(1, json!({ "running": {} }), exited(0), false)]
#[case::crash_loop(0, waiting("CrashLoopBackOff", ""), exited(1), true)]
#[case::crash_loop_without_error(0, waiting("CrashLoopBackOff", ""), exited(0), false)]
fn init_containers_that_end_with_an_error_again(
    #[case] restarts: i32,
    #[case] now: Value,
    #[case] before: Value,
    #[case] is_terminal: bool,
) {
    let observation = with_init(restarts, &now, &before);
    if is_terminal {
        assert_contains!(cause(&observation).message, "exited 1");
    } else {
        goes_on(&observation);
    }
    // One that stays beside the others is no such container.
    let mut beside = observation.clone();
    let spec = beside.pods[1].spec.as_mut().unwrap();
    spec.init_containers.as_mut().unwrap()[0].restart_policy = Some("Always".into());
    goes_on(&beside);
}

#[test]
fn a_first_instance_that_runs_has_not_ended() {
    goes_on(&head(0, &json!({ "running": {} }), &exited(1)));
}

#[test]
fn only_a_rejection_that_no_check_expects_is_unexpected() {
    let expected = [check(
        json!({ "rejected": { "by": "api", "message": "Required" } }),
    )];
    let mut observation = head(0, &exited(2), &json!({}));
    assert_eq!(
        unexpected_rejection(&expected, &observation),
        None,
        "a container that ended is no rejection"
    );
    observation.rejections.push(Rejection {
        object: "RayCluster a".into(),
        message: "Invalid: spec.headGroupSpec: Required value".into(),
    });
    assert_eq!(unexpected_rejection(&expected, &observation), None);
    let finding = unexpected_rejection(&[], &observation).expect("nobody expects it");
    assert_contains!(finding.message, "the API server refused RayCluster a");
}
