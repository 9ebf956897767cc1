//! `cargo test` at the root runs the tests of every crate.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo at the root and returns its standard output.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?} failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the workspace, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let metadata = cargo(&[
        "metadata",
        "--locked",
        "--offline",
        "--no-deps",
        "--format-version",
        "1",
    ]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// A path of `cargo metadata`, relative to the root.
fn relative(path: &Value) -> String {
    let path = Path::new(path.as_str().unwrap());
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn cargo_test_lists_the_unit_tests_of_every_package() {
    let mut libraries = BTreeSet::new();
    for package in packages() {
        let targets = package["targets"].as_array().unwrap();
        let library = targets
            .iter()
            .find(|target| target["kind"].as_array().unwrap().contains(&"lib".into()));
        let library = library.unwrap_or_else(|| panic!("{} has no library", package["name"]));
        libraries.insert(relative(&library["src_path"]));
    }

    let build = [
        "test",
        "--locked",
        "--offline",
        "--lib",
        "--no-run",
        "--message-format",
        "json",
    ];
    let mut listed = BTreeSet::new();
    for line in cargo(&build).lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let Some(program) = message["executable"].as_str() else {
            continue;
        };
        let output = Command::new(program).arg("--list").output().unwrap();
        let tests = String::from_utf8(output.stdout).unwrap();
        if tests.lines().any(|line| line.ends_with(": test")) {
            listed.insert(relative(&message["target"]["src_path"]));
        }
    }

    assert_eq!(
        listed, libraries,
        "`cargo test` (left) leaves out crates of the workspace (right); add them to `default-members` in Cargo.toml"
    );
}

#[test]
fn every_crate_below_harness_is_a_member_of_the_workspace() {
    let members: BTreeSet<String> = packages()
        .iter()
        .map(|package| relative(&package["manifest_path"]))
        .collect();
    let mut manifests = BTreeSet::from(["Cargo.toml".to_owned()]);
    for entry in std::fs::read_dir(root().join("harness")).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        let manifest = format!("harness/{folder}/Cargo.toml");
        if root().join(&manifest).exists() {
            manifests.insert(manifest);
        }
    }
    assert_eq!(members, manifests, "members (left) differ from the manifests (right)");
}
