//! What the workflows may do and which code of others they run.

use std::path::{Path, PathBuf};

use assertables::assert_contains;
use regex::Regex;
use serde_json::{Value, json};

fn workflows() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found: Vec<_> = entries
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(!found.is_empty());
    found
}

/// Lines that use an action which is neither pinned by a commit, with its release beside it, nor
/// says `unpinned:` why not. Actions of this repository need no pin.
fn loose_uses(workflow: &str) -> Vec<&str> {
    let uses = Regex::new(r"^\s*(?:-\s+)?uses:\s*(.*)$").unwrap();
    let fine =
        Regex::new(r"^(?:\S+@[0-9a-f]{40} # v\d+(?:\.\d+){2}|\./\S+|\S+@\S+ # unpinned: \S.*)$")
            .unwrap();
    workflow
        .lines()
        .filter_map(|line| uses.captures(line)?.get(1))
        .map(|reference| reference.as_str().trim_end())
        .filter(|reference| !fine.is_match(reference))
        .collect()
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    for (path, text) in workflows() {
        assert_eq!(loose_uses(&text), [""; 0], "{}", path.display());
    }
}

#[test]
fn loose_actions_are_found() {
    let workflow = "\
      - uses: a/pinned@0123456789012345678901234567890123456789 # v1.2.3
      - uses: ./here
      - uses: a/told@v4 # unpinned: its source could not be fetched
      - name: x
        uses: a/by-tag@v4
      - uses: a/short@0123456 # v1.2.3
      - uses: a/silent@0123456789012345678901234567890123456789
";
    let loose = [
        "a/by-tag@v4",
        "a/short@0123456 # v1.2.3",
        "a/silent@0123456789012345678901234567890123456789",
    ];
    assert_eq!(loose_uses(workflow), loose);
}

/// What jobs may do beyond reading the repository: the workflow of releases alone publishes.
fn permissions_of_jobs(workflow: &str) -> Value {
    match workflow {
        "release.yml" => json!({
            "draft": {"contents": "write", "id-token": "write", "attestations": "write"},
            "image": {
                "contents": "read", "packages": "write", "id-token": "write", "attestations": "write"
            },
            "crates": {"contents": "read", "id-token": "write"},
            "wheels": {"contents": "read", "id-token": "write"},
            "publish": {"contents": "write"},
        }),
        _ => json!({}),
    }
}

#[test]
fn permissions_are_the_least_that_each_job_needs() {
    for (path, text) in workflows() {
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(
            workflow["permissions"],
            json!({"contents": "read"}),
            "{}",
            path.display()
        );
        let allowed = permissions_of_jobs(path.file_name().unwrap().to_str().unwrap());
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let (wanted, allowed) = (job.get("permissions"), allowed.get(name));
            assert_eq!(wanted, allowed, "{name} asks for what is on the left");
            assert!(
                job.get("timeout-minutes").is_some(),
                "{name} has no timeout"
            );
        }
        assert!(
            !text.contains("pull_request_target"),
            "{} gives secrets to strangers",
            path.display()
        );
    }
}

/// Only a tag starts what publishes: no pull request, and nobody by hand.
#[test]
fn a_release_is_made_of_tags_alone() {
    let found = workflows();
    let (_, text) = found
        .iter()
        .find(|(path, _)| path.ends_with("release.yml"))
        .unwrap();
    let workflow: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(
        workflow["on"],
        json!({"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}})
    );
}

#[test]
fn scripts_that_a_workflow_calls_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/test");
    assert_ne!(script.metadata().unwrap().permissions().mode() & 0o111, 0);
}

/// `ci/test` names them, because it runs them in groups; one that it forgets would never run.
#[test]
fn every_program_of_tests_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let (manifest, script) = (read("Cargo.toml"), read("ci/test"));
    let sections = manifest.split("[[test]]\n").skip(1);
    let names: Vec<&str> = sections
        .filter_map(|section| section.strip_prefix("name = \"")?.split('"').next())
        .collect();
    assert!(names.contains(&"conformance"), "{names:?}");
    assert_contains!(script, " ci/browser\n");
    let browser = read("ci/browser");
    let calls: Vec<&str> = script
        .lines()
        .filter(|line| line.contains("tests --"))
        .chain(browser.lines().filter(|line| line.contains("cargo test")))
        .collect();
    let calls = calls.join("\n");
    for name in names {
        let argument = format!("--test {name}");
        let is_word =
            |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let mut found = calls
            .match_indices(&argument)
            .map(|(at, _)| &calls[at + argument.len()..]);
        assert!(found.any(is_word), "ci/test does not run {name}");
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A test that can't run everywhere is ignored where nobody asks for it; it neither passes without
/// doing anything nor depends on a variable.
#[test]
fn tests_that_need_more_are_ignored_and_ci_asks_for_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["harness", "ci", ".ci", ".config", ".github"] {
        files_below(&root.join(folder), &mut files);
    }
    let variable = ["KUBERAY_CONFORMANCE", "REQUIRE"].join("_");
    // A line of its own, so that this file has none.
    let attribute = Regex::new(r"(?m)^\s*#\[ignore(.*)\]$").unwrap();
    let reason = Regex::new(r#"^ = "needs [^"]+"$"#).unwrap();
    let mut slow = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let place = path.display();
        assert!(!text.contains(&variable), "{place} has {variable}");
        for found in attribute.captures_iter(&text) {
            assert!(
                reason.is_match(&found[1]),
                "{place}: #[ignore{}]",
                &found[1]
            );
            if found[1].contains("takes minutes") {
                slow += 1;
                let before = &text[..found.get(0).unwrap().start()];
                let is_slow = path.components().any(|part| part.as_os_str() == "slow")
                    || before.contains("\nmod slow {");
                assert!(
                    is_slow,
                    "{place}: a test that takes minutes is in no module `slow`"
                );
            }
        }
    }
    assert_ne!(slow, 0, "none was looked at");
    for script in ["ci/test", "ci/full"] {
        let text = std::fs::read_to_string(root.join(script)).unwrap();
        let asks = match script {
            "ci/test" => "-- --include-ignored",
            _ => "ci/test --slow",
        };
        assert!(text.contains(asks), "{script} lacks `{asks}`");
    }
}
