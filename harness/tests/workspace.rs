//! `cargo test` at the root runs the tests of every crate.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo at the root and returns its standard output and standard error.
fn cargo(arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_QUIET", "false")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "cargo {arguments:?} failed:\n{stderr}");
    (stdout, stderr)
}

/// The packages of the workspace, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let (metadata, _) = cargo(&[
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

    let (_, stderr) = cargo(&["test", "--locked", "--offline", "--lib", "--", "--list"]);
    let listed: BTreeSet<String> = stderr
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("Running unittests "))
        .map(|line| line.split_once(" (").map_or(line, |(path, _)| path).to_owned())
        .collect();

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
