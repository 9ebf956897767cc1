//! One trial for each cell, named `lane::operator::ray::scenario`; a trial only asks the engine for its cell.
//!
//! The trials attach to what `kuberay-conformance up` has left up, and are shown as ignored where nothing is. With
//! `KUBERAY_CONFORMANCE_REQUIRE=kind` that is a failure, and so is a folder of scenarios without a trial.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use kuberay_conformance::artifact::Pins;
use kuberay_conformance::expect::pending_allowed;
use kuberay_conformance::plan::{Cell, Filter, cells};
use kuberay_conformance::report::{CellResult, Outcome, Silent};
use kuberay_conformance::run::{
    CLUSTER, Engine, EngineOptions, EvidencePolicy, Options, Session, new_run_id, noted_releases,
};
use kuberay_conformance::scenario::{Lane, Level, load_all};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Trials only wait, so there are as many at once as the nodes have room for; the engine knows.
const AT_ONCE: usize = 64;

fn main() -> ExitCode {
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
    let (operator, ray) = noted_releases(CLUSTER).unwrap_or_else(|| {
        let defaults = Pins::embedded().defaults;
        (defaults.operator, defaults.ray)
    });
    let plan = cells(&scenarios, &[operator], &[ray], &[Lane::Kind], &Filter::default());
    let stand = Arc::new(Stand::new(root.join("output/tests")));
    let trials: Vec<Trial> = plan.cells.into_iter().map(|cell| trial(cell, &stand)).collect();

    let (count, only_listed) = (trials.len(), arguments.list);
    let conclusion = libtest_mimic::run(&arguments, trials);
    stand.clean_up();
    if only_listed {
        return ExitCode::SUCCESS;
    }
    let ran = conclusion.num_passed + conclusion.num_failed;
    println!("kind: {count} trials, {ran} ran, {} ignored", conclusion.num_ignored);
    if kind_is_required() && (count == 0 || conclusion.num_ignored > 0) {
        eprintln!(
            "KUBERAY_CONFORMANCE_REQUIRE asks for the lane kind, so every one of its trials must run: {}",
            stand.why()
        );
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn kind_is_required() -> bool {
    let required = std::env::var("KUBERAY_CONFORMANCE_REQUIRE").unwrap_or_default();
    required.split(',').any(|lane| lane == "kind")
}

fn trial(cell: Cell, stand: &Arc<Stand>) -> Trial {
    let stand = Arc::clone(stand);
    Trial::ignorable_test(cell.id(), move || {
        let attached = match stand.attached() {
            Ok(attached) => attached,
            Err(why) => return Ok(Completion::ignored_with(why)),
        };
        let result = stand.runtime.block_on(attached.engine.run_cell(&cell));
        match result.outcome {
            Outcome::Passed => Ok(Completion::Completed),
            Outcome::Skipped => Ok(Completion::ignored_with(result.reason.unwrap_or_default())),
            Outcome::Failed if result.level == Level::Provisional => Ok(Completion::ignored_with(format!(
                "provisional, and it failed: {}",
                result.reason.unwrap_or_default()
            ))),
            Outcome::Failed | Outcome::Error => Err(Failed::from(told(&result, &stand.output))),
        }
    })
}

/// What the trials share: the cluster that the first of them attaches to.
struct Stand {
    runtime: Runtime,
    output: PathBuf,
    attached: OnceLock<Result<Attached, String>>,
}

struct Attached {
    engine: Engine,
    /// Nobody takes the cluster down while this is held.
    _session: Session,
}

impl Stand {
    fn new(output: PathBuf) -> Self {
        Self {
            runtime: Runtime::new().expect("a tokio runtime"),
            output,
            attached: OnceLock::new(),
        }
    }

    fn attached(&self) -> Result<&Attached, String> {
        let attached = self.attached.get_or_init(|| self.runtime.block_on(self.attach()));
        attached.as_ref().map_err(Clone::clone)
    }

    async fn attach(&self) -> Result<Attached, String> {
        let defaults = Pins::embedded().defaults;
        let options = Options::new(defaults.operator, defaults.ray);
        let session = Session::attach(&options, Arc::new(Silent), "cargo test")
            .await
            .map_err(|error| error.to_string())?;
        let options = EngineOptions {
            run: new_run_id(),
            output: self.output.clone(),
            evidence: EvidencePolicy::OnFailure,
            jobs: AT_ONCE,
            ends: None,
            write_pending: pending_allowed(std::env::var("CI").ok().as_deref()),
            record_verified: false,
        };
        let engine = session
            .engine(options, Arc::new(Silent), CancellationToken::new())
            .await;
        let engine = engine.map_err(|error| error.to_string())?;
        Ok(Attached {
            engine,
            _session: session,
        })
    }

    fn clean_up(&self) {
        if let Some(Ok(attached)) = self.attached.get() {
            for problem in self.runtime.block_on(attached.engine.finish()) {
                eprintln!("warning: {problem}");
            }
        }
    }

    fn why(&self) -> &str {
        match self.attached.get() {
            Some(Err(why)) => why,
            _ => "a trial was ignored, or there is none",
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
