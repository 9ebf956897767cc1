//! Operators with one fault each, made here from the release's own source, are caught by the
//! scenarios of the rule that they break.
//!
//! They need Go and API servers, and take minutes.

#![allow(missing_docs, reason = "an integration test has no public interface")]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/all.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};

use kuberay_conformance::report::{Outcome, RunResult};
use libtest_mimic::{Arguments, Completion, Failed};
use serde::Deserialize;
use support::{program, scenarios, trials};

/// `fixtures/mutants.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutants {
    release: String,
    mutants: Vec<Mutant>,
}

/// One fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// The release of whose source it is made, where that is another than the list's.
    release: Option<String>,
    /// The rule that it breaks.
    rule: String,
    /// In a sentence.
    fault: String,
    file: PathBuf,
    find: String,
    replace: String,
}

/// The release's source, from which each mutant is made.
struct Source {
    release: String,
    module: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mutants.yaml");
    let text = std::fs::read_to_string(path).expect("fixtures/mutants.yaml");
    let list: Mutants =
        serde_saphyr::from_str(&text).expect("fixtures/mutants.yaml is well-formed");
    let sources = Arc::new(Mutex::new(BTreeMap::new()));
    let trials = list.mutants.into_iter().map(|mutant| {
        let release = mutant.release.as_ref().unwrap_or(&list.release).clone();
        let sources = Arc::clone(&sources);
        let name = format!("slow::{}::{}", mutant.rule, mutant.name);
        trials::ignored(
            name,
            "needs Go and envtest, takes minutes",
            &arguments,
            move || {
                // Builds don't run side by side.
                let mut sources = sources.lock().map_err(|error| error.to_string())?;
                let found = sources
                    .entry(release.clone())
                    .or_insert_with(|| Source::find(release));
                let source = match found {
                    Ok(source) => source,
                    Err(reason) => return Ok(Completion::ignored_with(reason.clone())),
                };
                let caught = source.caught_by(&mutant)?;
                println!("{}: caught by {}", mutant.name, caught.join(", "));
                Ok(Completion::Completed)
            },
        )
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

impl Source {
    /// The source, or why it can't be had here.
    fn find(release: String) -> Result<Self, String> {
        let module = format!("github.com/ray-project/kuberay/ray-operator@v{release}");
        let output = Command::new("go")
            .args(["mod", "download", "-json", &module])
            .output();
        let output = output.expect("Go is installed");
        let answer: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("an answer of the go command");
        match answer["Dir"].as_str() {
            Some(module) => Ok(Self {
                release,
                module: module.into(),
            }),
            None => Err(format!("{module} can't be had: {}", answer["Error"])),
        }
    }

    /// The scenarios of the mutant's rule that fail with it.
    fn caught_by(&self, mutant: &Mutant) -> Result<Vec<String>, Failed> {
        let folder = tempfile::tempdir()?;
        let binary = self.build(mutant, folder.path())?;
        let output = folder.path().join("output");
        let ran = program()
            .args([
                "run",
                "--target",
                "envtest",
                "--rule",
                &mutant.rule,
                "--operator",
                &self.release,
                "--operator-binary",
            ])
            .arg(&binary)
            .arg("--crds")
            .arg(self.module.join("config/crd/bases"))
            .arg("--scenarios")
            .arg(scenarios())
            .arg("--output")
            .arg(&output)
            .output()?;
        let said = String::from_utf8_lossy(&ran.stderr).into_owned()
            + &String::from_utf8_lossy(&ran.stdout);
        if ran.status.code() != Some(1) {
            let ended = format!("the run ended with {} instead of 1", ran.status);
            return Err(format!("{}: {ended}:\n{said}", mutant.fault).into());
        }
        let result: RunResult =
            serde_json::from_str(&std::fs::read_to_string(output.join("results.json"))?)?;
        let failed = result
            .cases
            .iter()
            .filter(|case| case.outcome == Outcome::Failed);
        let caught: Vec<String> = failed
            .filter(|case| case.rules.contains(&mutant.rule))
            .map(|case| case.scenario.clone())
            .collect();
        if caught.is_empty() {
            let none = format!("no scenario of {} caught it", mutant.rule);
            return Err(format!("{}: {none}:\n{said}", mutant.fault).into());
        }
        Ok(caught)
    }

    /// A copy of the source with the fault, built.
    fn build(&self, mutant: &Mutant, folder: &Path) -> Result<PathBuf, Failed> {
        let copy = folder.join("source");
        let copied = Command::new("cp")
            .arg("-R")
            .arg("--no-preserve=mode")
            .arg(&self.module)
            .arg(&copy)
            .status()?;
        assert!(copied.success(), "copying the operator's source");
        let file = copy.join(&mutant.file);
        let text = std::fs::read_to_string(&file)?;
        assert_eq!(
            text.matches(&mutant.find).count(),
            1,
            "`{}` in {}",
            mutant.find,
            mutant.file.display()
        );
        std::fs::write(&file, text.replacen(&mutant.find, &mutant.replace, 1))?;
        let binary = folder.join("manager");
        // As the store builds the release itself, so that what is compiled already is used again.
        let built = Command::new("go")
            .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
            .arg(&binary)
            .arg(".")
            .current_dir(&copy)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off")
            .output()?;
        if !built.status.success() {
            return Err(String::from_utf8_lossy(&built.stderr).into_owned().into());
        }
        Ok(binary)
    }
}
