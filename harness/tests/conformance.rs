//! One trial for each cell, named `lane::operator::ray::scenario`; a trial only asks the engine for its cell.
//!
//! They are ignored unless `--include-ignored` (or `--ignored`) asks for them. The trials of the lane `kind` then attach
//! to what `kuberay-conformance up` has left up, and fail where nothing is; those of the lane `control-plane` start control
//! planes of all releases themselves, and build or pull the programs first.
//!
//! The lane `control-plane` waits for the lane `kind`: its API servers need every core, and a Ray that is kept from them
//! for half a minute gives its dashboard up.

#[path = "conformance/control_plane.rs"]
mod control_plane;
#[path = "conformance/kind.rs"]
mod kind;
#[allow(dead_code, reason = "each program of tests uses a part of it")]
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::expect::pending_allowed;
use kuberay_conformance::plan::{Filter, Pair, cells};
use kuberay_conformance::process::guarded_helper;
use kuberay_conformance::report::{CellResult, Outcome, Redactor};
use kuberay_conformance::run::{CLUSTER, EngineOptions, EvidencePolicy, new_run_id, noted_releases};
use kuberay_conformance::scenario::{Lane, Level, load_all};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::trials;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Trials only wait, so there are as many at once as the engine has room for; it knows.
const AT_ONCE: usize = 64;

fn main() -> ExitCode {
    // Programs of a control plane are started through this program.
    if let Some(code) = guarded_helper() {
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
    let (operator, ray) =
        noted_releases(CLUSTER).unwrap_or_else(|| (pins.defaults.operator.clone(), pins.defaults.ray.clone()));
    let filter = Filter::default();
    let kind_cells = cells(&scenarios, &[(Lane::Kind, vec![Pair { operator, ray }])], &filter).cells;
    let ray = pins.defaults.ray;
    let matrix = Pair::crossed(&pins.operators.matrix, std::slice::from_ref(&ray));
    let plane_cells = cells(&scenarios, &[(Lane::ControlPlane, matrix)], &filter).cells;

    let runtime = Arc::new(Runtime::new().expect("a tokio runtime"));
    let output = root.join("output/tests");
    for (lane, cells) in [(Lane::Kind, &kind_cells), (Lane::ControlPlane, &plane_cells)] {
        if cells.is_empty() {
            eprintln!("no scenario has a cell in the lane {lane}");
            return ExitCode::FAILURE;
        }
    }
    let kind = Arc::new(kind::Stand::new(Arc::clone(&runtime), output.clone()));
    let mut releases: Vec<_> = plane_cells.iter().map(|cell| cell.operator.clone()).collect();
    releases.dedup();
    let planes = control_plane::Stand::new(Arc::clone(&runtime), output.clone(), releases, ray);
    let planes = Arc::new(planes);
    let kind_is_over = CancellationToken::new();
    // Ends with the last of the trials that hold it, whether they ran or were left out.
    let kind_runs = Arc::new(kind_is_over.clone().drop_guard());
    let mut trials = Vec::new();
    for cell in kind_cells.iter().chain(&plane_cells) {
        let (kind, planes) = (Arc::clone(&kind), Arc::clone(&planes));
        let (cell, output) = (cell.clone(), output.clone());
        let holds = (cell.lane == Lane::Kind).then(|| Arc::clone(&kind_runs));
        let (over, runtime) = (kind_is_over.clone(), Arc::clone(&runtime));
        let needs = match cell.lane {
            Lane::Kind => "needs kind",
            Lane::ControlPlane => "needs envtest",
        };
        trials.push(trials::ignored(cell.id(), needs, &arguments, move || {
            let result = match cell.lane {
                Lane::Kind => kind.run(&cell),
                Lane::ControlPlane => {
                    runtime.block_on(over.cancelled());
                    planes.run(&cell)
                }
            };
            drop(holds);
            judge(result?, &output)
        }));
    }
    drop(kind_runs);
    trials.push(Trial::test("trials_fail_where_what_they_need_is_not_up", not_up));

    let conclusion = libtest_mimic::run(&arguments, trials);
    kind.clean_up();
    planes.clean_up();
    conclusion.exit_code()
}

/// Without a cluster, trials are ignored, each with the reason; where they are asked for, each fails.
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
            out.contains("kind::") && out.contains("ignored (needs kind)") && ended.contains(" 0 failed; ")
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
        jobs: AT_ONCE,
        overlap: true,
        room_share: 1,
        redactor: Redactor::default(),
        ends: None,
        write_pending: !is_in_ci(),
        record_verified: false,
    }
}

/// A cell's result as a trial's. One without a verdict fails: the trial was asked for.
fn judge(result: CellResult, output: &Path) -> Result<Completion, Failed> {
    match result.outcome {
        Outcome::Passed => Ok(Completion::Completed),
        Outcome::Flaky => {
            let text = format!("FLAKY {}: {}", result.id, result.reason.unwrap_or_default());
            if is_in_ci() {
                return Err(Failed::from(text));
            }
            println!("{text}");
            Ok(Completion::Completed)
        }
        Outcome::Failed if result.level == Level::Provisional => Ok(Completion::ignored_with(format!(
            "provisional, and it failed: {}",
            result.reason.unwrap_or_default()
        ))),
        Outcome::Failed | Outcome::Error | Outcome::Skipped => Err(Failed::from(told(&result, output))),
    }
}

/// A failed cell, as the terminal shows it.
fn told(result: &CellResult, output: &Path) -> String {
    let mut text = format!(
        "{}: {}",
        result.file,
        result.reason.as_deref().unwrap_or("no reason was given")
    );
    for check in result.checks.iter().filter(|check| check.outcome != Outcome::Passed) {
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
