//! Copies of the repository's scenarios, changed, and what runs of them left.

use std::path::Path;
use std::process::{Command, Output};

use kuberay_conformance::report::{CaseResult, CheckResult, RunResult};

use crate::support::{program, scenarios};

/// Copies one of the repository's scenarios under another name, and changes its files by `change`
/// (file name, text).
pub fn copy_scenario(of: &str, name: &str, into: &Path, change: impl Fn(&str, String) -> String) {
    let target = into.join(name);
    std::fs::create_dir_all(&target).unwrap();
    for entry in std::fs::read_dir(scenarios().join(of)).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        if file.ends_with(".snap.new") {
            continue;
        }
        let mut text = std::fs::read_to_string(entry.path()).unwrap();
        if file == "scenario.yaml" {
            text = replaced(&text, &format!("name: {of}"), &format!("name: {name}"));
        }
        std::fs::write(target.join(&file), change(&file, text)).unwrap();
    }
}

/// Replaces what must be there: a change that changes nothing would make a test that proves
/// nothing.
pub fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "`{old}` is not in:\n{text}");
    text.replacen(old, new, 1)
}

/// What a run left.
pub struct Ran {
    pub output: Output,
    pub result: RunResult,
    pub folder: tempfile::TempDir,
}

impl Ran {
    /// All that was printed.
    pub fn text(&self) -> String {
        super::sandbox::text(&self.output)
    }

    pub fn case(&self, scenario: &str) -> &CaseResult {
        let case = self
            .result
            .cases
            .iter()
            .find(|case| case.scenario == scenario);
        case.unwrap_or_else(|| panic!("no case of {scenario}:\n{}", self.text()))
    }

    pub fn check(&self, scenario: &str, number: usize) -> &CheckResult {
        &self.case(scenario).checks[number]
    }
}

/// A run of the scenarios of a folder on the cluster that is up, which leaves that up.
pub fn run_of(scenarios: &Path, output: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .args(["run", "--target", "kind", "--keep", "--scenarios"])
        .arg(scenarios)
        .arg("--output")
        .arg(output)
        .args(arguments);
    command
}

/// Runs the scenarios of a folder on the cluster that is up, and leaves it up.
pub fn run(scenarios: &Path, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let output = run_of(scenarios, folder.path(), arguments)
        .output()
        .unwrap();
    let results = folder.path().join("results.json");
    let text = std::fs::read_to_string(&results)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Ran {
        output,
        result: serde_json::from_str(&text).unwrap(),
        folder,
    }
}
