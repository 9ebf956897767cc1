//! Expectations that are wrong and heads that can't start: each fails, for its own reason, and in
//! time.
//!
//! They run the program itself on the cluster that is up, so they need one (`kuberay-conformance
//! cluster up`).

use std::path::Path;
use std::sync::OnceLock;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;
use kuberay_conformance::provider::CLUSTER;
use kuberay_conformance::report::Outcome;
use rstest::rstest;

use crate::support::cluster::{client, kubeconfig};
use crate::support::copies::{Ran, copy_scenario, replaced, run};
use crate::support::exclusive;

/// One run of all scenarios of these tests that leave the operator alone: what they wait for passes
/// at the same time.
fn faulty() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    let ran = RAN.get_or_init(|| {
        let _exclusive = exclusive();
        let folder = tempfile::tempdir().unwrap();
        wrong_expectations(folder.path());
        script_that_fails(folder.path());
        secret(folder.path());
        for (name, old, new) in CANNOT_START {
            head_that_cannot_start(folder.path(), name, old, new);
        }
        run(folder.path(), &[])
    });
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    ran
}

/// One space less at the end of the args, another command, and every kind of wrong line, resource
/// and job.
fn wrong_expectations(folder: &Path) {
    copy_scenario(
        "solution-1-background-command",
        "wrong-1",
        folder,
        |file, text| match file {
            "scenario.yaml" => replaced(
                &with_checks(&text, WRONG_CHECKS_1),
                "timeout: 5m",
                "timeout: 90s",
            ),
            name if name.starts_with("head.command@") => replaced(&text, "/bin/bash", "/bin/zsh"),
            name if name.starts_with("head.args@") => {
                replaced(&text, "--num-cpus=1 \"", "--num-cpus=1\"")
            }
            _ => text,
        },
    );
    copy_scenario(
        "solution-2-post-start-hook",
        "wrong-2",
        folder,
        |file, text| match file {
            // Ray starts the job some time after its own start, on a busy machine two minutes
            // later.
            "scenario.yaml" => replaced(
                &with_checks(&text, WRONG_CHECKS_2),
                "timeout: 5m",
                "timeout: 3m",
            ),
            _ => text,
        },
    );
    remove_snapshots(folder, "wrong-2", "head.lifecycle@");
    for field in ["command", "args"] {
        remove_snapshots(folder, "wrong-2", &format!("head.{field}@"));
    }
}

/// A scenario file with other checks.
fn with_checks(text: &str, checks: &str) -> String {
    let (head, _) = text.split_once("  checks:\n").unwrap();
    head.to_owned() + checks
}

pub const RAY_ANSWERS: &str = "  checks:\n    - ray: {nodes: 1}\n";

/// Copies a scenario whose only checks are these, so that no snapshot of it is left, and changes
/// its files.
pub fn copy_to_check(
    of: &str,
    name: &str,
    into: &Path,
    checks: &str,
    change: impl Fn(&str, String) -> String,
) {
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
    let of_field = |path: &std::path::PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(start)
    };
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
#[ignore = "needs kind"]
fn a_wrong_expectation_fails_for_its_own_reason(
    #[case] scenario: &str,
    #[case] number: usize,
    #[case] named: &[&str],
) {
    let ran = faulty();
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
    let place = format!(
        "scenario.yaml:{}:{}",
        check.location.line, check.location.column
    );
    assert!(
        ran.text().contains(&place),
        "`{place}` is not in:\n{}",
        ran.text()
    );
}

#[test]
#[ignore = "needs kind"]
fn a_failure_keeps_its_evidence() {
    let ran = faulty();
    let folder = ran
        .folder
        .path()
        .join(ran.case("wrong-1").evidence.as_ref().unwrap());
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

fn script_that_fails(folder: &Path) {
    copy_to_check(
        "solution-1-background-command",
        BROKEN_SCRIPT,
        folder,
        CHECKS_OF_A_SCRIPT,
        |file, text| match file {
            "ray-example.yaml" => replaced(&text, "import ray;", "import raay;"),
            _ => text,
        },
    );
}

/// The script's last line comes all the same, so only the rest of the log tells that it failed.
#[test]
#[ignore = "needs kind"]
fn a_script_that_fails_is_told_from_one_that_works() {
    let ran = faulty();
    let last_line = ran.check(BROKEN_SCRIPT, 0);
    assert_eq!(last_line.outcome, Outcome::Passed, "{last_line:?}");
    let whole = ran.check(BROKEN_SCRIPT, 1);
    assert_eq!(whole.outcome, Outcome::Failed, "{whole:?}");
    assert!(
        whole.message.contains("ModuleNotFoundError"),
        "{}",
        whole.message
    );
}

const BROKEN_SCRIPT: &str = "broken-script";

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

fn secret(folder: &Path) {
    copy_to_check(
        "before-ray-start",
        "with-secret",
        folder,
        RAY_ANSWERS,
        |file, text| match file {
            "scenario.yaml" => {
                replaced(&text, "[raycluster.yaml]", "[secret.yaml, raycluster.yaml]")
            }
            "raycluster.yaml" => replaced(
                &text,
                "command: [\"echo 123\"]",
                "env: [{name: WORD, valueFrom: {secretKeyRef: {name: words, key: word}}}]\n            \
             command: [\"echo the word is $WORD; exit 3;\"]",
            ),
            _ => text,
        },
    );
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: words}\nstringData: {word: canary-4711}\n";
    std::fs::write(folder.join("with-secret/secret.yaml"), secret).unwrap();
}

/// Its value is in the log that the failure quotes, under a name that tells nothing.
#[test]
#[ignore = "needs kind"]
fn the_value_of_a_secret_is_in_no_report() {
    let ran = faulty();
    assert_eq!(ran.case("with-secret").outcome, Outcome::Failed);
    let mut files = Vec::new();
    collect(ran.folder.path(), &mut files);
    let texts = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let texts: Vec<_> = texts.chain([ran.text()]).collect();
    assert!(
        texts
            .iter()
            .any(|text| text.contains("the word is [redacted]")),
        "{}",
        ran.text()
    );
    assert!(
        texts.iter().all(|text| !text.contains("canary-4711")),
        "{}",
        ran.text()
    );
}

/// Heads that can't start: the scenario's name, and the text of its manifest that another takes the
/// place of.
const CANNOT_START: [(&str, &str, &str); 4] = [
    (
        "image-that-does-not-exist",
        "image: rayproject/ray:2.52.0",
        "image: rayproject/ray:0.0.0-none",
    ),
    ("refused-by-the-api", "headGroupSpec:", "headGroupSpecs:"),
    (
        "command-that-exits",
        "command: [\"echo 123\"]",
        "command: [\"exit 3;\"]",
    ),
    (
        "more-than-a-node-has",
        "requests: {cpu: 500m",
        "requests: {cpu: \"64\"",
    ),
];

fn head_that_cannot_start(folder: &Path, name: &str, old: &str, new: &str) {
    copy_to_check(
        "before-ray-start",
        name,
        folder,
        RAY_ANSWERS,
        |file, text| match file {
            "scenario.yaml" => replaced(
                &text,
                "changes: {image: true, rayVersion: true}",
                "changes: {}",
            ),
            "raycluster.yaml" if old.starts_with("requests") => {
                // The limit must not be below the request, or the API server would refuse it for
                // that.
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
}

/// The message names what is wrong.
#[rstest]
#[case("image-that-does-not-exist", &["rayproject/ray:0.0.0-none"])]
#[case("refused-by-the-api", &["headGroupSpec", "refused"])]
#[case("command-that-exits", &["exited", "3"])]
#[case("more-than-a-node-has", &["64", "node"])]
#[ignore = "needs kind"]
fn a_head_that_cannot_start_ends_in_seconds(#[case] scenario: &str, #[case] named: &[&str]) {
    let case = faulty().case(scenario);
    assert_eq!(case.outcome, Outcome::Failed, "{case:?}");
    let reason = case.reason.clone().unwrap_or_default();
    for part in named {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
    assert!(
        !reason.contains("given up"),
        "it waited for its limit: {reason}"
    );
    assert!(
        case.duration_seconds < 60.0,
        "it took {} s: {reason}",
        case.duration_seconds
    );
}

/// Each fits on a node, and together they would wait for one for ever.
#[test]
#[ignore = "needs kind"]
fn pods_that_only_fit_one_by_one_are_left_out_at_once() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    copy_scenario(
        "worker-command",
        "too-many",
        folder.path(),
        |file, text| match file {
            "raycluster.yaml" => {
                let text = replaced(&text, "replicas: 1", "replicas: 200");
                replaced(&text, "maxReplicas: 1", "maxReplicas: 200")
            }
            _ => text,
        },
    );
    is_left_out_at_once(folder.path(), "too-many", "201 Pods");
}

/// For want of room, with what is said of it and what to do; `--strict` fails a run for that.
fn is_left_out_at_once(folder: &Path, scenario: &str, said: &str) {
    let ran = run(folder, &["--strict"]);
    assert_eq!(ran.output.status.code(), Some(3), "{}", ran.text());
    let case = ran.case(scenario);
    assert_eq!(case.outcome, Outcome::Skipped, "{}", ran.text());
    let reason = case.reason.clone().unwrap_or_default();
    assert!(reason.contains(said), "{reason}");
    assert!(reason.contains("--nodes"), "{reason}");
    assert!(
        case.duration_seconds < 5.0,
        "it took {} s",
        case.duration_seconds
    );
}

/// A Pod for each node, of all but 600m that it has. The control plane's own Pods take 750m of the
/// first, wherever the others are, so that it holds none; all that runs takes 1150m of two nodes,
/// so that together they would have the room.
#[test]
#[ignore = "needs kind"]
fn pods_for_which_room_is_scattered_are_left_out_at_once() {
    let _exclusive = exclusive();
    let nodes = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api: Api<Node> = Api::all(client(&kubeconfig(CLUSTER)).await);
        api.list(&ListParams::default()).await.unwrap().items
    });
    let cpu = &nodes[0]
        .status
        .as_ref()
        .unwrap()
        .allocatable
        .as_ref()
        .unwrap()["cpu"]
        .0;
    let millicores = cpu.parse::<usize>().unwrap() * 1000 - 600;
    let workers = nodes.len() - 1;
    let folder = tempfile::tempdir().unwrap();
    copy_scenario(
        "worker-command",
        "scattered",
        folder.path(),
        |file, text| match file {
            "raycluster.yaml" => {
                let text = replaced(&text, "replicas: 1", &format!("replicas: {workers}"));
                let text = replaced(&text, "maxReplicas: 1", &format!("maxReplicas: {workers}"));
                // Of the head and of the workers.
                text.replace("cpu: \"1\"", &format!("cpu: {millicores}m"))
                    .replace("cpu: 500m", &format!("cpu: {millicores}m"))
            }
            _ => text,
        },
    );
    is_left_out_at_once(folder.path(), "scattered", "whole on a node");
}
