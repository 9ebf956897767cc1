use rstest::rstest;

use super::*;

fn state(fields: &Value) -> Check {
    let mut body = json!({ "role": "head" });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    check(json!({ "state": body }))
}

#[rstest]
#[case::exited_now(json!({ "exitCode": 3 }), exited(3), json!({}))]
#[case::exited_before(json!({ "exitCode": 3 }), waiting("CrashLoopBackOff", "back-off"), exited(3))]
#[case::both(json!({ "exitCode": 3, "waiting": "CrashLoopBackOff" }), waiting("CrashLoopBackOff", ""), exited(3))]
#[case::waits(json!({ "waiting": "ImagePullBackOff" }), waiting("ImagePullBackOff", ""), json!({}))]
#[case::runs(json!({ "running": true }), json!({ "running": {} }), json!({}))]
#[case::reason(json!({ "exitCode": 3, "reason": "Error" }), waiting("CrashLoopBackOff", ""), exited(3))]
#[case::reason_alone(json!({ "reason": "Error" }), exited(3), json!({}))]
#[case::restarts(json!({ "exitCode": 3, "restarts": 2 }), json!({ "running": {} }), exited(3))]
fn a_state_that_is_reached_passes(
    #[case] fields: Value,
    #[case] now: Value,
    #[case] before: Value,
) {
    let mut observation = observe(&SOLUTION_1);
    set_status(&mut observation, 2, &now, &before);
    passes(judge(&state(&fields), &observation));
}

#[rstest]
#[case(json!({ "exitCode": 3 }), json!({ "running": {} }), "waits for \"exited 3\"; container ray-head of Pod")]
#[case(json!({ "waiting": "CrashLoopBackOff" }), exited(3), "exited 3")]
#[case(json!({ "running": true }), waiting("ContainerCreating", ""), "waits (ContainerCreating)")]
#[case(json!({ "exitCode": 3, "waiting": "CrashLoopBackOff" }), exited(3), "waits for \"exited 3, waits (CrashLoopBackOff)\"")]
#[case(json!({ "exitCode": 3, "restarts": 1 }), exited(3), "waits for \"exited 3, restarted 1 times or more\"")]
#[case(json!({ "reason": "Completed" }), json!({ "running": {} }), "waits for \"ended (Completed)\"")]
fn a_state_that_is_not_reached_is_waited_for(
    #[case] fields: Value,
    #[case] now: Value,
    #[case] message: &str,
) {
    let mut observation = observe(&SOLUTION_1);
    set_status(&mut observation, 0, &now, &json!({}));
    waits(judge(&state(&fields), &observation), message);
}

#[test]
fn a_container_that_runs_need_not_be_ready() {
    let mut observation = observe(&SOLUTION_1);
    let ready = state(&json!({ "running": true, "ready": true }));
    passes(judge(&ready, &observation));
    let status = observation.pods[0].status.as_mut().unwrap();
    status.container_statuses.as_mut().unwrap()[0].ready = false;
    waits(
        judge(&ready, &observation),
        "waits for \"runs, is ready\"; container ray-head",
    );
    passes(judge(&state(&json!({ "running": true })), &observation));
}

#[test]
fn another_exit_code_fails() {
    let mut observation = observe(&SOLUTION_1);
    set_status(
        &mut observation,
        1,
        &waiting("CrashLoopBackOff", ""),
        &exited(2),
    );
    let finding = fails(
        judge(&state(&json!({ "exitCode": 3 })), &observation),
        "exited 2 instead of 3",
    );
    assert_eq!(
        finding.found.unwrap(),
        "waits (CrashLoopBackOff), exited 2 before, restarted once"
    );
}

#[rstest]
#[case(json!({ "exitCode": 2, "reason": "Completed" }), "exited 2 (Error) instead of 2 (Completed)")]
#[case(json!({ "reason": "OOMKilled" }), "exited 2 (Error) instead of (OOMKilled)")]
#[case(json!({ "exitCode": 0, "restarts": 5 }), "exited 2 instead of 0")]
fn another_end_fails_without_waiting_for_restarts(#[case] fields: Value, #[case] message: &str) {
    let mut observation = observe(&SOLUTION_1);
    set_status(&mut observation, 0, &exited(2), &json!({}));
    fails(judge(&state(&fields), &observation), message);
}

#[test]
fn init_containers_have_states_and_unknown_ones_fail() {
    let observation = observe(&OVERWRITE);
    let init = |name: &str| {
        check(json!({ "state": { "role": "worker", "container": name, "exitCode": 0 } }))
    };
    passes(judge(&init("wait-gcs-ready"), &observation));
    fails(
        judge(&init("wait"), &observation),
        "has no container wait; it has wait-gcs-ready, ray-worker",
    );
    waits(
        judge(&init("wait"), &Observation::default()),
        "no worker Pod yet",
    );
}

fn never(duration: &str) -> Check {
    check(json!({ "never": { "for": duration, "after": "ready", "restarts": { "role": "head" } } }))
}

#[test]
fn never_passes_only_when_the_time_is_over() {
    let mut observation = observe(&SOLUTION_1);
    passes(judge(&never("1m"), &observation));
    let finding = waits(
        judge(&never("90s"), &observation),
        "no restart of the head Pod so far; watches for 30.0 s more",
    );
    assert_eq!(
        finding.expected.unwrap(),
        "no restart of the head Pod for 90s after `ready`"
    );
    observation.milestones.clear();
    waits(
        judge(&never("1m"), &observation),
        "waits for the milestone `ready`; container ray-head",
    );
    waits(
        judge(&never("1m"), &Observation::default()),
        "waits for the milestone `ready`; no head Pod yet",
    );
    fails(
        judge(&never("soon"), &observation),
        "`for`: `soon` is not a length of time",
    );
}

#[test]
fn a_pod_that_becomes_ready_fails_at_any_time() {
    let ready = |duration: &str| {
        check(
            json!({ "never": { "for": duration, "after": "running", "ready": { "role": "head" } } }),
        )
    };
    let mut observation = observe(&SOLUTION_1);
    let finding = fails(
        judge(&ready("1m"), &observation),
        "Pod raycluster-head-command-head-r4jlx is ready",
    );
    assert_eq!(
        finding.expected.unwrap(),
        "the head Pod not ready for 1m after `running`"
    );
    observation.milestones.clear();
    fails(judge(&ready("1m"), &observation), "is ready");
    let mut observation = observe(&SOLUTION_1);
    set_status(&mut observation, 0, &json!({ "running": {} }), &json!({}));
    passes(judge(&ready("1m"), &observation));
    waits(
        judge(&ready("61s"), &observation),
        "the head Pod not ready so far; watches for 1.0 s more",
    );
    // As the kubelet says it of a Pod that is not ready.
    let not_ready = json!({ "type": "Ready", "status": "False" });
    let status = observation.pods[0].status.as_mut().unwrap();
    status.conditions = Some(vec![serde_json::from_value(not_ready).unwrap()]);
    passes(judge(&ready("1m"), &observation));
    let reached = milestones(&[], &observation, &Snapshots(Vec::new()));
    assert!(reached.contains(&Milestone::Running), "{reached:?}");
    assert!(!reached.contains(&Milestone::Ready), "{reached:?}");
    // A restart is not what it is about; a Pod that is gone is no longer watched.
    set_status(&mut observation, 3, &json!({ "running": {} }), &exited(1));
    passes(judge(&ready("1m"), &observation));
    observation.pods.clear();
    fails(
        judge(&ready("1m"), &observation),
        "the head Pod was deleted after `running` was reached",
    );
}

#[test]
fn never_needs_one_thing_to_watch() {
    for body in [
        json!({ "for": "1m", "after": "ready" }),
        json!({ "for": "1m", "after": "ready", "ready": { "role": "head" }, "restarts": { "role": "head" } }),
    ] {
        fails(
            judge(&check(json!({ "never": body })), &observe(&SOLUTION_1)),
            "`never` names exactly one of `restarts` and `ready`",
        );
    }
}

#[test]
fn never_may_be_about_one_group_of_workers() {
    let mut observation = observe(&OVERWRITE);
    let never = |what: &str, group: &str| {
        let body =
            json!({ "for": "1m", "after": "rayReady", what: { "role": "worker", "group": group } });
        check(json!({ "never": body }))
    };
    passes(judge(&never("restarts", "small-group"), &observation));
    fails(
        judge(&never("ready", "small-group"), &observation),
        "is ready",
    );
    observation.milestones.clear();
    waits(
        judge(&never("ready", "other"), &observation),
        "waits for the milestone `rayReady`; no worker Pod of group other yet",
    );
}

#[test]
fn a_restart_fails_even_before_the_milestone() {
    let mut observation = observe(&SOLUTION_1);
    set_status(&mut observation, 1, &json!({ "running": {} }), &exited(137));
    let finding = fails(
        judge(&never("1h"), &observation),
        "container ray-head of Pod raycluster-head-command-head-r4jlx restarted",
    );
    assert_eq!(
        finding.found.unwrap(),
        "runs, exited 137 before, restarted once"
    );
    observation.milestones.clear();
    fails(judge(&never("1h"), &observation), "restarted");
}

#[test]
fn a_pod_that_was_replaced_or_is_gone_fails() {
    let mut observation = observe(&SOLUTION_1);
    let later = observation.milestones[&Milestone::Ready] + 1.second();
    observation.pods[0].metadata.creation_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(later));
    let uid = observation.pods[0].metadata.uid.clone().unwrap();
    observation.seen.insert(uid, later);
    fails(
        judge(&never("1m"), &observation),
        "replaced by raycluster-head-command-head-r4jlx after `ready` was reached",
    );
    observation.pods.clear();
    fails(
        judge(&never("1m"), &observation),
        "the head Pod was deleted after `ready` was reached",
    );
}

/// When the API server says that the Pod was made, in seconds from the milestone, by a clock that
/// is behind or ahead; and when the Pod was first seen.
#[rstest]
#[case::replaced_and_behind(-3, 1, true)]
#[case::replaced_and_ahead(9, 1, true)]
#[case::the_same_and_behind(-9, 0, false)]
#[case::the_same_and_ahead(3, -1, false)]
fn a_pod_was_replaced_if_it_was_first_seen_after_the_milestone_whatever_the_api_servers_clock_says(
    #[case] made: i64,
    #[case] seen: i64,
    #[case] replaced: bool,
) {
    let mut observation = observe(&SOLUTION_1);
    let reached = observation.milestones[&Milestone::Ready];
    let metadata = &mut observation.pods[0].metadata;
    metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
        reached + made.seconds(),
    ));
    let uid = metadata.uid.clone().unwrap();
    observation.seen.insert(uid, reached + seen.seconds());
    let verdict = judge(&never("1m"), &observation);
    if replaced {
        fails(verdict, "after `ready` was reached");
    } else {
        passes(verdict);
    }
}
