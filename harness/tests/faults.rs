//! Expectations that are wrong and heads that can't start: each fails, for its own reason, and in time.
//!
//! They run the program itself on the cluster that is up, so they need one (`kuberay-conformance up`), and are left out
//! where `KUBERAY_CONFORMANCE_REQUIRE` does not ask for `kind`.

#![allow(missing_docs, reason = "an integration test has no public interface")]

#[allow(dead_code, reason = "only a client is needed here")]
#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/copies.rs"]
mod copies;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/running.rs"]
mod running;
mod support;

use std::path::Path;
use std::sync::OnceLock;

use cluster::{client, kubeconfig};
use copies::{Ran, copy_scenario, replaced, run, run_of};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use kuberay_conformance::report::Outcome;
use kuberay_conformance::run::CLUSTER;
use rstest::rstest;
use running::Running;
use serde_json::json;
use support::{is_required, turn};

/// One space less at the end of the args, another command, and every kind of wrong line, resource and job.
fn wrong_expectations() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let _turn = turn();
        let folder = tempfile::tempdir().unwrap();
        copy_scenario(
            "solution-1-background-command",
            "wrong-1",
            folder.path(),
            |file, text| match file {
                "scenario.yaml" => replaced(&with_checks(&text, WRONG_CHECKS_1), "timeout: 5m", "timeout: 90s"),
                name if name.starts_with("head.command@") => replaced(&text, "/bin/bash", "/bin/zsh"),
                name if name.starts_with("head.args@") => replaced(&text, "--num-cpus=1 \"", "--num-cpus=1\""),
                _ => text,
            },
        );
        copy_scenario(
            "solution-2-post-start-hook",
            "wrong-2",
            folder.path(),
            |file, text| match file {
                "scenario.yaml" => replaced(&with_checks(&text, WRONG_CHECKS_2), "timeout: 5m", "timeout: 90s"),
                _ => text,
            },
        );
        remove_snapshots(folder.path(), "wrong-2", "head.lifecycle@");
        for field in ["command", "args"] {
            remove_snapshots(folder.path(), "wrong-2", &format!("head.{field}@"));
        }
        run(folder.path(), &[])
    })
}

/// A scenario file with other checks.
fn with_checks(text: &str, checks: &str) -> String {
    let (head, _) = text.split_once("  checks:\n").unwrap();
    head.to_owned() + checks
}

const RAY_ANSWERS: &str = "  checks:\n    - ray: {nodes: 1}\n";

/// Copies a scenario whose only checks are these, so that no snapshot of it is left, and changes its files.
fn copy_to_check(of: &str, name: &str, into: &Path, checks: &str, change: impl Fn(&str, String) -> String) {
    copy_scenario(of, name, into, |file, text| {
        let text = change(file, text);
        if file == "scenario.yaml" {
            with_checks(&text, checks)
        } else {
            text
        }
    });
    for field in ["command", "args"] {
        remove_snapshots(into, name, &format!("head.{field}@"));
    }
}

/// Removes the snapshots of a field, of every class.
fn remove_snapshots(folder: &Path, scenario: &str, start: &str) {
    let files = std::fs::read_dir(folder.join(scenario))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let of_field = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(start);
    let found: Vec<_> = files.filter(of_field).collect();
    assert!(!found.is_empty(), "{scenario} has no snapshot {start}");
    for path in &found {
        std::fs::remove_file(path).unwrap();
    }
}

const WRONG_CHECKS_1: &str = r#"  checks:
    - pod: {role: head, snapshot: [command]}
    - pod: {role: head, snapshot: [args]}
    - logs:
        role: head
        lines:
          - must: Connected to Ray cluster.
          - must: "Connecting to existing Ray cluster at address: <pod-ip>:6379"
    - logs:
        role: head
        lines:
          - must: "INFO: Print Ray cluster resources"
          - must: a line that nobody writes
    - logs:
        role: head
        lines:
          - resources: {CPU: 2}
    - logs:
        role: head
        within: 20s
        lines:
          - must: another line that nobody writes
"#;

const WRONG_CHECKS_2: &str = r#"  checks:
    - job:
        entrypoint: 'python -c "import ray; ray.init(); print(ray.cluster_resources())"'
        status: FAILED
    - job:
        entrypoint: 'python -c "import ray; ray.init(); print(ray.nodes())"'
        status: SUCCEEDED
"#;

#[rstest]
#[case::command("wrong-1", 0, &["head.command@", "/bin/zsh", "/bin/bash"])]
#[case::one_space_in_args("wrong-1", 1, &["head.args@", "--num-cpus=1"])]
#[case::log_order("wrong-1", 2, &["Connecting to existing Ray cluster", "before", "Connected to Ray cluster."])]
#[case::log_presence("wrong-1", 3, &["a line that nobody writes"])]
#[case::resources("wrong-1", 4, &["CPU", "2", "1"])]
#[case::own_limit("wrong-1", 5, &["another line that nobody writes", "given up at the check's limit of 20s"])]
#[case::job_status("wrong-2", 0, &["FAILED", "SUCCEEDED"])]
#[case::job_entrypoint("wrong-2", 1, &["ray.nodes()", "ray.cluster_resources()"])]
fn a_wrong_expectation_fails_for_its_own_reason(#[case] scenario: &str, #[case] number: usize, #[case] named: &[&str]) {
    if !is_required("kind") {
        return;
    }
    let ran = wrong_expectations();
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let check = ran.check(scenario, number);
    assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
    let shown = [
        Some(&check.message),
        check.expected.as_ref(),
        check.found.as_ref(),
        check.diff.as_ref(),
    ]
    .map(Option::<&String>::cloned);
    let shown = shown.into_iter().flatten().collect::<Vec<_>>().join("\n");
    for part in named {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    // What is in the results is printed, too, with the place in the scenario file.
    let place = format!("scenario.yaml:{}:{}", check.location.line, check.location.column);
    assert!(ran.text().contains(&place), "`{place}` is not in:\n{}", ran.text());
}

#[test]
fn a_failure_keeps_its_evidence() {
    if !is_required("kind") {
        return;
    }
    let ran = wrong_expectations();
    let folder = ran.folder.path().join(ran.cell("wrong-1").evidence.as_ref().unwrap());
    let mut files = Vec::new();
    collect(&folder, &mut files);
    let names = files.join(" ");
    for part in ["pods", "events", "operator", "sent", "ray-head"] {
        assert!(names.contains(part), "no file of `{part}` in {names}");
    }
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.push(path.display().to_string());
        if path.is_dir() {
            collect(&path, files);
        }
    }
}

/// The script's last line comes all the same, so only the rest of the log tells that it failed.
#[test]
fn a_script_that_fails_is_told_from_one_that_works() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let name = "broken-script";
    copy_to_check(
        "solution-1-background-command",
        name,
        folder.path(),
        CHECKS_OF_A_SCRIPT,
        |file, text| match file {
            "ray-example.yaml" => replaced(&text, "import ray;", "import raay;"),
            _ => text,
        },
    );
    let ran = run(folder.path(), &[]);
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let last_line = ran.check(name, 0);
    assert_eq!(last_line.outcome, Outcome::Passed, "{last_line:?}");
    let whole = ran.check(name, 1);
    assert_eq!(whole.outcome, Outcome::Failed, "{whole:?}");
    assert!(whole.message.contains("ModuleNotFoundError"), "{}", whole.message);
}

const CHECKS_OF_A_SCRIPT: &str = r#"  checks:
    - logs:
        role: head
        lines:
          - must: "INFO: Print Ray cluster resources"
    - logs:
        role: head
        after: [rayReady]
        lines:
          - must: "INFO: Print Ray cluster resources"
          - not: ModuleNotFoundError
    - ray: {nodes: 1}
"#;

/// Its value is in the log that the failure quotes, under a name that tells nothing.
#[test]
fn the_value_of_a_secret_is_in_no_report() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    copy_to_check(
        "before-ray-start",
        "with-secret",
        folder.path(),
        RAY_ANSWERS,
        |file, text| match file {
            "scenario.yaml" => replaced(&text, "[raycluster.yaml]", "[secret.yaml, raycluster.yaml]"),
            "raycluster.yaml" => replaced(
                &text,
                "command: [\"echo 123\"]",
                "env: [{name: WORD, valueFrom: {secretKeyRef: {name: words, key: word}}}]\n            \
             command: [\"echo the word is $WORD; exit 3;\"]",
            ),
            _ => text,
        },
    );
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: words}\nstringData: {word: canary-4711}\n";
    std::fs::write(folder.path().join("with-secret/secret.yaml"), secret).unwrap();
    let ran = run(folder.path(), &[]);
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let mut files = Vec::new();
    collect(ran.folder.path(), &mut files);
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let texts: Vec<_> = texts.chain([ran.text()]).collect();
    assert!(texts.iter().any(|text| text.contains("the word is [redacted]")));
    assert!(texts.iter().all(|text| !text.contains("canary-4711")), "{}", ran.text());
}

/// A head that can't start: what is wrong with it, and what the message must name.
#[rstest]
#[case::image_that_does_not_exist("image: rayproject/ray:2.52.0", "image: rayproject/ray:0.0.0-none", &["rayproject/ray:0.0.0-none"])]
#[case::refused_by_the_api("headGroupSpec:", "headGroupSpecs:", &["headGroupSpec", "refused"])]
#[case::command_that_exits("command: [\"echo 123\"]", "command: [\"exit 3;\"]", &["exited", "3"])]
#[case::more_than_a_node_has("requests: {cpu: 500m", "requests: {cpu: \"64\"", &["64", "node"])]
fn a_head_that_cannot_start_ends_in_seconds(#[case] old: &str, #[case] new: &str, #[case] named: &[&str]) {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    copy_to_check(
        "before-ray-start",
        "broken",
        folder.path(),
        RAY_ANSWERS,
        |file, text| match file {
            "scenario.yaml" => replaced(&text, "changes: {image: true, rayVersion: true}", "changes: {}"),
            "raycluster.yaml" if old.starts_with("requests") => {
                // The limit must not be below the request, or the API server would refuse it for that.
                replaced(
                    &replaced(&text, old, new),
                    "limits: {cpu: \"1\"",
                    "limits: {cpu: \"64\"",
                )
            }
            "raycluster.yaml" => replaced(&text, old, new),
            _ => text,
        },
    );
    let ran = run(folder.path(), &[]);
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let cell = ran.cell("broken");
    let reason = cell.reason.clone().unwrap_or_default();
    for part in named {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
    assert!(!reason.contains("given up"), "it waited for its limit: {reason}");
    assert!(
        cell.duration_seconds < 60.0,
        "it took {} s: {reason}",
        cell.duration_seconds
    );
}

/// Each fits on a node, and together they would wait for one for ever.
#[test]
fn pods_that_only_fit_one_by_one_are_left_out_at_once() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    copy_scenario("worker-command", "too-many", folder.path(), |file, text| match file {
        "raycluster.yaml" => {
            let text = replaced(&text, "replicas: 1", "replicas: 200");
            replaced(&text, "maxReplicas: 1", "maxReplicas: 200")
        }
        _ => text,
    });
    is_left_out_at_once(folder.path(), "too-many", "201 Pods");
}

/// For want of room, with what is said of it and what to do; `--strict` fails a run for that.
fn is_left_out_at_once(folder: &Path, scenario: &str, said: &str) {
    let ran = run(folder, &["--strict"]);
    assert_eq!(ran.output.status.code(), Some(3), "{}", ran.text());
    let cell = ran.cell(scenario);
    assert_eq!(cell.outcome, Outcome::Skipped, "{}", ran.text());
    let reason = cell.reason.clone().unwrap_or_default();
    assert!(reason.contains(said) && reason.contains("--nodes"), "{reason}");
    assert!(cell.duration_seconds < 5.0, "it took {} s", cell.duration_seconds);
}

/// A Pod for each node, of all but 600m that it has. The control plane's own Pods take 750m of the first, wherever the others
/// are, so that it holds none; all that runs takes 1150m of two nodes, so that together they would have the room.
#[test]
fn pods_for_which_room_is_scattered_are_left_out_at_once() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let nodes = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api: Api<Node> = Api::all(client(&kubeconfig(CLUSTER)).await);
        api.list(&ListParams::default()).await.unwrap().items
    });
    let cpu = &nodes[0].status.as_ref().unwrap().allocatable.as_ref().unwrap()["cpu"].0;
    let millicores = cpu.parse::<usize>().unwrap() * 1000 - 600;
    let workers = nodes.len() - 1;
    let folder = tempfile::tempdir().unwrap();
    copy_scenario("worker-command", "scattered", folder.path(), |file, text| match file {
        "raycluster.yaml" => {
            let text = replaced(&text, "replicas: 1", &format!("replicas: {workers}"));
            let text = replaced(&text, "maxReplicas: 1", &format!("maxReplicas: {workers}"));
            // Of the head and of the workers.
            text.replace("cpu: \"1\"", &format!("cpu: {millicores}m"))
                .replace("cpu: 500m", &format!("cpu: {millicores}m"))
        }
        _ => text,
    });
    is_left_out_at_once(folder.path(), "scattered", "whole on a node");
}

/// One image does not exist; the other does, and is not for an operator.
#[test]
fn an_operator_that_cannot_start_ends_the_run_with_the_cause() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let absent = "quay.io/kuberay/operator:v0.0.0-none";
    // What a node finds first of the second depends on whether it was built here, with a user by name, or pulled.
    let images: [(&str, &[&str]); 2] = [
        (absent, &["ImagePullBackOff"]),
        ("rayproject/ray:2.52.0", &["runAsNonRoot", "/manager", "exit code"]),
    ];
    let said = images.map(|(image, causes)| (causes, run_with_operator(image)));
    // What the next test needs.
    let restored = support::program().arg("up").output().unwrap();
    assert!(said[0].1.1.contains(&format!("of image {absent}")), "{}", said[0].1.1);
    for (causes, (code, text)) in said {
        assert_eq!(code, Some(3), "{text}");
        let told = text
            .lines()
            .find(|line| line.contains("the operator 1.6.2 can't start: "));
        let told = told.unwrap_or_else(|| panic!("no cause is told: {text}"));
        assert!(causes.iter().any(|cause| told.contains(cause)), "{told}");
        assert!(
            !text.contains("was not available within"),
            "it waited for its limit: {text}"
        );
    }
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
}

fn run_with_operator(image: &str) -> (Option<i32>, String) {
    let output = tempfile::tempdir().unwrap();
    let output = run_of(&support::scenarios(), output.path(), &["--operator-image", image])
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    (output.status.code(), format!("{out}{error}"))
}

/// Ray is what the cell waits for; that it can't be known any more is the environment's fault, and no failure.
#[test]
fn an_operator_that_goes_while_a_cell_waits_is_named() {
    if !is_required("kind") {
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    copy_to_check(
        "before-ray-start",
        "waits",
        folder.path(),
        RAY_ANSWERS,
        |file, text| match file {
            "raycluster.yaml" => replaced(
                &text,
                "command: [\"echo 123\"]",
                "command: [\"trap exit TERM; sleep 90 & wait;\"]",
            ),
            _ => text,
        },
    );
    let output = folder.path().join("output");
    let mut run = Running::start(run_of(folder.path(), &output, &[]));
    run.until("applying to the namespace");
    scale_operator(0);
    let back = Back;
    let (status, text) = run.end();
    drop(back);
    let restored = support::program().arg("up").output().unwrap();
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    assert_eq!(status.code(), Some(3), "{text}");
    assert!(
        text.contains("the operator default/kuberay-operator has not been running for"),
        "{text}"
    );
    assert!(text.contains("it has no Pod"), "{text}");
    assert!(!text.contains("given up at"), "it waited for its limit: {text}");
}

/// Whatever a test finds, the next one has an operator.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        scale_operator(1);
    }
}

fn scale_operator(replicas: i32) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api: Api<Deployment> = Api::namespaced(client(&kubeconfig(CLUSTER)).await, "default");
        let patch = json!({"spec": {"replicas": replicas}});
        let patch = Patch::Merge(&patch);
        api.patch_scale("kuberay-operator", &PatchParams::default(), &patch)
            .await
            .unwrap();
    });
}
