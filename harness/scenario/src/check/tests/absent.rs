//! Pods that must not come.

use super::*;

fn worker(group: &str, second: i64) -> Value {
    let made = Timestamp::from_second(1_000_000 + second).expect("a time");
    json!({
        "metadata": {"name": format!("{group}-w"), "uid": made.to_string(), "creationTimestamp": made.to_string(),
            "labels": {"ray.io/node-type": "worker", "ray.io/group": group}},
        "spec": {"containers": [{"name": "ray-worker", "args": ["ray start "]}], "initContainers": [{"name": "wait"}]},
    })
}

/// When a Pod was first seen: as it was made, where clocks agree.
fn seen(pod: &Value) -> (String, Timestamp) {
    let uid = pod["metadata"]["uid"].as_str().expect("a uid");
    (uid.to_owned(), time(uid))
}

/// What is there at a second, and the check that waits five of them from the Pod of `later` on.
fn at(second: i64, pods: &[Value]) -> Verdict {
    let absent = json!({"absent": {"role": "worker", "group": "never", "for": "5s",
        "after": {"role": "worker", "group": "later"}}});
    let observation = Observation {
        now: Timestamp::from_second(1_000_000 + second).expect("a time"),
        pods: pods
            .iter()
            .map(|pod| serde_json::from_value(pod.clone()).expect("a Pod"))
            .collect(),
        seen: pods.iter().map(seen).collect(),
        ..Observation::default()
    };
    judge(&check(absent), &observation)
}

#[test]
fn nothing_passes_before_its_milestone_and_its_time() {
    waits(
        at(60, &[]),
        "waits for its milestone: no worker Pod of group later yet; no RayCluster exists",
    );
    waits(
        at(60, &[worker("other", 0)]),
        "no worker Pod of group later yet",
    );
    let finding = waits(
        at(14, &[worker("later", 10)]),
        "no worker Pod of group never so far; watches for 1.0 s more",
    );
    assert_eq!(
        finding.expected.as_deref(),
        Some("no worker Pod of group never for 5s after a worker Pod of group later was created")
    );
    passes(at(15, &[worker("later", 10)]));
}

#[test]
fn the_first_pod_of_the_milestone_counts() {
    passes(at(15, &[worker("later", 14), worker("later", 10)]));
    waits(
        at(15, &[worker("later", 14), worker("later", 13)]),
        "watches for 3.0 s more",
    );
}

/// Worker groups of one name differ by their containers.
#[rstest::rstest]
#[case::of_the_container("ray-worker", false)]
#[case::of_the_init_container("wait", false)]
#[case::of_another("other", true)]
fn only_a_pod_with_the_container_counts(#[case] container: &str, #[case] is_absent: bool) {
    let absent = json!({"absent": {"role": "worker", "group": "later", "container": container, "for": "5s",
        "after": {"role": "worker", "group": "later"}}});
    let pods = [worker("later", 10)];
    let observation = Observation {
        now: Timestamp::from_second(1_000_020).expect("a time"),
        pods: pods
            .iter()
            .map(|pod| serde_json::from_value(pod.clone()).expect("a Pod"))
            .collect(),
        seen: pods.iter().map(seen).collect(),
        ..Observation::default()
    };
    let verdict = judge(&check(absent), &observation);
    if is_absent {
        passes(verdict);
    } else {
        let finding = fails(verdict, "the operator created the worker Pod");
        let expected = finding.expected.unwrap();
        assert!(
            expected.contains(&format!("with a container {container}")),
            "{expected}"
        );
    }
}

/// An API server whose clock is behind ours, or ahead of it, by so many seconds.
#[rstest::rstest]
#[case::six_behind(-6)]
#[case::six_ahead(6)]
#[case::an_hour_behind(-3600)]
#[case::an_hour_ahead(3600)]
fn the_time_is_counted_from_when_the_pod_was_seen_whatever_the_api_servers_clock_says(
    #[case] skew: i64,
) {
    let absent = json!({"absent": {"role": "worker", "group": "never", "for": "5s",
        "after": {"role": "worker", "group": "later"}}});
    let pod = worker("later", skew);
    let seen = Timestamp::from_second(1_000_000).expect("a time");
    let after = |milliseconds: i64| {
        let observation = Observation {
            now: seen + milliseconds.milliseconds(),
            pods: vec![serde_json::from_value(pod.clone()).expect("a Pod")],
            seen: BTreeMap::from([(
                pod["metadata"]["uid"].as_str().expect("a uid").to_owned(),
                seen,
            )]),
            ..Observation::default()
        };
        judge(&check(absent.clone()), &observation)
    };
    waits(after(300), "watches for 4.7 s more");
    waits(after(4900), "watches for 0.1 s more");
    passes(after(5000));
}

#[test]
fn a_pod_that_came_fails_at_once() {
    let finding = fails(
        at(3, &[worker("never", 1)]),
        "the operator created the worker Pod of group never never-w",
    );
    assert_eq!(finding.found.as_deref(), Some("[\"ray start \"]"));
    fails(
        at(30, &[worker("later", 2), worker("never", 29)]),
        "the operator created the worker Pod of group never",
    );
}

#[test]
fn a_time_that_is_none_fails() {
    let absent = json!({"absent": {"role": "worker", "for": "soon", "after": {"role": "head"}}});
    fails(
        judge(&check(absent), &Observation::default()),
        "`for`: `soon` is not a length of time",
    );
}

/// Where nothing runs Jobs, the submitter that was made has no Pod.
#[test]
fn a_job_without_a_pod_counts() {
    let absent = json!({"absent": {"role": "submitter", "for": "5s",
        "after": {"role": "worker", "group": "later"}}});
    let job = json!({"metadata": {"name": "demo", "ownerReferences": [
        {"apiVersion": "ray.io/v1", "kind": "RayJob", "name": "demo", "uid": "1"}]}});
    let pods = [worker("later", 10)];
    let mut observation = Observation {
        now: Timestamp::from_second(1_000_020).expect("a time"),
        pods: vec![serde_json::from_value(pods[0].clone()).expect("a Pod")],
        seen: pods.iter().map(seen).collect(),
        ..Observation::default()
    };
    passes(judge(&check(absent.clone()), &observation));
    observation.jobs = vec![serde_json::from_value(job).expect("a Job")];
    fails(
        judge(&check(absent), &observation),
        "the operator created the Job demo of a submitter",
    );
}
