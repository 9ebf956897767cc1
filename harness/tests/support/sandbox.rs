//! A folder with scenarios of a test's own, and what runs of them left.

use std::path::PathBuf;
use std::process::{Command, Output};

use kuberay_conformance::report::{CaseResult, RunResult, read_results};

use super::copies::copy_scenario;
use super::program;

/// A folder with scenarios, and with the output folders of runs.
pub struct Sandbox {
    folder: tempfile::TempDir,
    target: &'static str,
}

impl Sandbox {
    /// Creates a sandbox for runs on this target.
    pub fn new(target: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, target }
    }

    /// Returns the path of a file or folder in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a run of its scenarios, ready to start.
    pub fn command(&self, output: &str, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["run", "--target", self.target]);
        if self.target == "kind" {
            // Others use it, too.
            command.arg("--keep");
        }
        command.arg("--scenarios");
        command
            .arg(self.path("scenarios"))
            .arg("--output")
            .arg(self.path(output));
        command.args(arguments);
        command
    }

    /// Runs its scenarios.
    pub fn run(&self, output: &str, arguments: &[&str]) -> Output {
        self.command(output, arguments).output().unwrap()
    }

    /// Reads the results of a run.
    pub fn results(&self, output: &str) -> RunResult {
        read_results(&self.path(output).join("results.json")).unwrap()
    }

    /// Merges the reports of several runs into one.
    pub fn merge(&self, parts: &[&str], output: &str) -> Output {
        let mut command = program();
        command.args(["report", "merge"]);
        command.args(parts.iter().map(|part| self.path(part)));
        command
            .arg("--output")
            .arg(self.path(output))
            .output()
            .unwrap()
    }

    /// Adds a changed copy of one of the repository's scenarios.
    pub fn scenario(&self, of: &str, name: &str, change: impl Fn(&str, String) -> String) {
        copy_scenario(of, name, &self.path("scenarios"), change);
    }
}

/// Returns what a program printed: stdout, then stderr.
pub fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Returns the id and the outcome of each case.
pub fn ended(run: &RunResult) -> Vec<String> {
    let line = |case: &CaseResult| format!("{} {}", case.id, case.outcome.word());
    run.cases.iter().map(line).collect()
}
