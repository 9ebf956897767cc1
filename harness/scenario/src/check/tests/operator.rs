use rstest::rstest;

use super::*;

/// A cluster object of which no Pod has come, with a warning of the operator that is some seconds
/// old.
fn warned(reason: &str, message: &str, age: i64) -> Observation {
    let mut warning = event("RayCluster", "a", reason, message, 1);
    warning.metadata.uid = Some("warning".into());
    let mut observation = Observation {
        now: time(NOW) + age.seconds(),
        seen: BTreeMap::from([("warning".to_owned(), time(NOW))]),
        ..Observation::default()
    };
    observation.events.push(warning);
    observation
}

const NO_ACCOUNT: &str = "pods \"a-head\" is forbidden: error looking up service account x/default: serviceaccount \
                          \"default\" not found";

#[rstest]
#[case::metadata("InvalidRayClusterMetadata", "name is too long", 0, true)]
#[case::spec(
    "InvalidRayClusterSpec",
    "headGroupSpec should have at least one container",
    0,
    true
)]
#[case::remark_of_old_releases(
    "RayConfigError",
    "Cannot parse object-store-memory x as an integer: strconv.ParseInt: parsing \"x\": invalid syntax",
    60,
    false
)]
#[case::invalid_pod(
    "FailedToCreateHeadPod",
    "Pod \"a-head\" is invalid: spec.containers[0].image: Required value",
    0,
    true
)]
#[case::quota(
    "FailedToCreateHeadPod",
    "pods \"a\" is forbidden: exceeded quota",
    0,
    true
)]
#[case::new_namespace("FailedToCreateHeadPod", NO_ACCOUNT, 1, false)]
#[case::no_account_at_all("FailedToCreateHeadPod", NO_ACCOUNT, 15, true)]
#[case::conflict("FailedToCreateHeadPod", "pods \"a\" already exists", 1, false)]
#[case::service("FailedToCreateService", "connection refused", 14, false)]
#[case::ending(
    "FailedToCreateService",
    "client rate limiter Wait returned an error: context canceled",
    60,
    false
)]
#[case::service_lasting("FailedToCreateService", "connection refused", 15, true)]
#[case::something_else("FailedToDeleteWorkerPod", "is forbidden", 60, false)]
fn what_the_operator_cannot_do(
    #[case] reason: &str,
    #[case] message: &str,
    #[case] age: i64,
    #[case] dooms: bool,
) {
    let observation = warned(reason, message, age);
    let finding = terminal(&[], &observation);
    if !dooms {
        return assert_eq!(finding, None);
    }
    assert_eq!(
        finding.unwrap().message,
        format!("the operator can't go on with RayCluster a: {reason}: {message}")
    );
    for expected in [
        json!({ "rejected": { "by": "operator", "message": "" } }),
        json!({ "event": { "reason": reason } }),
    ] {
        assert_eq!(terminal(&[check(expected)], &observation), None);
    }
}

#[test]
fn a_pod_that_came_after_all_tells_otherwise() {
    let failed = warned("FailedToCreateHeadPod", "is forbidden", 60);
    let recovered = Observation {
        pods: observe(&SOLUTION_1).pods,
        ..failed
    };
    assert_eq!(terminal(&[], &recovered), None);
    let failed = warned("FailedToCreateWorkerPod", "is forbidden", 0);
    let with_head = Observation {
        pods: observe(&SOLUTION_1).pods,
        ..failed
    };
    assert!(terminal(&[], &with_head).is_some());
}

#[rstest]
#[case::sound(serde_json::from_str(include_str!("../testdata/solution1.status.json")).unwrap(), None)]
#[case::failure(json!({ "conditions": [{ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod",
    "message": "exceeded quota", "lastTransitionTime": "2026-11-23T06:59:00Z" }] }),
    Some("RayCluster a: FailedCreateHeadPod: exceeded quota"))]
#[case::new_failure(json!({ "conditions": [{ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod",
    "message": "connection refused", "lastTransitionTime": NOW }] }), None)]
#[case::old_release(json!({ "state": "failed", "reason": "pods is forbidden: exceeded quota" }),
    Some("RayCluster a: failed: pods is forbidden: exceeded quota"))]
fn what_the_status_says(#[case] status: Value, #[case] message: Option<&str>) {
    let since = status["conditions"][0]["lastTransitionTime"]
        .as_str()
        .map_or(time(NOW), time);
    let cluster = json!({ "metadata": { "name": "a", "uid": "a" }, "status": status });
    let observation = Observation {
        now: time(NOW),
        failing: BTreeMap::from([("a".to_owned(), since)]),
        ray_clusters: vec![cluster],
        ..Observation::default()
    };
    let found = terminal(&[], &observation).map(|finding| finding.message);
    assert_eq!(
        found,
        message.map(|message| format!("the operator can't go on with {message}"))
    );
}

/// An API server whose clock is behind ours, or ahead of it.
#[rstest]
#[case::behind("2026-11-23T06:00:00Z")]
#[case::ahead("2026-11-23T08:00:00Z")]
fn a_failure_lasts_from_when_it_was_seen_whatever_the_api_servers_clock_says(#[case] told: &str) {
    let event_at = |age: i64| {
        let mut observation = warned("FailedToCreateService", "connection refused", age);
        observation.events[0].first_timestamp = Some(
            k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(told)),
        );
        terminal(&[], &observation).is_some()
    };
    assert!(!event_at(14), "an event");
    assert!(event_at(15), "an event");
    let status_at = |age: i64| {
        let failure = json!({ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod",
            "message": "connection refused", "lastTransitionTime": told });
        let observation = Observation {
            now: time(NOW) + age.seconds(),
            failing: BTreeMap::from([("a".to_owned(), time(NOW))]),
            ray_clusters: vec![json!({ "metadata": { "name": "a", "uid": "a" },
                "status": { "conditions": [failure] } })],
            ..Observation::default()
        };
        terminal(&[], &observation).is_some()
    };
    assert!(!status_at(14), "a condition");
    assert!(status_at(15), "a condition");
}

#[test]
fn a_refusal_is_compared_with_its_reason() {
    let expects =
        |by: &str| check(json!({ "rejected": { "by": by, "message": "must be positive" } }));
    let mut observation = Observation::default();
    waits(
        judge(&expects("api"), &observation),
        "waits for the API server to refuse with \"must be positive\"",
    );
    observation.rejections.push(Rejection {
        object: "RayJob a".into(),
        message: "spec.entrypoint: Required value".into(),
    });
    let other = fails(
        judge(&expects("api"), &observation),
        "refused for another reason than \"must be positive\"",
    );
    assert_eq!(other.expected.as_deref(), Some("must be positive"));
    let said = "RayJob a: spec.entrypoint: Required value";
    assert_eq!(other.found.as_deref(), Some(said));
    observation.rejections[0].message = "spec.backoffLimit must be positive".into();
    let refused = passes(judge(&expects("api"), &observation));
    assert_eq!(
        refused.message,
        "the API server refused, with the reason that is expected"
    );
    assert_eq!(refused.expected.as_deref(), Some("must be positive"));
    let said = "RayJob a: spec.backoffLimit must be positive";
    assert_eq!(refused.found.as_deref(), Some(said));

    // What the operator says is tried again, so another reason may still change.
    let observation = warned("InvalidRayClusterSpec", "no container", 0);
    let waiting = waits(
        judge(&expects("operator"), &observation),
        "waits for the operator to refuse",
    );
    assert_eq!(
        waiting.found.as_deref(),
        Some("InvalidRayClusterSpec: no container")
    );
}
