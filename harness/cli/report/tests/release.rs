//! What the scripts of a release print: its notes, and the manifest of the plugin for krew.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs a script of `ci/release`.
fn script(name: &str, arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/release");
    let mut command = Command::new("bash");
    command.arg(folder.join(name)).args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn notes_are_the_section_of_their_version() {
    let folder = tempfile::tempdir().unwrap();
    let changelog = folder.path().join("CHANGELOG.md");
    let sections = "# Changelog\n\n## [Unreleased]\n\n- next\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n\
        - new\n\n## [1.1.0]\n\n- old\n\n## [1.0.0]\n";
    std::fs::write(&changelog, sections).unwrap();
    let notes = |version| script("notes", &[version, changelog.to_str().unwrap()]);
    let found = notes("1.2.0");
    assert!(found.status.success(), "{}", text(&found.stderr));
    assert_eq!(text(&found.stdout).trim(), "### Added\n\n- new");
    // Neither a section that is absent nor an empty one makes a release.
    for version in ["1.2", "1.0.0", "2.0.0"] {
        let missing = notes(version);
        assert!(!missing.status.success(), "{version}");
        let problem = text(&missing.stderr);
        assert!(
            problem.contains("move those of \"Unreleased\" there"),
            "{problem}"
        );
    }
}

#[test]
fn the_plugin_of_krew_has_the_checksums_of_the_archives() {
    let folder = tempfile::tempdir().unwrap();
    let repository = "https://git.example.com/owner/name";
    let arguments = ["1.2.0", repository, folder.path().to_str().unwrap()];
    let archive = |host: &str| format!("kuberay-conformance-1.2.0-{host}.tar.gz");
    let hosts = [
        ("amd64", "x86_64-unknown-linux-gnu"),
        ("arm64", "aarch64-unknown-linux-gnu"),
    ];
    std::fs::write(folder.path().join(archive(hosts[0].1)), hosts[0].0).unwrap();
    let incomplete = script("krew", &arguments);
    assert!(!incomplete.status.success(), "an archive is missing");

    std::fs::write(folder.path().join(archive(hosts[1].1)), hosts[1].0).unwrap();
    let made = script("krew", &arguments);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let manifest: Value = serde_saphyr::from_str(text(&made.stdout)).unwrap();
    assert!(!text(&made.stdout).contains('@'), "{manifest:#}");
    assert_eq!(manifest["metadata"]["name"], "ray-doctor");
    assert_eq!(manifest["spec"]["version"], "v1.2.0");
    for (index, (architecture, host)) in hosts.into_iter().enumerate() {
        let platform = &manifest["spec"]["platforms"][index];
        assert_eq!(platform["selector"]["matchLabels"]["arch"], architecture);
        let address = format!("{repository}/releases/download/v1.2.0/{}", archive(host));
        assert_eq!(platform["uri"], address);
        let sum = format!("{:x}", <sha2::Sha256 as sha2::Digest>::digest(architecture));
        assert_eq!(platform["sha256"], sum);
        assert_eq!(platform["bin"], "kubectl-ray-doctor");
        assert_eq!(platform["files"][0]["from"], "*/kubectl-ray-doctor");
    }
}
