//! One expectation of each scenario about workers, overwriting and what stands around the command,
//! broken: it fails, and for its own reason.
//!
//! They run the program itself on the cluster that is up, so they need one (`kuberay-conformance
//! cluster up`).

use std::path::Path;
use std::sync::OnceLock;

use kuberay_conformance::report::Outcome;
use rstest::rstest;

use crate::support::copies::{Ran, copy_scenario, replaced, run};
use crate::support::exclusive;

/// A scenario whose checks are replaced by one that is wrong, and, where that needs it, a change of
/// its manifest.
struct Broken {
    scenario: &'static str,
    check: &'static str,
    manifest: Option<(&'static str, &'static str)>,
}

const fn wrong(scenario: &'static str, check: &'static str) -> Broken {
    Broken {
        scenario,
        check,
        manifest: None,
    }
}

const BROKEN: &[Broken] = &[
    wrong("worker-command", "ray: {nodes: 2, resources: {CPU: 3}}"),
    wrong(
        "worker-background-and-hook",
        r#"job: {entrypoint: 'python -c "import ray; ray.init(); print(ray.cluster_resources())"', status: SUCCEEDED}"#,
    ),
    wrong(
        "sample-overwrite-command",
        "ray: {nodes: 2, resources: {memory: 5Gi}}",
    ),
    wrong(
        "overwrite-head-alone",
        "ray: {nodes: 2, resources: {lamps: 2}}",
    ),
    wrong(
        "generated-command-without-eval",
        "state: {role: head, exitCode: 0}",
    ),
    wrong(
        "worker-without-ray",
        "logs: {role: worker, container: wait-gcs-ready, after: [rayReady], lines: [{not: Waiting for GCS}]}",
    ),
    Broken {
        scenario: "probe-of-the-user-fails",
        check: "never: {for: 15s, after: rayReady, ready: {role: head}}",
        manifest: Some(("/tmp/no-such-file", "/tmp")),
    },
    wrong(
        "probe-of-the-user-restarts",
        "state: {role: head, exitCode: 0}",
    ),
    wrong("post-start-hook-fails", "state: {role: head, exitCode: 0}"),
    wrong(
        "post-start-hook-takes-long",
        "never: {for: 2m, after: rayReady, ready: {role: head}}",
    ),
    wrong(
        "autoscaler-adds-a-worker",
        "ray: {nodes: 2, resources: {CPU: 2}}",
    ),
    wrong(
        "rayjob",
        r#"job: {entrypoint: 'python -c "import ray; ray.init(); print(1 + 1, ''as it is'')"', status: SUCCEEDED}"#,
    ),
    wrong(
        "rayjob-entrypoint-of-two-commands",
        "job: {entrypoint: 'echo first half && echo second half in the submitter of two-halves-1', status: SUCCEEDED}",
    ),
    wrong(
        "rayservice-head",
        "logs: {role: head, after: [rayReady], lines: [{not: kuberay_crd=RayService}]}",
    ),
];

fn broken() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let _exclusive = exclusive();
        let folder = tempfile::tempdir().unwrap();
        for broken in BROKEN {
            copy(broken, folder.path());
        }
        run(folder.path(), &[])
    })
}

fn copy(broken: &Broken, into: &Path) {
    copy_scenario(
        broken.scenario,
        broken.scenario,
        into,
        |file, text| match (file, broken.manifest) {
            ("scenario.yaml", _) => {
                let (head, _) = text.split_once("  checks:\n").unwrap();
                format!("{head}  checks:\n    - {}\n", broken.check)
            }
            (file, Some((old, new))) if file != "scenario.yaml" && !file.contains(".snap") => {
                replaced(&text, old, new)
            }
            _ => text,
        },
    );
    for entry in std::fs::read_dir(into.join(broken.scenario)).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "snap")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[rstest]
#[case("worker-command", &["resources of all nodes together differ", "CPU: 3", "CPU: 2"])]
#[case("worker-background-and-hook", &["the job ran on node", "not on that of the head Pod"])]
#[case("sample-overwrite-command", &["memory: 5368709120 (5Gi)", "memory: 6442450944"])]
#[case("overwrite-head-alone", &["lamps: 2", "lamps: 1"])]
#[case("generated-command-without-eval", &["exited 2 instead of 0"])]
#[case("worker-without-ray", &["Waiting for GCS"])]
#[case("probe-of-the-user-fails", &["is ready"])]
#[case("probe-of-the-user-restarts", &["exited 137 instead of 0"])]
#[case("post-start-hook-fails", &["instead of 0"])]
#[case("post-start-hook-takes-long", &["is ready", "the head Pod not ready for 2m after `rayReady`"])]
#[case("autoscaler-adds-a-worker", &["CPU: 2", "CPU: 1"])]
#[case("rayjob", &["another entrypoint", "as it is", "as  it  is"])]
#[case("rayjob-entrypoint-of-two-commands", &["another entrypoint", "echo first half && echo second half"])]
#[case("rayservice-head", &["kuberay_crd=RayService"])]
#[ignore = "needs kind, takes minutes"]
fn a_broken_expectation_fails_for_its_own_reason(#[case] scenario: &str, #[case] named: &[&str]) {
    let ran = broken();
    let check = ran.check(scenario, 0);
    assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
    let shown = [
        Some(&check.message),
        check.expected.as_ref(),
        check.found.as_ref(),
    ];
    let shown: Vec<&str> = shown.into_iter().flatten().map(String::as_str).collect();
    let shown = shown.join("\n");
    for part in named {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    // What fails at its limit fails for any reason.
    assert!(!check.message.contains("given up"), "{}", check.message);
}

#[test]
fn each_has_its_case() {
    let cases = include_str!("around.rs");
    for broken in BROKEN {
        let case = format!("#[case(\"{}\",", broken.scenario);
        assert!(cases.contains(&case), "{}", broken.scenario);
    }
}
