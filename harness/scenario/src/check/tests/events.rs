use assertables::assert_contains;
use rstest::rstest;

use super::*;

fn hook_failed() -> Observation {
    let mut observation = observe(&POST_START);
    pod_event(&mut observation, "Started", "Started container ray-head", 1);
    pod_event(
        &mut observation,
        "FailedPostStartHook",
        "PostStartHook failed",
        1,
    );
    observation
}

#[rstest]
#[case(json!({ "reason": "FailedPostStartHook" }))]
#[case(json!({ "reason": "FailedPostStartHook", "message": "Hook failed" }))]
fn an_event_passes(#[case] body: Value) {
    let finding = passes(judge(&check(json!({ "event": body })), &hook_failed()));
    assert_contains!(
        finding.found.unwrap(),
        "FailedPostStartHook: PostStartHook failed"
    );
}

#[rstest]
#[case::part_of_the_reason(json!({ "reason": "Failed" }), "Started container")]
#[case::other_message(json!({ "reason": "FailedPostStartHook", "message": "timed out" }), "PostStartHook failed")]
fn another_event_is_waited_for(#[case] body: Value, #[case] seen: &str) {
    let check = check(json!({ "event": body }));
    let finding = waits(judge(&check, &hook_failed()), "waits for the event Failed");
    assert_contains!(finding.found.unwrap(), seen);
    waits(
        judge(&check, &Observation::default()),
        "there is no event yet",
    );
}

fn rejected(by: &str, message: &str) -> Check {
    check(json!({ "rejected": { "by": by, "message": message } }))
}

#[test]
fn a_refusal_of_the_api_server() {
    let mut observation = Observation::default();
    waits(
        judge(&rejected("api", "replicas"), &observation),
        "waits for the API server to refuse with \"replicas\"",
    );
    observation.rejections.push(Rejection {
        object: "RayCluster raycluster-mini".into(),
        message: "Invalid: spec.workerGroupSpecs[0].replicas in body must be of type integer"
            .into(),
    });
    passes(judge(
        &rejected("api", "must be of type integer"),
        &observation,
    ));
    let finding = fails(
        judge(&rejected("api", "Required value"), &observation),
        "another reason than \"Required value\"",
    );
    assert_contains!(finding.found.unwrap(), "must be of type integer");
    waits(
        judge(&rejected("operator", "integer"), &observation),
        "waits for the operator to refuse",
    );
}

#[test]
fn a_refusal_of_the_operator() {
    let mut observation = observe(&SOLUTION_1);
    // Neither the kubelet's warnings nor conditions of a sound cluster are the operator's refusal.
    pod_event(&mut observation, "Failed", "ray-head is invalid", 1);
    let status: Value =
        serde_json::from_str(include_str!("../testdata/solution1.status.json")).unwrap();
    observation.ray_clusters.push(json!({ "status": status }));
    waits(
        judge(&rejected("operator", "invalid"), &observation),
        "waits for the operator to refuse with \"invalid\"",
    );
    waits(judge(&rejected("operator", "ready"), &observation), "waits");
    let mut by_event = observation.clone();
    by_event.events.push(event(
        "RayCluster",
        "a",
        "InvalidRayClusterSpec",
        "The RayCluster spec is invalid x/a: no",
        1,
    ));
    passes(judge(
        &rejected("operator", "InvalidRayClusterSpec"),
        &by_event,
    ));
    passes(judge(&rejected("operator", "spec is invalid"), &by_event));
    let mut by_condition = observation.clone();
    by_condition.ray_clusters[0]["status"]["conditions"][0] = json!({ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod", "message": "exceeded quota" });
    passes(judge(
        &rejected("operator", "exceeded quota"),
        &by_condition,
    ));
    observation.ray_clusters[0]["status"]["reason"] = json!("pods is forbidden");
    passes(judge(&rejected("operator", "forbidden"), &observation));
}
