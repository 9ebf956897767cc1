//! One trial for each cell, named `lane::operator::ray::scenario`; a trial only asks the engine for its cell.
//!
//! The trials of the lane `kind` attach to what `kuberay-conformance up` has left up, and are shown as ignored where
//! nothing is; those of the lane `control-plane` start control planes of all releases themselves, and are shown as
//! ignored where their programs would have to be built or pulled first. With `KUBERAY_CONFORMANCE_REQUIRE=kind,control-plane`
//! either is a failure (and missing programs are made), and so is a folder of scenarios without a trial of the lane.
//!
//! The lane `control-plane` waits for the lane `kind`: its API servers need every core, and a Ray that is kept from them
//! for half a minute gives its dashboard up.

#[path = "conformance/control_plane.rs"]
mod control_plane;
#[path = "conformance/kind.rs"]
mod kind;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::expect::pending_allowed;
use kuberay_conformance::plan::{Cell, Filter, Pair, cells};
use kuberay_conformance::process::guarded_helper;
use kuberay_conformance::report::{CellResult, Outcome, Redactor};
use kuberay_conformance::run::{CLUSTER, EngineOptions, EvidencePolicy, new_run_id, noted_releases};
use kuberay_conformance::scenario::{Lane, Level, load_all};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
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
    let lanes = [
        LaneTrials::new(Lane::Kind, kind_cells),
        LaneTrials::new(Lane::ControlPlane, plane_cells.clone()),
    ];
    let required = |lane| is_required(lane);
    let kind = Arc::new(kind::Stand::new(Arc::clone(&runtime), output.clone()));
    let mut releases: Vec<_> = plane_cells.iter().map(|cell| cell.operator.clone()).collect();
    releases.dedup();
    let is_needed = required(Lane::ControlPlane);
    let planes = control_plane::Stand::new(Arc::clone(&runtime), output.clone(), releases, ray, is_needed);
    let planes = Arc::new(planes);
    let kind_is_over = CancellationToken::new();
    // Ends with the last of the trials that hold it, whether they ran or were left out.
    let kind_runs = Arc::new(kind_is_over.clone().drop_guard());
    let mut trials = Vec::new();
    for lane in &lanes {
        for cell in &lane.cells {
            let (kind, planes, counts) = (Arc::clone(&kind), Arc::clone(&planes), Arc::clone(&lane.counts));
            let (cell, output) = (cell.clone(), output.clone());
            let holds = (cell.lane == Lane::Kind).then(|| Arc::clone(&kind_runs));
            let (over, runtime) = (kind_is_over.clone(), Arc::clone(&runtime));
            trials.push(Trial::ignorable_test(cell.id(), move || {
                let result = match cell.lane {
                    Lane::Kind => kind.run(&cell),
                    Lane::ControlPlane => {
                        runtime.block_on(over.cancelled());
                        planes.run(&cell)
                    }
                };
                drop(holds);
                judge(result, &counts, &output)
            }));
        }
    }
    drop(kind_runs);
    if std::env::var_os(INNER).is_none() {
        trials.push(Trial::test("a_required_lane_that_is_not_up_fails", not_up));
    }

    let only_listed = arguments.list;
    let is_filtered = arguments.filter.is_some() || arguments.exact || !arguments.skip.is_empty();
    let conclusion = libtest_mimic::run(&arguments, trials);
    kind.clean_up();
    planes.clean_up();
    if only_listed {
        return ExitCode::SUCCESS;
    }
    let mut honest = true;
    for lane in &lanes {
        let (ran, ignored) = (lane.counts.ran(), lane.counts.ignored());
        let total = lane.cells.len();
        println!("{}: {total} trials, {ran} ran, {ignored} ignored", lane.lane);
        // What the command line left out was left out by whoever wrote it.
        let left_out = !is_filtered && ran + ignored < total;
        if required(lane.lane) && (total == 0 || ignored > 0 || left_out) {
            let why = match lane.lane {
                Lane::Kind => kind.why(),
                Lane::ControlPlane => planes.why(),
            };
            eprintln!(
                "KUBERAY_CONFORMANCE_REQUIRE asks for the lane {}, so every one of its trials must run: {}",
                lane.lane,
                why.unwrap_or("a trial was ignored, or there is none")
            );
            honest = false;
        }
    }
    if honest {
        conclusion.exit_code()
    } else {
        ExitCode::FAILURE
    }
}

/// Makes this program one that is looked at by a trial of itself.
const INNER: &str = "KUBERAY_CONFORMANCE_INNER";

/// Without a cluster, trials are left out, each with the reason; where the lane is asked for, that is a failure.
fn not_up() -> Result<(), Failed> {
    for (required, passes) in [("", true), ("kind", false)] {
        let cache = tempfile::tempdir()?;
        let output = std::process::Command::new(std::env::current_exe()?)
            .env(INNER, "yes")
            .env("KUBERAY_CONFORMANCE_CACHE", cache.path())
            .env("KUBERAY_CONFORMANCE_REQUIRE", required)
            .output()?;
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let is_told = error.contains("KUBERAY_CONFORMANCE_REQUIRE asks for the lane kind");
        let are_left_out = out.contains("kind::") && out.contains("ignored") && !out.contains(" 0 ignored\n");
        if output.status.success() != passes || is_told == passes || !are_left_out {
            return Err(format!("with `{required}` required: {}\n{out}\n{error}", output.status).into());
        }
    }
    Ok(())
}

/// The cells of a lane, and what became of them.
struct LaneTrials {
    lane: Lane,
    cells: Vec<Cell>,
    counts: Arc<Counts>,
}

impl LaneTrials {
    fn new(lane: Lane, cells: Vec<Cell>) -> Self {
        let counts = Arc::default();
        Self { lane, cells, counts }
    }
}

#[derive(Default)]
struct Counts {
    ran: AtomicUsize,
    ignored: AtomicUsize,
}

impl Counts {
    fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }

    fn ignored(&self) -> usize {
        self.ignored.load(Ordering::SeqCst)
    }
}

fn is_required(lane: Lane) -> bool {
    let required = std::env::var("KUBERAY_CONFORMANCE_REQUIRE").unwrap_or_default();
    required.split(',').any(|name| name.trim() == lane.to_string())
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

/// A cell's result as a trial's; without one, for the reason given, it is ignored.
fn judge(result: Result<CellResult, String>, counts: &Counts, output: &Path) -> Result<Completion, Failed> {
    let ignored = |why: String| {
        counts.ignored.fetch_add(1, Ordering::SeqCst);
        Ok(Completion::ignored_with(why))
    };
    let result = match result {
        Ok(result) => result,
        Err(why) => return ignored(why),
    };
    match result.outcome {
        Outcome::Skipped if result.no_room && is_required(result.lane) => Err(Failed::from(told(&result, output))),
        Outcome::Skipped => ignored(result.reason.unwrap_or_default()),
        Outcome::Passed => {
            counts.ran.fetch_add(1, Ordering::SeqCst);
            Ok(Completion::Completed)
        }
        Outcome::Flaky => {
            counts.ran.fetch_add(1, Ordering::SeqCst);
            let text = format!("FLAKY {}: {}", result.id, result.reason.unwrap_or_default());
            if is_in_ci() {
                return Err(Failed::from(text));
            }
            println!("{text}");
            Ok(Completion::Completed)
        }
        Outcome::Failed if result.level == Level::Provisional => ignored(format!(
            "provisional, and it failed: {}",
            result.reason.unwrap_or_default()
        )),
        Outcome::Failed | Outcome::Error => {
            counts.ran.fetch_add(1, Ordering::SeqCst);
            Err(Failed::from(told(&result, output)))
        }
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
