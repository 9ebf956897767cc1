//! Secrets never leave: nothing that a run writes or prints holds one, the data of etcd aside.
//!
//! It uses API servers.

use std::path::PathBuf;
use std::process::Output;
use std::sync::OnceLock;

use assertables::assert_not_contains;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kuberay_conformance::report::{CaseResult, Outcome, RunResult};

use crate::support::canary::{Canary, ray_cluster, scenario, the_search_finds};
use crate::support::copies::{copy_scenario, replaced};
use crate::support::own_cache::own_cache;
use crate::support::sandbox::text;
use crate::support::{exclusive, program};

/// The password of the Secret that only a later step applies.
const LATER: &str = "c4n4ry-later one two";

/// A run of all scenarios of these tests, with reports for GitHub Actions.
struct Ran {
    folder: tempfile::TempDir,
    output: Output,
    result: RunResult,
}

impl Ran {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn case(&self, scenario: &str) -> &CaseResult {
        let case = self
            .result
            .cases
            .iter()
            .find(|case| case.scenario == scenario);
        case.unwrap_or_else(|| panic!("no case of {scenario}:\n{}", text(&self.output)))
    }

    fn evidence(&self, scenario: &str) -> PathBuf {
        let folder = self.case(scenario).evidence.as_ref();
        self.path("output").join(folder.expect("evidence"))
    }

    /// Fails when anything of this canary is in what the run wrote or printed.
    fn holds_nothing_of(&self, canary: &Canary) {
        let mut all = Vec::new();
        for (name, bytes) in [
            ("standard output", &self.output.stdout),
            ("standard error", &self.output.stderr),
        ] {
            all.extend(canary.found(bytes).map(|found| format!("{name}: {found}")));
        }
        all.extend(canary.found_below(&self.path("output"), &|_| false));
        all.extend(canary.found(&std::fs::read(self.path("step-summary.md")).unwrap()));
        // What etcd stores is the cluster's own.
        let cache = self.path("cache");
        all.extend(canary.found_below(&cache, &|path| {
            path.file_name().is_some_and(|name| name == "etcd")
        }));
        assert!(all.is_empty(), "{}", all.join("\n\n"));
    }
}

fn everywhere() -> Canary {
    Canary::new("everywhere")
}

fn refused() -> Canary {
    Canary::new("refused")
}

fn told() -> Canary {
    Canary::new("told")
}

fn ran() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let _exclusive = exclusive();
        let folder = tempfile::tempdir().unwrap();
        let scenarios = folder.path().join("scenarios");
        used_everywhere(&scenarios);
        quoted_by_the_api_server(&scenarios);
        quoted_in_progress(&scenarios);
        in_a_difference(&scenarios);
        in_a_later_step(&scenarios);
        let summary = folder.path().join("step-summary.md");
        std::fs::write(&summary, "").unwrap();
        let mut command = program();
        command
            .args([
                "run",
                "--target",
                "envtest",
                "--operator",
                "1.6.2",
                "--scenarios",
            ])
            .arg(&scenarios)
            .arg("--output")
            .arg(folder.path().join("output"))
            .env("KUBERAY_CONFORMANCE_CACHE", own_cache(folder.path()))
            .env("KUBERAY_CONFORMANCE_LOG", "debug")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let result = std::fs::read_to_string(folder.path().join("output/results.json")).unwrap();
        Ran {
            result: serde_json::from_str(&result).unwrap(),
            folder,
            output,
        }
    })
}

fn used_everywhere(folder: &std::path::Path) {
    let canary = everywhere();
    let spec = "  manifests: [secret.yaml, raycluster.yaml]\n  steps: {markReady: true}\n  \
                timeout: 20s\n  checks:\n    - pod: {role: head, snapshot: [command, args, env]}\n";
    let cluster = ray_cluster(&canary, "everywhere", "words", "exit 3");
    let files = [
        ("secret.yaml", canary.secret("words")),
        ("raycluster.yaml", cluster.to_string()),
    ];
    scenario(folder, "everywhere", spec, &files);
}

/// A label takes neither spaces nor `&`, and the refusal quotes it.
fn quoted_by_the_api_server(folder: &std::path::Path) {
    let canary = refused();
    let spec = "  manifests: [secret.yaml, raycluster.yaml]\n  timeout: 20s\n  checks:\n    \
                - pod: {role: head, snapshot: [command]}\n";
    let mut cluster = ray_cluster(&canary, "refused", "words", "exit 3");
    cluster["metadata"]["labels"] = serde_json::json!({"word": canary.password});
    let files = [
        ("secret.yaml", canary.secret("words")),
        ("raycluster.yaml", cluster.to_string()),
    ];
    scenario(folder, "refused", spec, &files);
}

/// The operator can't make the Pod and sends an event that quotes the label. Progress tells of it
/// once another check has passed.
fn quoted_in_progress(folder: &std::path::Path) {
    let canary = told();
    let spec = "  manifests: [secret.yaml, raycluster.yaml]\n  timeout: 20s\n  checks:\n    \
                - event: {reason: FailedToCreateHeadPod}\n    - pod: {role: head, snapshot: [command]}\n";
    let mut cluster = ray_cluster(&canary, "told", "words", "exit 3");
    let template = &mut cluster["spec"]["headGroupSpec"]["template"];
    template["metadata"]["labels"] = serde_json::json!({"word": canary.password});
    let files = [
        ("secret.yaml", canary.secret("words")),
        ("raycluster.yaml", cluster.to_string()),
    ];
    scenario(folder, "told", spec, &files);
}

fn secret(name: &str, word: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{word: \"{word}\"}}\n"
    )
}

/// The password of the Secret, in args that are compared with others.
const DIFFERENT: &str = "c4n4ry-different one two three";

fn in_a_difference(folder: &std::path::Path) {
    copy_scenario(
        "default-command",
        "different",
        folder,
        |file, text| match file {
            "scenario.yaml" => {
                let text = replaced(&text, "[raycluster.yaml]", "[secret.yaml, raycluster.yaml]");
                replaced(&text, "timeout: 1m", "timeout: 20s")
            }
            "raycluster.yaml" => replaced(
                &text,
                "            image: rayproject/ray:2.52.0\n",
                &format!(
                    "            image: rayproject/ray:2.52.0\n            args: [\"echo {DIFFERENT}\"]\n"
                ),
            ),
            _ => text,
        },
    );
    std::fs::write(
        folder.join("different/secret.yaml"),
        secret("words", DIFFERENT),
    )
    .unwrap();
}

fn in_a_later_step(folder: &std::path::Path) {
    copy_scenario(
        "existing-pods-keep-their-command",
        "later",
        folder,
        |file, text| match file {
            "scenario.yaml" => replaced(&text, "timeout: 1m", "timeout: 20s"),
            "changed.yaml" => {
                let text = text.replace(
                    "echo new",
                    &format!("echo {LATER} {}", STANDARD.encode(LATER)),
                );
                format!("{}---\n{text}", secret("words", LATER))
            }
            _ => text,
        },
    );
}

#[test]
#[ignore = "needs envtest"]
fn no_secret_of_a_pod_that_uses_it_everywhere_is_written_or_printed() {
    let (ran, canary) = (ran(), everywhere());
    the_search_finds(&canary, &ran.path("scenarios"));
    assert_eq!(
        ran.case("everywhere").outcome,
        Outcome::New,
        "{}",
        text(&ran.output)
    );
    ran.holds_nothing_of(&canary);

    // What is no secret is still there, and what was masked is YAML.
    let folder = ran.evidence("everywhere");
    let mut pods = 0;
    for entry in std::fs::read_dir(folder.join("pods")).unwrap() {
        let yaml = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(yaml.lines().any(|line| line == "apiVersion: v1"), "{yaml}");
        let pod: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        let head = &pod["spec"]["containers"][0];
        let value = |name: &str| {
            let variables = head["env"].as_array().unwrap();
            variables
                .iter()
                .find(|variable| variable["name"] == name)
                .unwrap()["value"]
                .clone()
        };
        for name in ["PLAIN_WORD", "PLAIN_KEY", "IN_BASE64", "DB_PASS"] {
            assert_eq!(
                value(name).as_str().unwrap().trim(),
                "[redacted]",
                "{name} in {yaml}"
            );
        }
        assert_eq!(head["image"], "rayproject/ray:2.52.0");
        let args = head["args"][0].as_str().unwrap();
        assert!(args.contains("&& ulimit -n 65536"), "{args}");
        pods += 1;
    }
    assert_eq!(pods, 1);
    assert!(folder.join("sent").is_dir());
    assert!(folder.join("operator.log").is_file());
}

#[test]
#[ignore = "needs envtest"]
fn no_secret_that_the_api_server_quotes_is_told() {
    let ran = ran();
    let case = ran.case("refused");
    assert_eq!(case.outcome, Outcome::Failed, "{}", text(&ran.output));
    let reason = case.reason.clone().unwrap_or_default();
    assert!(reason.contains("Invalid value: \"[redacted]\""), "{reason}");
    ran.holds_nothing_of(&refused());
    let said = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let line = said
        .lines()
        .find(|line| line.contains("] FAIL") && line.contains(" refused in "));
    let line = line.unwrap_or_else(|| panic!("no line of progress: {said}"));
    assert!(line.contains("[redacted]"), "{line}");
}

#[test]
#[ignore = "needs envtest"]
fn progress_masks_secrets_that_an_event_quotes() {
    let ran = ran();
    let said = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let line = said
        .lines()
        .find(|line| line.contains("] told: 1/2 checks"));
    let line = line.unwrap_or_else(|| panic!("no line of progress: {said}"));
    assert!(line.contains("Invalid value: \"[redacted]\""), "{line}");
    ran.holds_nothing_of(&told());
}

/// A difference shows parts of lines, and spaces as `·`.
#[test]
#[ignore = "needs envtest"]
fn no_part_of_a_secret_is_in_a_difference() {
    let ran = ran();
    let check = &ran.case("different").checks[0];
    assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
    let diff = check.diff.clone().unwrap_or_default();
    assert!(diff.contains("echo [redacted]"), "{diff}");
    let all = format!("{check:?}{}", text(&ran.output));
    for part in ["c4n4ry-different", "one·two", "two·three"] {
        assert!(!all.contains(part), "`{part}` is in {all}");
    }
}

#[test]
#[ignore = "needs envtest"]
fn a_secret_that_only_a_later_step_applies_is_masked() {
    let ran = ran();
    assert_eq!(
        ran.case("later").outcome,
        Outcome::Failed,
        "{}",
        text(&ran.output)
    );
    let folder = ran.evidence("later");
    let mut masked = 0;
    for entry in std::fs::read_dir(folder.join("pods")).unwrap() {
        let yaml = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        masked += usize::from(yaml.contains("echo [redacted] [redacted]"));
        assert!(!yaml.contains("c4n4ry-later"), "{yaml}");
        assert!(!yaml.contains(&STANDARD.encode(LATER)), "{yaml}");
    }
    assert!(masked > 0, "no Pod of the later step is in the evidence");
    assert_not_contains!(text(&ran.output), "c4n4ry-later");
}
