//! Expectations that were changed fail: for each rule one expectation is changed in each of its
//! scenarios, and exactly the cases of these fail.
//!
//! They start an API server of their own and take minutes.

#![allow(missing_docs, reason = "an integration test has no public interface")]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/all.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kuberay_conformance::contract::RULES;
use kuberay_conformance::expect::{snapshot_path, subjects};
use kuberay_conformance::report::{CheckResult, Outcome, RunResult};
use kuberay_conformance::scenario::{Check, Scenario, TargetKind, load_all};
use libtest_mimic::{Arguments, Completion, Failed};
use semver::Version;
use support::copies::replaced;
use support::own_cache::own_cache;
use support::{program, scenarios, trials};

const RELEASE: &str = "1.6.2";

/// Rules whose expectations are changed in one run. They share no scenario, so what fails tells
/// which one it is; most of the cases of a run are left as they are.
const RULES_OF_A_RUN: usize = 4;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let all = load_all(&scenarios()).expect("the repository's scenarios are well-formed");
    let release: Version = RELEASE.parse().expect("a version");
    let running = all.into_iter().filter(|scenario| {
        scenario.operator.matches(&release)
            && scenario.file.spec.placement().target == TargetKind::Envtest
    });
    let running: Arc<Vec<Arc<Scenario>>> = Arc::new(running.collect());
    let envtest = Arc::new(Mutex::new(None));
    let mut trials = Vec::new();
    for rules in runs(&running) {
        let ran = Arc::new(OnceLock::new());
        for rule in &rules {
            let (rule, rules) = (*rule, rules.clone());
            let (running, envtest, ran) =
                (Arc::clone(&running), Arc::clone(&envtest), Arc::clone(&ran));
            let name = format!("slow::{rule}");
            trials.push(trials::ignored(
                name,
                "needs envtest, takes minutes",
                &arguments,
                move || {
                    let changed = ran.get_or_init(|| {
                        let mut envtest = envtest.lock().unwrap_or_else(PoisonError::into_inner);
                        envtest
                            .get_or_insert_with(Envtest::up)
                            .run(&rules, &running)
                    });
                    changed.exactly(rule, &rules, &running)?;
                    Ok(Completion::Completed)
                },
            ));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(envtest) = envtest
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        envtest.down();
    }
    conclusion.exit_code()
}

fn of_rule<'a>(
    rule: &'a str,
    running: &'a [Arc<Scenario>],
) -> impl Iterator<Item = &'a Arc<Scenario>> {
    let proves =
        move |scenario: &&Arc<Scenario>| scenario.file.spec.rules.iter().any(|one| one == rule);
    running.iter().filter(proves)
}

fn names(rule: &str, running: &[Arc<Scenario>]) -> BTreeSet<String> {
    of_rule(rule, running)
        .map(|scenario| scenario.name().to_owned())
        .collect()
}

/// The rules of each run.
fn runs(running: &[Arc<Scenario>]) -> Vec<Vec<&'static str>> {
    let mut runs: Vec<Vec<&'static str>> = Vec::new();
    for rule in RULES {
        let own = names(rule.id, running);
        let fits = |run: &&mut Vec<&'static str>| {
            run.len() < RULES_OF_A_RUN
                && run
                    .iter()
                    .all(|other| names(other, running).is_disjoint(&own))
        };
        match runs.iter_mut().find(fits) {
            Some(run) => run.push(rule.id),
            None => runs.push(vec![rule.id]),
        }
    }
    runs
}

/// An API server that stays up for all runs, apart from any that the user has.
struct Envtest {
    folder: tempfile::TempDir,
}

/// What a run with changed expectations left.
struct Changed {
    output: Output,
    result: Result<RunResult, String>,
    /// What was changed, by scenario: how the check's verdict names it.
    changes: BTreeMap<String, String>,
}

impl Envtest {
    fn up() -> Self {
        let envtest = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let output = envtest
            .program()
            .args([
                "cluster",
                "up",
                "--target",
                "envtest",
                "--operator",
                RELEASE,
            ])
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", said(&output));
        envtest
    }

    fn program(&self) -> Command {
        let mut command = program();
        command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(self.folder.path()));
        command
    }

    fn down(self) {
        let output = self
            .program()
            .args(["cluster", "down", "--target", "envtest"])
            .output();
        let output = output.expect("the program starts");
        assert!(output.status.success(), "{}", said(&output));
    }

    /// Runs all scenarios, with one expectation changed in each of these rules' scenarios.
    fn run(&self, rules: &[&str], running: &[Arc<Scenario>]) -> Changed {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let copy = folder.path().join("scenarios");
        copy_all(&copy);
        let scenarios = rules.iter().flat_map(|rule| of_rule(rule, running));
        let changes = scenarios
            .map(|scenario| (scenario.name().to_owned(), change(scenario, &copy)))
            .collect();
        let results = folder.path().join("output");
        let output = self
            .program()
            .args([
                "run",
                "--target",
                "envtest",
                "--operator",
                RELEASE,
                "--scenarios",
            ])
            .arg(&copy)
            .arg("--output")
            .arg(&results)
            .output()
            .expect("the program starts");
        let text = std::fs::read_to_string(results.join("results.json"));
        let result = text.map_err(|error| format!("results.json: {error}"));
        Changed {
            result: result
                .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())),
            output,
            changes,
        }
    }
}

impl Changed {
    /// Whether just what was changed for this rule failed: each of its cases, by the changed check,
    /// and no case but those of the run's rules.
    fn exactly(&self, rule: &str, rules: &[&str], running: &[Arc<Scenario>]) -> Result<(), Failed> {
        let result = self
            .result
            .as_ref()
            .map_err(|error| format!("{error}\n{}", said(&self.output)))?;
        let own = names(rule, running);
        if own.is_empty() {
            return Err(format!("no scenario of {rule} runs on {RELEASE}").into());
        }
        if self.output.status.code() != Some(1) {
            let ended = self.output.status;
            return Err(format!(
                "the run ended with {ended} instead of 1\n{}",
                said(&self.output)
            )
            .into());
        }
        let of_others: BTreeSet<String> = rules
            .iter()
            .filter(|other| **other != rule)
            .flat_map(|other| names(other, running))
            .collect();
        let mut problems = Vec::new();
        let judged = result
            .cases
            .iter()
            .filter(|case| case.outcome != Outcome::Skipped);
        let mut seen = BTreeSet::new();
        for case in judged.filter(|case| !of_others.contains(&case.scenario)) {
            seen.insert(case.scenario.clone());
            let should_fail = own.contains(&case.scenario);
            let expected = if should_fail {
                Outcome::Failed
            } else {
                Outcome::Passed
            };
            if case.outcome != expected {
                problems.push(format!(
                    "{}: {:?} instead of {expected:?}",
                    case.id, case.outcome
                ));
            }
            let change = self.changes.get(&case.scenario).map(String::as_str);
            let failed: Vec<&CheckResult> = case
                .checks
                .iter()
                .filter(|check| check.outcome == Outcome::Failed)
                .collect();
            let names_it = |check: &&CheckResult| {
                change.is_some_and(|change| {
                    check.message.contains(change) || check.name.contains(change)
                })
            };
            if should_fail && (failed.len() != 1 || !failed.iter().all(names_it)) {
                let messages: Vec<_> = failed
                    .iter()
                    .map(|check| format!("{}: {}", check.name, check.message))
                    .collect();
                let change = change.unwrap_or("nothing");
                problems.push(format!(
                    "{}: {change} was changed, not {messages:?}",
                    case.id
                ));
            }
        }
        let all: BTreeSet<String> = running
            .iter()
            .map(|scenario| scenario.name().to_owned())
            .collect();
        let missing: Vec<_> = all
            .difference(&seen)
            .filter(|name| !of_others.contains(*name))
            .collect();
        if !missing.is_empty() {
            problems.push(format!("not judged: {missing:?}"));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(format!("{}\n{}", problems.join("\n"), said(&self.output)).into())
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Copies the repository's scenarios.
fn copy_all(into: &Path) {
    for folder in std::fs::read_dir(scenarios())
        .expect("scenarios/")
        .flatten()
    {
        let target = into.join(folder.file_name());
        std::fs::create_dir_all(&target).expect("a folder");
        for file in std::fs::read_dir(folder.path())
            .expect("a scenario's folder")
            .flatten()
        {
            std::fs::copy(file.path(), target.join(file.file_name())).expect("a copy");
        }
    }
}

/// Changes one character of one expectation in a copy of a scenario, and says how a verdict names
/// what was changed.
fn change(scenario: &Scenario, copy: &Path) -> String {
    let folder = copy.join(scenario.name());
    let release: Version = RELEASE.parse().expect("a version");
    for subject in subjects(scenario) {
        let path =
            snapshot_path(&folder, &subject, &release).expect("a snapshot for every subject");
        let text = std::fs::read_to_string(&path).expect("a snapshot");
        if let Some(text) = changed_body(&text) {
            std::fs::write(&path, text).expect("a snapshot is written");
            return file_name(&path);
        }
    }
    let path = folder.join("scenario.yaml");
    let text = std::fs::read_to_string(&path).expect("scenario.yaml");
    for check in &scenario.file.spec.checks {
        let text = match check {
            Check::Rejected(rejected) => {
                replaced(&text, &rejected.message, &format!("x{}", rejected.message))
            }
            Check::FlagValues(check) => {
                let last = check.values.last().expect("a value");
                replaced(&text, &format!("\"{last}\"]"), &format!("\"{last}x\"]"))
            }
            Check::Status(check) => {
                let value = format!("value: {}", check.value);
                replaced(&text, &value, &format!("{value}x"))
            }
            _ => continue,
        };
        std::fs::write(&path, text).expect("scenario.yaml is written");
        return check.kind().into();
    }
    panic!("{}: nothing to change", scenario.name());
}

fn file_name(path: &Path) -> String {
    let path: PathBuf = path.into();
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A snapshot with one character more in the last quoted string that ends a line of its body, or
/// with a string where the snapshot says that there is nothing; none where it has neither.
fn changed_body(snapshot: &str) -> Option<String> {
    let body = snapshot.rfind("\n---\n")? + 5;
    if snapshot[body..].trim() == "absent" {
        return Some(format!("{}- \"x\"\n", &snapshot[..body]));
    }
    let at = body + snapshot[body..].rfind("\"\n")?;
    Some(format!("{}x{}", &snapshot[..at], &snapshot[at..]))
}
