//! Files that others made: results, reports, bundles, manifests and settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{failed_results, program, text};

/// No command waits longer for a file that holds nothing.
const AT_ONCE: Duration = Duration::from_secs(20);

/// What a command prints, which must not wait for anything.
fn at_once(arguments: &[&str]) -> Output {
    let mut child = program(arguments).stdin(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > AT_ONCE {
            child.kill().unwrap();
            panic!("{arguments:?} waits for a pipe into which nobody writes");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn a_summary_that_can_not_be_written_is_an_error_and_annotations_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let results = failed_results(folder.path());
    let into = folder.path().join("into").display().to_string();
    let output = program(&["report", "merge", &results, "--output", &into])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", folder.path())
        .output()
        .unwrap();
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("error: "), "{said}");
    assert!(printed.contains("\n::error file="), "{printed}");
}

/// Results of a run that could be published, of an operator with this release.
fn publishable(folder: &Path, release: &str) -> PathBuf {
    let path = PathBuf::from(failed_results(folder));
    let mut run: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    run["command"] = "kuberay-conformance run".into();
    run["cases"][0]["operator"] = release.into();
    run["cases"][0]["images"] = serde_json::json!(["operator@sha256:1c2d"]);
    std::fs::write(&path, run.to_string()).unwrap();
    path
}

#[test]
fn a_report_is_written_below_its_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    let reports = folder.path().join("a/reports");
    let publish = |release: &str| {
        let results = publishable(folder.path(), release).display().to_string();
        let reports = reports.display().to_string();
        let arguments = [
            "report",
            "publish",
            &results,
            "--who",
            "acme",
            "--reports",
            &reports,
        ];
        program(&arguments).output().unwrap()
    };
    for release in [outside.to_str().unwrap(), "../../outside", "..", ""] {
        let output = publish(release);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{release}: {said}");
        assert!(said.contains("is no release of KubeRay"), "{said}");
        assert!(!outside.exists(), "{release} was written");
        assert!(!reports.exists(), "{release} was written");
    }
    let output = publish("1.6.2");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(reports.join("1.6.2/acme-envtest.yaml").is_file());
}

#[test]
fn a_report_that_names_another_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let results = publishable(folder.path(), "1.6.2").display().to_string();
    let reports = folder.path().join("reports");
    let named = reports.display().to_string();
    let arguments = [
        "report",
        "publish",
        &results,
        "--who",
        "acme",
        "--reports",
        &named,
    ];
    let output = program(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let path = reports.join("1.6.2/acme-envtest.yaml");
    let text_of_report = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("name: acme-envtest", "name: 'acme)](javascript:alert(1))'"),
        ("who: acme", "who: '../acme'"),
        ("release: \"1.6.2\"", "release: '..'"),
    ] {
        assert!(text_of_report.contains(from), "{text_of_report}");
        std::fs::write(&path, text_of_report.replace(from, to)).unwrap();
        let output = at_once(&["docs", "programme", "--reports", &named]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{to}: {said}");
        assert!(said.contains("acme-envtest.yaml"), "{to}: {said}");
    }
}
