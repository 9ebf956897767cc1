//! Commands: what bash, Ray and the traps of a text explain.

use assert_matches::assert_matches;
use kuberay_manifest::Severity;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::live::doctor::ObjectState;

#[test]
fn a_healthy_cluster_is_silent_on_every_release() {
    for release in [
        "1.0.0", "1.1.1", "1.2.2", "1.3.2", "1.4.2", "1.5.1", "1.6.2", "1.7.0",
    ] {
        let bundle = bundle(cluster(), release);
        let report = bundle.report();
        assert!(
            bundle.causes().is_empty(),
            "{release}: {:#?}",
            report.objects
        );
        assert_eq!(report.objects[0].state, ObjectState::Healthy, "{release}");
        let origins = report.objects[0].pods.iter().map(|pod| pod.origin);
        assert!(origins.clone().count() == 2, "{release}");
        for origin in origins {
            assert_eq!(
                origin,
                crate::live::doctor::PodOrigin::Expected,
                "{release}"
            );
        }
    }
}

const SYNTAX: &str = "/bin/bash: -c: line 1: syntax error near unexpected token `&&'\n";

/// The texts of the hazard scenarios with how their containers end there.
#[rstest]
#[case::ampersand("prepare &", 2, SYNTAX, "trailing-ampersand")]
#[case::semicolon("prepare;", 2, SYNTAX, "trailing-semicolon")]
#[case::newline("prepare\n", 2, SYNTAX, "trailing-newline")]
#[case::operator("prepare ||", 2, SYNTAX, "trailing-operator")]
#[case::syntax("if true; then", 2, SYNTAX, "syntax-error")]
#[case::comment("echo a # why", 0, "a\n", "trailing-comment")]
#[case::exit("echo a; exit 3", 3, "a\n", "ends-shell")]
#[case::exec("exec env -i sh -c 'exit 7'", 7, "", "ends-shell")]
#[case::errexit("set -e; false; true", 1, "", "errexit")]
#[case::limit(
    "set -e; true",
    1,
    "/bin/bash: line 1: ulimit: open files: cannot modify limit: Operation not permitted\n",
    "errexit"
)]
#[case::mentioned("echo before ray start", 0, "before ray start\n", "ray-start-in-text")]
#[case::here_document(
    "cat <<END\na",
    0,
    "here-document at line 1 delimited by end-of-file\n",
    "open-here-document"
)]
fn a_trap_that_ends_the_container_is_named_first(
    #[case] args: &str,
    #[case] code: i64,
    #[case] log: &str,
    #[case] expected: &str,
) {
    let mut broken = bundle(cluster_with(args), "1.6.2");
    assert_eq!(broken.ends("head", code, log).first(), expected);
    // The worker that waits is no second cause.
    let report = broken.report();
    assert_eq!(
        report.objects[0].findings[0].pod.as_deref(),
        Some("demo-head")
    );
    // The same text in Pods that run is no problem.
    let well = bundle(cluster_with(args), "1.6.2").report();
    assert!(!well.has_problems(), "{well:#?}");
}

#[test]
fn a_fix_comes_as_a_patch_of_the_user_s_object() {
    let mut bundle = bundle(cluster_with("prepare &"), "1.6.2");
    bundle.ends("head", 2, SYNTAX);
    let report = bundle.report();
    let patch = report.objects[0].findings[0].patch.clone().unwrap();
    let path = "/spec/headGroupSpec/template/spec/containers/0/args/0";
    assert_eq!(
        patch.operations,
        [json!({"op": "replace", "path": path, "value": "(prepare &)"})]
    );
}

/// Ray does start, and the liveness probe fails once the container has ended.
#[test]
fn a_start_without_block_ends_well() {
    let mut cluster = cluster();
    cluster["metadata"]["annotations"] = json!({"ray.io/overwrite-container-cmd": "true"});
    let head = head_of(&mut cluster);
    head["command"] = json!(["/bin/bash", "-c", "--"]);
    head["args"] = json!(["ray start --head"]);
    let mut bundle = bundle(cluster, "1.6.2");
    let log = "INFO -- Local node IP: 10.244.1.5\nSUCC -- Ray runtime started.\n";
    bundle.ends("head", 0, log);
    bundle.event("uid-head", "Unhealthy", "Liveness probe failed:");
    assert_eq!(bundle.first(), "ray-start-without-block");
}

/// The container runtime takes the words as they stand.
#[test]
fn a_generated_command_that_is_a_word_is_named_before_the_runtime_s_error() {
    let mut cluster = cluster();
    cluster["metadata"]["annotations"] = json!({"ray.io/overwrite-container-cmd": "true"});
    head_of(&mut cluster)["command"] = json!(["$KUBERAY_GEN_RAY_START_CMD"]);
    let mut bundle = bundle(cluster, "1.6.2");
    let message = "exec: \"$KUBERAY_GEN_RAY_START_CMD\": executable file not found in $PATH";
    let ended = json!({"exitCode": 128, "reason": "StartError", "message": message});
    bundle.state("head", "ray-head", json!({"terminated": ended}));
    assert_eq!(bundle.first(), "gen-cmd-not-run");
}

/// As Ray prints it, with the names that it left out.
#[test]
fn a_worker_s_own_start_without_an_address_is_named() {
    let mut cluster = cluster();
    cluster["metadata"]["annotations"] = json!({"ray.io/overwrite-container-cmd": "true"});
    let worker = &mut cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0];
    worker["command"] = json!(["/bin/bash", "-c", "--"]);
    worker["args"] = json!(["ray start --block"]);
    let mut bundle = bundle(cluster, "1.6.2");
    let log = "Error: `{}` is a required flag unless starting a head node with `{}`.\n";
    assert_eq!(
        bundle.ends("worker", 1, log).first(),
        "ray-start-without-address"
    );
}

/// Its container was started again between the Pod and the log, so the log of the end is the
/// previous one.
#[test]
fn a_log_that_has_moved_on_is_found() {
    let mut bundle = bundle(cluster_with("prepare &"), "1.6.2");
    bundle.ends("head", 2, SYNTAX);
    for log in &mut bundle.logs {
        log.previous = true;
    }
    assert_eq!(bundle.first(), "trailing-ampersand");
}

#[test]
fn two_starts_of_ray_are_one_too_many() {
    let mut cluster = cluster();
    head_of(&mut cluster)["command"] = json!(["ray", "start", "--head"]);
    let log =
        "ConnectionError: Ray is trying to start at 10.0.0.1:6379, but is already running at it.\n";
    let mut bundle = bundle(cluster, "1.6.2");
    assert_eq!(bundle.ends("head", 1, log).first(), "ray-start-in-words");
    let mut plain = healthy();
    assert_eq!(plain.ends("head", 1, log).first(), "ray-already-running");
}

#[test]
fn the_kubelet_s_expansion_is_named() {
    let mut bundle = bundle(cluster_with("exit $(CODE)"), "1.6.2");
    let first = bundle.ends("head", 5, "").first();
    assert!(
        ["kubelet-expands", "ends-shell"].contains(&first.as_str()),
        "{first}"
    );
}

#[rstest]
#[case::option("Error: No such option: --nope\n", 2, "ray-unknown-option")]
#[case::value(
    "Error: Invalid value for '--num-cpus': 'x' is not a valid integer.\n",
    2,
    "ray-invalid-value"
)]
#[case::redis(
    "redis.exceptions.AuthenticationError: WRONGPASS invalid pair\n",
    1,
    "redis-unreachable"
)]
#[case::version(
    "RuntimeError: Version mismatch: The cluster was started with: Ray: 2.9\n",
    1,
    "ray-version-mismatch"
)]
#[case::died(
    "Some Ray subprocesses exited unexpectedly:\n  dashboard [exit code=1]\n",
    1,
    "ray-process-died"
)]
#[case::argument(
    "Usage: ray start [OPTIONS]\nError: Got unexpected extra argument (b)\n",
    2,
    "ray-unexpected-argument"
)]
#[case::json(
    "Error: the value of --resources is not a valid JSON string\n",
    1,
    "ray-invalid-value"
)]
#[case::command(
    "/bin/bash: line 1: prepare: command not found\n",
    127,
    "command-not-found"
)]
#[case::silent("", 1, "command-ends")]
#[case::rights(
    "/bin/bash: line 1: /prepare: Permission denied\n",
    126,
    "not-executable"
)]
fn what_ray_says_as_it_ends_is_the_cause(
    #[case] log: &str,
    #[case] code: i64,
    #[case] expected: &str,
) {
    assert_eq!(healthy().ends("head", code, log).first(), expected);
}

#[test]
fn a_worker_without_a_head_to_reach_is_no_cause_beside_a_broken_head() {
    let mut bundle = bundle(cluster_with("prepare &"), "1.6.2");
    bundle.ends("head", 2, SYNTAX);
    bundle.ends("worker", 1, "Failed to connect to GCS.\n");
    assert_eq!(bundle.first(), "trailing-ampersand");
    let mut alone = healthy();
    assert_eq!(
        alone
            .ends("worker", 1, "Failed to connect to GCS.\n")
            .first(),
        "gcs-unreachable"
    );
}

#[test]
fn out_of_memory_is_no_exit_of_the_command() {
    let mut bundle = healthy();
    bundle.ends("head", 137, "");
    let status = &mut bundle.pod("head")["status"]["containerStatuses"][0];
    status["lastState"]["terminated"]["reason"] = "OOMKilled".into();
    assert_eq!(bundle.first(), "out-of-memory");
}

#[test]
fn a_command_that_never_returns_keeps_ray_away() {
    let running = json!({"running": {"startedAt": "2026-11-28T11:50:00Z"}});
    let mut bundle = bundle(cluster_with("sleep infinity"), "1.6.2");
    bundle.state("head", "ray-head", running.clone()).waits();
    assert_eq!(bundle.first(), "never-returns");
    let mut other = self::bundle(cluster_with("prepare"), "1.6.2");
    other.state("head", "ray-head", running).waits();
    assert_eq!(other.first(), "ray-not-started");
}

#[test]
fn before_readiness_there_is_progress_and_no_failure() {
    let mut bundle = bundle(cluster_with("prepare"), "1.6.2");
    for role in ["head", "worker"] {
        bundle.pod(role)["metadata"]["creationTimestamp"] = LATELY.into();
    }
    let running = json!({"running": {"startedAt": LATELY}});
    bundle.state("head", "ray-head", running).waits();
    bundle.event("uid-head", "Unhealthy", "Readiness probe failed: ");
    let report = bundle.report();
    assert!(!report.has_problems(), "{report:#?}");
    assert_eq!(report.objects[0].state, ObjectState::Progressing);
    let object = &report.objects[0];
    for one in &object.findings {
        assert_eq!(one.severity, Severity::Note, "{one:#?}");
    }
    assert_eq!(
        object.findings[0].cause, "waits-for-head",
        "{:#?}",
        object.findings
    );
}

#[test]
fn what_takes_long_without_a_cause_is_unknown_and_says_what_to_send() {
    let mut bundle = healthy();
    let running = json!({"running": {"startedAt": CREATED}});
    bundle.state("head", "ray-head", running);
    bundle.logged("head", "ray-head", "Ray runtime started.\n");
    assert_eq!(bundle.first(), "unknown");
    let help = &bundle.report().objects[0].findings[0].help;
    assert!(help.contains("--save-bundle"), "{help}");
}

#[test]
fn traps_that_nothing_proves_come_after_unknown() {
    let mut cluster = cluster();
    let groups = cluster["spec"]["workerGroupSpecs"].as_array_mut().unwrap();
    groups.push(groups[0].clone());
    let mut bundle = bundle(cluster, "1.6.2");
    let running = json!({"running": {"startedAt": CREATED}});
    bundle.state("head", "ray-head", running);
    bundle.logged("head", "ray-head", "Ray runtime started.\n");
    assert_eq!(bundle.first(), "unknown");
    let findings = &bundle.report().objects[0].findings;
    let trap = findings.iter().find(|one| one.cause == "group-name-twice");
    assert_matches!(trap, Some(one) if one.severity == Severity::Warning);
}

#[test]
fn what_is_new_is_starting() {
    let mut bundle = healthy();
    bundle.objects[0]["metadata"]["creationTimestamp"] = LATELY.into();
    for role in ["head", "worker"] {
        bundle.pod(role)["metadata"]["creationTimestamp"] = LATELY.into();
    }
    let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
    bundle.state("head", "ray-head", waiting);
    let object = &bundle.report().objects[0];
    assert_eq!(object.state, ObjectState::Progressing);
    assert_eq!(object.findings[0].cause, "starting", "{object:#?}");
    assert_eq!(object.findings[0].severity, Severity::Note);
}
