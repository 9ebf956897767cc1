//! An operator of a release that no class names is compared with the newest class, and what differs
//! is found.
//!
//! The operators are copies of the newest release's program, made here, in which a text was
//! replaced by another of the same length. They run on API servers.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::report::{Outcome, RunResult, Silent};

use semver::Version;

use crate::support::{exclusive, newest, program, scenarios};

/// A patch release after the newest that can be had here.
fn new() -> String {
    let newest: Version = newest().parse().unwrap();
    format!("{}.{}.9", newest.major, newest.minor)
}

const SCENARIOS: [&str; 3] = [
    "default-command",
    "generated-start-command-in-env",
    "worker-address",
];

/// The newest release's program and its CRDs.
fn parts() -> (PathBuf, PathBuf) {
    let programs = Programs::new(Store::open().unwrap(), SourcePolicy::Auto, Arc::new(Silent));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let release = newest().parse().unwrap();
        let module = programs.operator_module(&release).await.unwrap();
        (
            programs.operator(&release).await.unwrap(),
            module.join("config/crd/bases"),
        )
    })
}

/// The bytes with each of these texts replaced by another of the same length.
fn patched(mut bytes: Vec<u8>, changes: &[(&str, &str)]) -> Vec<u8> {
    for (old, new) in changes {
        assert_eq!(old.len(), new.len());
        let mut found = 0;
        let mut at = 0;
        while at + old.len() <= bytes.len() {
            if bytes[at..].starts_with(old.as_bytes()) {
                bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
                found += 1;
            }
            at += 1;
        }
        assert!(found > 0, "`{old}` is not in the program");
    }
    bytes
}

/// Runs a few scenarios on the program as if it were a new release's.
fn run(folder: &Path, bytes: &[u8], crds: &Path) -> (Output, String, RunResult) {
    use std::os::unix::fs::PermissionsExt as _;
    let (binary, output) = (folder.join("manager"), folder.join("output"));
    std::fs::write(&binary, bytes).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = program();
    command
        .arg("run")
        .args(SCENARIOS)
        .args(["--operator", &new(), "--operator-binary"])
        .arg(&binary);
    command
        .arg("--crds")
        .arg(crds)
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--output")
        .arg(&output);
    let ran = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    let results = std::fs::read_to_string(output.join("results.json"))
        .unwrap_or_else(|error| panic!("{error}: {said}"));
    (ran, said, serde_json::from_str(&results).unwrap())
}

#[test]
#[ignore = "needs envtest"]
fn a_release_without_a_class_is_compared_with_the_newest() {
    let _exclusive = exclusive();
    let (folder, (program, crds)) = (tempfile::tempdir().unwrap(), parts());
    let bytes = std::fs::read(program).unwrap();

    // It says itself which release it is, and does all as the newest does.
    let old = format!("v{}", newest());
    let renamed = patched(bytes.clone(), &[(&old, &format!("v{}", new()))]);
    let (ran, said, result) = run(folder.path(), &renamed, &crds);
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(result.cases.len() >= SCENARIOS.len(), "{said}");
    assert!(
        said.contains(&format!(
            "KubeRay {} is newer than the known releases of",
            new()
        )),
        "{said}"
    );

    // With one difference, each scenario that shows it fails, with the difference and what it was
    // compared with.
    let different = patched(renamed, &[("ulimit -n ", "ulimit -S ")]);
    let (ran, said, result) = run(folder.path(), &different, &crds);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    for case in result
        .cases
        .iter()
        .filter(|case| case.scenario == "default-command")
    {
        assert_eq!(case.outcome, Outcome::Failed, "{said}");
        let check = case
            .checks
            .iter()
            .find(|check| check.outcome == Outcome::Failed)
            .unwrap();
        assert!(
            check.message.contains("args differs from head.args@ge-"),
            "{}",
            check.message
        );
        let diff = check.diff.as_deref().unwrap_or_default();
        assert!(diff.contains("ulimit -n "), "{diff}");
        assert!(diff.contains("ulimit -S "), "{diff}");
    }
    assert!(
        result
            .cases
            .iter()
            .any(|case| case.scenario == "default-command"),
        "{said}"
    );

    // A program that names another release than it is said to be is found, too: reports tell what
    // users will see.
    let (ran, said, result) = run(folder.path(), &bytes, &crds);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    let failed: Vec<_> = result
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed)
        .collect();
    assert!(!failed.is_empty(), "{said}");
    assert!(said.contains(&format!("kuberay_version={old}")), "{said}");
}
