//! One trial for each cell, on the cluster that is up.
//!
//! The trials are made when the program starts, so a new scenario is a new trial without recompiling. Where nothing is
//! up they are ignored, with the reason; with `KUBERAY_CONFORMANCE_REQUIRE=kind` that is a failure.

use std::process::ExitCode;
use std::sync::Arc;

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::plan::{self, Cell, Filter};
use kuberay_conformance::report::{CellResult, Outcome, Progress, Silent};
use kuberay_conformance::run::{Engine, EngineOptions, EvidencePolicy, Options, Session, new_run_id};
use kuberay_conformance::scenario::{Lane, load_all};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let required = std::env::var("KUBERAY_CONFORMANCE_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|lane| lane == "kind");
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let scenarios = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let pins = Pins::embedded();
    let options = Options::new(pins.defaults.operator, pins.defaults.ray);
    let attached = if arguments.list {
        Err("only listing".to_owned())
    } else {
        runtime.block_on(attach(&options, &progress)).map_err(|error| error.to_string())
    };
    let (operator, ray) = attached.as_ref().map_or_else(
        |_| (options.operator.clone(), options.ray.clone()),
        |(session, _)| (session.operator().clone(), session.ray().clone()),
    );
    let scenarios = match load_all(&scenarios) {
        Ok(scenarios) => scenarios,
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::FAILURE;
        }
    };
    let cells = plan::cells(&scenarios, &[operator], &[ray], &[Lane::Kind], &Filter::default()).cells;
    println!("{} cells of the lane kind", cells.len());
    if required && cells.is_empty() {
        eprintln!("KUBERAY_CONFORMANCE_REQUIRE asks for kind, but there is no cell");
        return ExitCode::FAILURE;
    }
    // The engine knows how many cells the nodes can hold; a trial only waits for its own.
    arguments.test_threads = arguments.test_threads.or(Some(cells.len().max(1)));
    let trials = match &attached {
        Ok((_, engine)) => cells.into_iter().map(|cell| trial(cell, Arc::clone(engine), Arc::clone(&runtime))).collect(),
        Err(reason) => {
            println!("no cluster to run them on: {reason}");
            if required && !arguments.list {
                eprintln!("KUBERAY_CONFORMANCE_REQUIRE asks for kind; bring a cluster up with `kuberay-conformance up`");
                return ExitCode::FAILURE;
            }
            cells.into_iter().map(|cell| Trial::test(cell.id(), || Ok(())).with_ignored_flag(true)).collect()
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Ok((_, engine)) = &attached {
        for problem in runtime.block_on(engine.finish()) {
            eprintln!("warning: {problem}");
        }
    }
    println!("{} trials of the lane kind ran", conclusion.num_passed + conclusion.num_failed);
    conclusion.exit_code()
}

async fn attach(
    options: &Options,
    progress: &Arc<dyn Progress>,
) -> Result<(Session, Arc<Engine>), kuberay_conformance::run::RunError> {
    let session = Session::attach(options, Arc::clone(progress), "cargo test").await?;
    let engine_options = EngineOptions {
        run: new_run_id(),
        output: std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("output/cargo-test"),
        evidence: EvidencePolicy::OnFailure,
        jobs: usize::MAX,
        ends: None,
        write_pending: false,
        record_verified: false,
    };
    let engine = session.engine(engine_options, Arc::clone(progress), CancellationToken::new()).await?;
    Ok((session, Arc::new(engine)))
}

fn trial(cell: Cell, engine: Arc<Engine>, runtime: Arc<Runtime>) -> Trial {
    Trial::test(cell.id(), move || {
        let result = runtime.block_on(engine.run_cell(&cell));
        if result.outcome == Outcome::Passed { Ok(()) } else { Err(Failed::from(told(&result))) }
    })
}

/// What went wrong, as a run tells it at its end.
fn told(result: &CellResult) -> String {
    let mut text = result.reason.clone().unwrap_or_default();
    for check in result.checks.iter().filter(|check| check.outcome != Outcome::Passed) {
        let place = check.location;
        text.push_str(&format!("\n{}:{}:{}: {}: {}", result.file, place.line, place.column, check.name, check.message));
        if let Some(diff) = &check.diff {
            text.push('\n');
            text.push_str(diff);
        }
    }
    if let Some(evidence) = &result.evidence {
        text.push_str(&format!("\nevidence: output/cargo-test/{evidence}"));
    }
    text
}
