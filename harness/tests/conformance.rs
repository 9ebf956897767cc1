//! One trial for each case, named `target::operator::ray::scenario`; a trial only asks the engine
//! for its case.
//!
//! They are ignored unless `--include-ignored` (or `--ignored`) asks for them. The trials of kind
//! then attach to what `kuberay-conformance cluster up` has left up, and fail where nothing is;
//! those of envtest start API servers of all releases themselves, and build or pull the programs
//! first.
//!
//! envtest waits for kind: its API servers need every core, and a Ray that is kept from them
//! for half a minute gives its dashboard up.

#[path = "conformance/envtest.rs"]
mod envtest;
#[path = "conformance/kind.rs"]
mod kind;
#[allow(dead_code, reason = "each program of tests uses a part of it")]
#[path = "support/all.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::expect::pending_allowed;
use kuberay_conformance::plan::{Filter, Pair, cases};
use kuberay_conformance::process::supervisor;
use kuberay_conformance::provider::{CLUSTER, noted_releases};
use kuberay_conformance::report::{CaseResult, Outcome, Redactor};
use kuberay_conformance::runner::{EngineOptions, EvidencePolicy, new_run_id};
use kuberay_conformance::scenario::{Level, TargetKind, load_all};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::trials;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Trials only wait, so there are as many at once as the engine has room for; it knows.
const AT_ONCE: usize = 64;

fn main() -> ExitCode {
    // The programs of envtest are started through this program.
    if let Some(code) = supervisor() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = match load_all(&root.join("scenarios")) {
        Ok(scenarios) => scenarios,
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::FAILURE;
        }
    };
    let pins = Pins::embedded();
    let (operator, ray) = noted_releases(CLUSTER)
        .unwrap_or_else(|| (pins.defaults.operator.clone(), pins.defaults.ray.clone()));
    let filter = Filter::default();
    let kind_cases = cases(
        &scenarios,
        &[(TargetKind::Kind, vec![Pair { operator, ray }])],
        &filter,
    )
    .cases;
    let ray = pins.defaults.ray;
    let matrix = Pair::crossed(&pins.operators.matrix, std::slice::from_ref(&ray));
    let envtest_cases = cases(&scenarios, &[(TargetKind::Envtest, matrix)], &filter).cases;

    let runtime = Arc::new(Runtime::new().expect("a tokio runtime"));
    let output = root.join("output/tests");
    for (target, cases) in [
        (TargetKind::Kind, &kind_cases),
        (TargetKind::Envtest, &envtest_cases),
    ] {
        if cases.is_empty() {
            eprintln!("no scenario has a case in the target {target}");
            return ExitCode::FAILURE;
        }
    }
    let kind = Arc::new(kind::Stand::new(Arc::clone(&runtime), output.clone()));
    let mut releases: Vec<_> = envtest_cases
        .iter()
        .map(|case| case.operator.clone())
        .collect();
    releases.dedup();
    let envtest = envtest::Stand::new(Arc::clone(&runtime), output.clone(), releases, ray);
    let envtest = Arc::new(envtest);
    let kind_is_over = CancellationToken::new();
    // Ends with the last of the trials that hold it, whether they ran or were left out.
    let kind_runs = Arc::new(kind_is_over.clone().drop_guard());
    let mut trials = Vec::new();
    for case in kind_cases.iter().chain(&envtest_cases) {
        let (kind, envtest) = (Arc::clone(&kind), Arc::clone(&envtest));
        let (case, output) = (case.clone(), output.clone());
        let holds = (case.target == TargetKind::Kind).then(|| Arc::clone(&kind_runs));
        let (over, runtime) = (kind_is_over.clone(), Arc::clone(&runtime));
        let needs = match case.target {
            TargetKind::Kind | TargetKind::Existing => "needs kind",
            TargetKind::Envtest => "needs envtest",
        };
        trials.push(trials::ignored(case.id(), needs, &arguments, move || {
            let result = match case.target {
                TargetKind::Kind | TargetKind::Existing => kind.run(&case),
                TargetKind::Envtest => {
                    runtime.block_on(over.cancelled());
                    envtest.run(&case)
                }
            };
            drop(holds);
            judge(result?, &output)
        }));
    }
    drop(kind_runs);
    trials.push(Trial::test(
        "trials_fail_where_what_they_need_is_not_up",
        not_up,
    ));

    let conclusion = libtest_mimic::run(&arguments, trials);
    kind.clean_up();
    envtest.clean_up();
    conclusion.exit_code()
}

/// Without a cluster, trials are ignored, each with the reason; where they are asked for, each
/// fails.
fn not_up() -> Result<(), Failed> {
    for (asked, passes) in [
        (None, true),
        (Some("--include-ignored"), false),
        (Some("--ignored"), false),
    ] {
        let cache = tempfile::tempdir()?;
        let output = std::process::Command::new(std::env::current_exe()?)
            .arg("kind::")
            .args(asked)
            .env("KUBERAY_CONFORMANCE_CACHE", cache.path())
            .output()?;
        let out = String::from_utf8_lossy(&output.stdout);
        let ended = out.lines().find(|line| line.starts_with("test result: "));
        let ended = ended.unwrap_or_default();
        let each_did = if passes {
            out.contains("kind::")
                && out.contains("ignored (needs kind)")
                && ended.contains(" 0 failed; ")
        } else {
            !ended.contains(" 0 failed; ") && ended.contains(" 0 ignored; ")
        };
        if output.status.success() != passes || !each_did || !ended.contains(" 0 passed; ") {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("with {asked:?}: {}\n{out}\n{error}", output.status).into());
        }
    }
    Ok(())
}

fn is_in_ci() -> bool {
    !pending_allowed(std::env::var("CI").ok().as_deref())
}

/// How every trial's engine runs.
fn engine_options(output: PathBuf) -> EngineOptions {
    EngineOptions {
        run: new_run_id(),
        output,
        journal: None,
        evidence: EvidencePolicy::OnFailure,
        jobs: Some(AT_ONCE),
        overlap: true,
        redactor: Redactor::default(),
        ends: None,
        write_pending: !is_in_ci(),
        record_verified: false,
    }
}

/// A case's result as a trial's. One without a verdict fails: the trial was asked for.
fn judge(result: CaseResult, output: &Path) -> Result<Completion, Failed> {
    match result.outcome {
        // CI says so, and stays green: it can't have the module of every release.
        Outcome::Skipped if result.unavailable => {
            Ok(Completion::ignored_with(result.reason.unwrap_or_default()))
        }
        Outcome::Passed => Ok(Completion::Completed),
        Outcome::Flaky => {
            let text = format!("FLAKY {}: {}", result.id, result.reason.unwrap_or_default());
            if is_in_ci() {
                return Err(Failed::from(text));
            }
            println!("{text}");
            Ok(Completion::Completed)
        }
        Outcome::Failed if result.level == Level::Provisional => {
            Ok(Completion::ignored_with(format!(
                "provisional, and it failed: {}",
                result.reason.unwrap_or_default()
            )))
        }
        Outcome::New | Outcome::Failed | Outcome::Error | Outcome::Skipped => {
            Err(Failed::from(told(&result, output)))
        }
    }
}

/// A failed case, as the terminal shows it.
fn told(result: &CaseResult, output: &Path) -> String {
    let mut text = format!(
        "{}: {}",
        result.file,
        result.reason.as_deref().unwrap_or("no reason was given")
    );
    for check in result
        .checks
        .iter()
        .filter(|check| check.outcome != Outcome::Passed)
    {
        text.push_str(&format!(
            "\n{}:{}: {}: {}",
            result.file, check.location.line, check.name, check.message
        ));
        let parts = [
            ("expected", &check.expected),
            ("found", &check.found),
            ("difference", &check.diff),
        ];
        for (name, part) in parts {
            if let Some(part) = part {
                text.push_str(&format!("\n{name}:\n{}", part.trim_end()));
            }
        }
    }
    if let Some(evidence) = &result.evidence {
        text.push_str(&format!("\nevidence: {}", output.join(evidence).display()));
    }
    text
}
