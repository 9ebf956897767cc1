//! Files that others made: results, reports, bundles, manifests and settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;

use super::{failed_results, program, text};

/// No command waits longer for a file that holds nothing.
const AT_ONCE: Duration = Duration::from_secs(20);

fn fifo(path: &Path) -> String {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
    path.display().to_string()
}

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

#[rstest]
#[case::merged(&["report", "merge", "PIPE"])]
#[case::compared(&["report", "compare", "PIPE", "PIPE"])]
#[case::published(&["report", "publish", "PIPE", "--organization", "acme"])]
#[case::verified(&["report", "verify", "PIPE"])]
#[case::durations(&["docs", "durations", "--results", "PIPE"])]
#[case::shard(&["plan", "--shard", "1/2", "--durations", "PIPE"])]
#[case::bundle(&["doctor", "--bundle", "PIPE"])]
#[case::rehearsed_bundle(&["rehearse", "--bundle", "PIPE", "--to", "1.6.2"])]
#[case::settings(&["check", "--config", "PIPE", "Cargo.toml"])]
#[case::operator_config(&["check", "--operator-config", "PIPE", "Cargo.toml"])]
#[case::pins(&["rehearse", "--pins", "PIPE", "--to", "1.6.2"])]
#[case::authority(&["rehearse", "--mirror-ca", "PIPE", "--to", "1.6.2"])]
fn a_pipe_in_place_of_a_file_is_refused_at_once(#[case] arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let pipe = fifo(&folder.path().join("pipe"));
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|word| if *word == "PIPE" { &*pipe } else { word })
        .collect();
    let output = at_once(&arguments);
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("not a regular file"), "{said}");
}

#[test]
fn a_pipe_in_a_folder_of_reports_or_results_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fifo(&folder.path().join("reports/1.6.2/acme-kind.yaml"));
    let reports = folder.path().join("reports").display().to_string();
    let output = at_once(&["docs", "programme", "--reports", &reports]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("not a regular file"), "{said}");

    fifo(&folder.path().join("run/results.json"));
    let run = folder.path().join("run").display().to_string();
    let into = folder.path().join("into").display().to_string();
    let output = at_once(&["report", "merge", &run, "--output", &into]);
    let said = text(&output.stderr);
    assert_ne!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("not a regular file"), "{said}");
}

const MANIFEST: &str =
    "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: demo}\nspec: {}\n";

#[test]
fn a_manifest_may_come_through_a_pipe_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = fifo(&folder.path().join("m.yaml"));
    let child = program(&["check", &pipe])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::write(&pipe, MANIFEST).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("RayCluster demo"), "{said}");
    // Nobody has named what lies in a folder.
    fifo(&folder.path().join("folder/pipe.yaml"));
    std::fs::write(folder.path().join("folder/a.yaml"), MANIFEST).unwrap();
    let folder = folder.path().join("folder");
    for files in [
        folder.display().to_string(),
        format!("{}/*.yaml", folder.display()),
    ] {
        let output = at_once(&["check", &files]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("RayCluster demo"), "{files}: {said}");
    }
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
            "--organization",
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
        "--organization",
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
        ("organization: acme", "organization: '../acme'"),
        ("release: \"1.6.2\"", "release: '..'"),
        // It would make every other report too old.
        ("date: \"20", "date: \"99"),
    ] {
        assert!(text_of_report.contains(from), "{text_of_report}");
        std::fs::write(&path, text_of_report.replace(from, to)).unwrap();
        let output = at_once(&["docs", "programme", "--reports", &named]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{to}: {said}");
        assert!(said.contains("acme-envtest.yaml"), "{to}: {said}");
    }
}

/// Values of a Secret as it is written, in base64, and as a text of several lines.
const SECRETS: [&str; 4] = [
    "c4n4ry-V4lue-plain",
    "YzRuNHJ5LVY0bHVl",
    "c4n4ry-of-a-block",
    "c4n4ry-w0rd",
];

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: own
data:
  encoded: YzRuNHJ5LVY0bHVl
stringData:
  word: c4n4ry-V4lue-plain
  block: |
    first of them
    c4n4ry-of-a-block
  flow: {of: c4n4ry-w0rd}
";

fn assert_without_secrets(what: &str, output: &Output) {
    let said = text(&output.stdout) + &text(&output.stderr);
    for secret in SECRETS {
        assert!(!said.contains(secret), "{what} prints {secret}: {said}");
    }
}

#[rstest]
#[case::behind_it("  bad: [\n")]
#[case::in_a_line_of_its_own("   bad indentation\n")]
#[case::tab("\t: x\n")]
#[case::twice("  word: other\n")]
#[case::nothing("")]
fn what_is_quoted_of_a_file_holds_no_secret(#[case] fault: &str) {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("demo");
    std::fs::create_dir(&scenario).unwrap();
    let file = "apiVersion: kuberay-conformance/v1beta1\nkind: Scenario\nmetadata: {name: demo}\nspec:\n  \
        description: A demonstration.\n  rules: [C02]\n  operator: \">=1.0.0\"\n  manifests: [secret.yaml, cluster.yaml]\n  \
        checks:\n  - pod: {role: head, snapshot: [args]}\n";
    std::fs::write(scenario.join("scenario.yaml"), file).unwrap();
    std::fs::write(scenario.join("cluster.yaml"), MANIFEST).unwrap();
    let root = folder.path().display().to_string();
    let secret = scenario.join("secret.yaml");
    // At its end, and after each line.
    for lines in 4..=SECRET.lines().count() {
        let mut broken: String = SECRET.split_inclusive('\n').take(lines).collect();
        broken.push_str(fault);
        broken.extend(SECRET.split_inclusive('\n').skip(lines));
        let with_cluster = format!("{broken}---\n{MANIFEST}");
        std::fs::write(&secret, &broken).unwrap();
        assert_without_secrets(
            "lint",
            &at_once(&["scenario", "lint", "--scenarios", &root]),
        );
        let both = folder.path().join("both.yaml");
        std::fs::write(&both, with_cluster).unwrap();
        let both = both.display().to_string();
        for format in ["text", "concise", "json", "sarif", "github", "junit"] {
            let output = at_once(&["check", "--format", format, &both]);
            assert_without_secrets(&format!("check --format {format}, line {lines}"), &output);
        }
        assert_without_secrets("explain", &at_once(&["explain", &both]));
    }
}

#[test]
fn a_finding_is_shown_without_the_secrets_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: demo\nspec:\n  headGroupSpec:\n    \
        rayStartParams: {}\n    template:\n      spec:\n        containers:\n        - name: ray-head\n          \
        image: rayproject/ray:2.52.0\n          env:\n          - {name: DB_PASSWORD, value: c4n4ry-w0rd}\n          \
        args: [\"login --password c4n4ry-V4lue-plain &\"]\n          resources: {limits: {cpu: \"1\"}}\n";
    let path = folder.path().join("m.yaml");
    std::fs::write(&path, manifest).unwrap();
    let path = path.display().to_string();
    for format in ["text", "concise", "json", "sarif", "github", "junit"] {
        let output = at_once(&["check", "--format", format, &path]);
        assert_without_secrets(&format!("check --format {format}"), &output);
        let said = text(&output.stdout);
        assert!(said.contains("trailing-ampersand"), "{format}: {said}");
    }
    let shown = text(&at_once(&["check", &path]).stdout);
    assert!(
        shown.contains("--password"),
        "the rest of the line is shown: {shown}"
    );
    for format in ["text", "json"] {
        let output = at_once(&["explain", "--format", format, &path]);
        assert_without_secrets(&format!("explain --format {format}"), &output);
    }
}
