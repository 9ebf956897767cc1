//! Pods that Kubernetes does not start, probes, hooks and init containers.

use assertables::{assert_contains, assert_not_contains};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[rstest]
#[case::absent("ImagePullBackOff", "manifest unknown", "image-not-found")]
#[case::refused("ErrImagePull", "pull access denied for x", "image-not-found")]
#[case::network("ErrImagePull", "dial tcp: i/o timeout", "image-pull-fails")]
#[case::name("InvalidImageName", "couldn't parse image name", "image-not-found")]
#[case::config(
    "CreateContainerConfigError",
    "configmap \"x\" not found",
    "container-config"
)]
#[case::runtime(
    "RunContainerError",
    "exec: \"/bin/bash\": no such file",
    "container-start"
)]
fn a_container_that_is_not_created_says_why(
    #[case] reason: &str,
    #[case] message: &str,
    #[case] expected: &str,
) {
    let mut bundle = healthy();
    bundle
        .state("head", "ray-head", waiting(reason, message))
        .waits();
    assert_eq!(bundle.first(), expected);
}

fn unscheduled(since: &str) -> crate::live::bundle::Bundle {
    let mut bundle = healthy();
    let pod = bundle.pod("worker");
    pod["metadata"]["creationTimestamp"] = since.into();
    pod["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu.",
        "lastTransitionTime": since}]});
    bundle
}

#[test]
fn a_pod_without_room_is_progress_at_first_and_then_a_problem() {
    assert_eq!(unscheduled(CREATED).first(), "no-capacity");
    let fresh = unscheduled("2026-11-28T11:59:30Z");
    assert!(!fresh.report().has_problems(), "{:?}", fresh.causes());
}

#[test]
fn a_pod_larger_than_every_node_will_never_run() {
    let node = |cpu: &str| json!({"status": {"allocatable": {"cpu": cpu, "memory": "64Gi"}}});
    let mut bundle = unscheduled(LATELY);
    bundle.nodes = vec![node("500m"), node("900m")];
    assert_eq!(bundle.first(), "too-large");
    let mut room = unscheduled(CREATED);
    room.nodes = vec![node("4")];
    assert_eq!(room.first(), "no-capacity");
}

#[test]
fn a_taint_is_no_lack_of_room() {
    let mut bundle = unscheduled(CREATED);
    bundle.pod("worker")["status"]["conditions"][0]["message"] =
        "0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}.".into();
    assert_eq!(bundle.first(), "unschedulable");
}

#[test]
fn a_probe_that_kills_a_slow_start_is_named() {
    let mut bundle = bundle(cluster_with("prepare"), "1.6.2");
    bundle.ends("head", 137, "preparing\n");
    let message = "Container ray-head failed liveness probe, will be restarted";
    bundle.event("uid-head", "Killing", message);
    assert_eq!(bundle.first(), "probe-kills-slow-start");
    // What never returns would be killed for ever, however long the probe waits.
    let mut never = self::bundle(cluster_with("sleep infinity"), "1.6.2");
    never
        .ends("head", 137, "")
        .event("uid-head", "Killing", message);
    assert_eq!(never.first(), "never-returns");
}

#[test]
fn a_readiness_probe_that_fails_while_ray_runs_is_named() {
    let running = json!({"running": {"startedAt": CREATED}});
    let mut bundle = healthy();
    bundle.state("head", "ray-head", running);
    bundle.logged("head", "ray-head", "INFO -- Ray runtime started.\n");
    let mut wget = bundle.clone();
    bundle.event("uid-head", "Unhealthy", "Readiness probe failed: no answer");
    assert_eq!(bundle.first(), "probe-fails");
    // Ray itself may take minutes until it answers the operator's own probe.
    let mut busy = bundle.clone();
    busy.pod("head")["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] =
        "2026-11-28T11:58:00Z".into();
    busy.pod("head")["spec"]["containers"][0]["readinessProbe"] =
        json!({"httpGet": {"path": "/api/healthz", "port": 52365}});
    assert_not_contains!(busy.causes(), &"probe-fails".to_owned());
    busy.pod("head")["spec"]["containers"][0]["readinessProbe"] =
        json!({"exec": {"command": ["test", "-e", "/tmp/absent"]}});
    assert_contains!(busy.causes(), &"probe-fails".to_owned());
    wget.event(
        "uid-head",
        "Unhealthy",
        "Readiness probe failed: bash: wget: command not found",
    );
    assert_eq!(wget.first(), "probe-needs-wget");
}

#[test]
fn hooks_that_fail_or_wait_are_named() {
    let mut bundle = healthy();
    bundle.ends("head", 137, "");
    bundle.event("uid-head", "FailedPostStartHook", "PostStartHook failed");
    assert_eq!(bundle.first(), "post-start-hook-fails");
    let mut waits = healthy();
    let hook = json!({"postStart": {"exec": {"command": ["sleep", "infinity"]}}});
    waits.pod("head")["spec"]["containers"][0]["lifecycle"] = hook;
    waits.state("head", "ray-head", waiting("ContainerCreating", ""));
    assert_eq!(waits.first(), "post-start-hook-waits");
}

const DNS: &str = "Temporary failure in name resolution\n";

#[rstest]
#[case::ray(
    "/bin/bash: line 3: ray: command not found\n",
    "wait-gcs-ready-without-ray"
)]
#[case::memory(
    "/bin/bash: line 9:    12 Killed    ray health-check\n",
    "wait-gcs-ready-out-of-memory"
)]
#[case::dns(DNS, "head-name-not-resolved")]
#[case::silent(
    "130 seconds elapsed: Waiting for GCS to be ready.\n",
    "head-unreachable"
)]
fn wait_gcs_ready_says_what_it_waits_for(#[case] log: &str, #[case] expected: &str) {
    let mut bundle = healthy();
    bundle.waits().logged("worker", "wait-gcs-ready", log);
    assert_eq!(bundle.first(), expected);
}

fn policy(labels: &Value, types: &[&str]) -> Value {
    json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "team"},
        "spec": {"podSelector": {"matchLabels": labels}, "policyTypes": types}})
}

#[test]
fn a_network_policy_that_selects_the_worker_is_named() {
    let mut bundle = healthy();
    bundle.waits().logged("worker", "wait-gcs-ready", DNS);
    bundle.network_policies = vec![policy(&json!({"ray.io/node-type": "worker"}), &["Egress"])];
    assert_eq!(bundle.first(), "network-policy");
    // One that selects others, or what comes in, is not in the way.
    bundle.network_policies = vec![
        policy(&json!({"app": "web"}), &["Egress"]),
        policy(&json!({"ray.io/node-type": "worker"}), &["Ingress"]),
    ];
    assert_eq!(bundle.first(), "head-name-not-resolved");
    bundle.network_policies = vec![policy(&json!({"ray.io/node-type": "head"}), &["Ingress"])];
    assert_eq!(bundle.first(), "network-policy");
}

#[test]
fn containers_of_the_user_are_named_when_they_fail() {
    let mut cluster = cluster();
    let spec = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"];
    spec["initContainers"] = json!([{"name": "fetch", "image": "x"}]);
    spec["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "logger", "image": "x"}));
    let ended = json!({"terminated": {"exitCode": 4, "reason": "Error"}});
    let mut init = bundle(cluster.clone(), "1.6.2");
    init.state("head", "fetch", ended.clone());
    init.state("head", "ray-head", waiting("PodInitializing", ""));
    assert_eq!(init.first(), "init-container-fails");
    let mut side = bundle(cluster.clone(), "1.6.2");
    side.state("head", "logger", ended);
    assert_eq!(side.first(), "side-container-fails");
    assert!(bundle(cluster, "1.6.2").causes().is_empty());
}

#[test]
fn a_volume_that_is_missing_is_named() {
    let mut bundle = healthy();
    bundle.state("head", "ray-head", waiting("ContainerCreating", ""));
    bundle.event("uid-head", "FailedMount", "configmap \"code\" not found");
    assert_eq!(bundle.first(), "container-config");
}

#[test]
fn a_pod_that_is_deleted_is_nobody_s_problem() {
    let mut bundle = healthy();
    bundle.objects[0]["spec"]["workerGroupSpecs"][0]["replicas"] = 0.into();
    bundle.ends("worker", 1, "");
    bundle.pod("worker")["metadata"]["deletionTimestamp"] = LATELY.into();
    assert!(bundle.causes().is_empty(), "{:?}", bundle.causes());
}
