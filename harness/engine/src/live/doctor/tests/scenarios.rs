//! The repository's own scenarios: each hazard is named first, and no healthy Pod is accused.

use std::path::{Path, PathBuf};

use kuberay_manifest::Severity;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::contract::{EffectiveSettings, predict};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The RayClusters of a scenario.
fn clusters(scenario: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(scenario).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "yaml") || name == "scenario.yaml" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let documents = serde_saphyr::from_multiple::<Value>(&text).unwrap_or_default();
        found.extend(
            documents
                .into_iter()
                .filter(|one| one["kind"] == "RayCluster"),
        );
    }
    for cluster in &mut found {
        let meta = &mut cluster["metadata"];
        meta["namespace"] = "team".into();
        meta["uid"] = "uid-demo".into();
        meta["generation"] = 1.into();
        meta["creationTimestamp"] = CREATED.into();
        // Names that tell nothing.
        meta["name"] = "demo".into();
    }
    found
}

const SYNTAX: &str = "/bin/bash: -c: line 2: syntax error near unexpected token `&&'\n";
const NO_RAY: &str = "/bin/bash: line 1: ray: command not found\n";
const RUNNING: &str =
    "ConnectionError: Ray is trying to start at 10.0.0.1:6379, but is already running at it.\n";

/// As `harness/tests/shared_cluster/slow/hazards.rs` shows on a real Ray.
#[rstest]
#[case("exit-ends-the-container", 3, "", "ends-shell")]
#[case("exec-replaces-the-shell", 7, "", "ends-shell")]
#[case("errexit-before-the-last-command", 1, "", "errexit")]
#[case(
    "errexit-and-the-limit",
    1,
    "ulimit: open files: cannot modify limit: x\n",
    "errexit"
)]
#[case("trailing-semicolon", 2, SYNTAX, "trailing-semicolon")]
#[case("trailing-ampersand", 2, SYNTAX, "trailing-ampersand")]
#[case("trailing-newline", 2, SYNTAX, "trailing-newline")]
#[case("trailing-comment", 0, "", "trailing-comment")]
#[case("ray-start-only-mentioned", 0, "", "ray-start-in-text")]
#[case("ray-started-twice", 1, RUNNING, "ray-start-in-words")]
#[case("variables-before-the-shell", 5, "", "ends-shell")]
#[case("parameters-are-shell-text", 2, "", "shell-in-parameter")]
#[case("path-set-by-a-profile", 127, NO_RAY, "ray-not-in-path")]
fn a_hazard_is_named_first(
    #[case] scenario: &str,
    #[case] code: i64,
    #[case] log: &str,
    #[case] expected: &str,
) {
    let cluster = clusters(&folder().join(scenario)).remove(0);
    let mut bundle = bundle(cluster, "1.6.2");
    let objects = bundle.ends("head", code, log).report().objects;
    let causes: Vec<&str> = objects[0]
        .findings
        .iter()
        .map(|one| one.cause.as_str())
        .collect();
    assert_eq!(causes.first(), Some(&expected), "{causes:?}");
}

#[test]
fn pods_that_run_are_no_problem_in_any_scenario() {
    let mut count = 0;
    let mut accused = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let scenario = entry.unwrap().path();
        for release in ["1.2.2", "1.4.2", "1.6.2", "1.7.0"] {
            for cluster in clusters(&scenario) {
                let settings = EffectiveSettings::default();
                if predict(&release.parse().unwrap(), &settings, &cluster).is_err() {
                    continue;
                }
                // A worker for each group.
                let mut cluster = cluster;
                for group in cluster["spec"]["workerGroupSpecs"]
                    .as_array_mut()
                    .into_iter()
                    .flatten()
                {
                    group["replicas"] = 1.into();
                    group.as_object_mut().unwrap().remove("numOfHosts");
                }
                count += 1;
                let bundle = bundle(cluster, release);
                let objects = bundle.report().objects;
                let problems = objects[0].findings.iter().filter(|one| {
                    one.severity == Severity::Error && one.cause != "shell-without-script"
                });
                let problems: Vec<&str> = problems.map(|one| one.cause.as_str()).collect();
                if !problems.is_empty() {
                    accused.push(format!("{} on {release}: {problems:?}", scenario.display()));
                }
            }
        }
    }
    assert!(count > 200, "{count} RayClusters");
    assert!(accused.is_empty(), "{}", accused.join("\n"));
}
