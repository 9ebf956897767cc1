//! `cargo insta` works on our snapshots: it lists one that our code wrote as pending, and accepts
//! it without loss.

use assert_matches::assert_matches;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use kuberay_conformance::check::{Comparison, Expectations, Subject};
use kuberay_conformance::expect::{SnapshotFolder, Verified};
use kuberay_conformance::scenario::{PodField, Role};
use serde_json::json;

fn cargo_insta(package: &Path, arguments: &[&str]) -> Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("insta").args(arguments).current_dir(package);
    if !arguments.contains(&"--version") {
        command
            .arg("--manifest-path")
            .arg(package.join("Cargo.toml"));
    }
    // A workspace or a target folder of the outer `cargo test` must not be taken for the package's
    // own.
    for variable in [
        "CARGO_TARGET_DIR",
        "CARGO_MANIFEST_DIR",
        "INSTA_WORKSPACE_ROOT",
        "INSTA_PENDING_DIR",
    ] {
        command.env_remove(variable);
    }
    command.output().expect("cargo can be started")
}

fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
#[ignore = "needs cargo-insta"]
fn cargo_insta_lists_and_accepts_a_pending_snapshot() {
    let package = tempfile::tempdir().unwrap();
    let is_installed = cargo_insta(package.path(), &["--version"]).status.success();
    assert!(
        is_installed,
        "cargo insta is not installed: cargo install cargo-insta --locked"
    );
    let scenario = package.path().join("scenarios/x");
    fs::create_dir_all(&scenario).unwrap();
    fs::create_dir(package.path().join("src")).unwrap();
    fs::write(package.path().join("src/lib.rs"), "").unwrap();
    let manifest =
        "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
    // As in this repository: what is pending is not committed, and still has to be found.
    fs::write(package.path().join(".gitignore"), "*.snap.new\n").unwrap();

    let folder = || {
        let verified = Verified {
            ray: Some("2.52.0".parse().unwrap()),
            images: vec!["docker.io/rayproject/ray:2.52.0@sha256:0f3a".into()],
            write_pending: true,
        };
        SnapshotFolder::new(&scenario, "1.6.2".parse().unwrap(), "default", verified)
    };
    let subject = Subject::new(Role::Head, PodField::Args);
    let found = json!([" echo 123  456  && größer\n\r "]);
    assert_matches!(
        folder().compare(&subject, &found),
        Comparison::Missing { .. }
    );

    let listed = succeeded(&cargo_insta(
        package.path(),
        &["pending-snapshots", "--as-json"],
    ));
    assert!(listed.contains("head.args@ge-1.6.0.snap"), "{listed}");

    let pending = fs::read(scenario.join("head.args@ge-1.6.0.snap.new")).unwrap();
    succeeded(&cargo_insta(package.path(), &["accept"]));
    assert_eq!(
        fs::read(scenario.join("head.args@ge-1.6.0.snap")).unwrap(),
        pending
    );
    assert!(!scenario.join("head.args@ge-1.6.0.snap.new").exists());
    assert_matches!(folder().compare(&subject, &found), Comparison::Equal { .. });
}
