//! A whole run: up, cases, evidence, reports, down.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::availability::{Unavailable, default_release};
use super::begun::Begun;
use super::nodes::nodes_for_all;
use super::outcome::{cut_off, not_run};
use super::{
    EngineOptions, FileJournal, Journal, JournalHead, RunEngine, RunError, RunId, RunJournal,
    RunSpec, new_run_id,
};
use crate::expect::{pending_allowed, unreferenced};
use crate::plan::{self, Pair, Plan, TestCase};
use crate::progress::Progress;
use crate::provider::{
    Batch, CaseRunner, CleanUp, Phases, Provider, RunEnd, Serve, TargetError, TargetSpec,
};
use crate::redact::{Redacted, Redactor};
use crate::reports::Reports;
use crate::results::{
    CaseResult, Environment, ImageRecord, Outcome, RESULTS_VERSION, RunResult, ScenarioRecord,
};
use crate::scenario::{TargetKind, load_all};

/// Runs the cases that the spec selects, writes the reports into the output folder, and removes the
/// targets that it created.
///
/// # Errors
/// On bad use and bad files, before anything is made, and when reports can't be written. An
/// environment that breaks is part of the result, so that the reports say it.
pub async fn run(
    spec: &RunSpec,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RunResult, RunError> {
    let journal = Arc::new(FileJournal::new(&spec.output));
    run_noting(spec, journal, reports, progress, cancel).await
}

/// As [`run`], with a journal that need not be in the output folder.
///
/// # Errors
/// As [`run`], and when the journal is of another run.
pub async fn run_noting(
    spec: &RunSpec,
    journal: Arc<dyn Journal>,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RunResult, RunError> {
    let redactor = Redactor::of_process();
    let progress: Arc<dyn Progress> = Arc::new(Redacted::new(progress, redactor.clone()));
    let mut begun = None;
    let done = orchestrate(
        spec, journal, reports, progress, cancel, &mut begun, &redactor,
    )
    .await;
    if let (Err(error), Some(begun)) = (&done, begun) {
        begun.failed(error, &redactor);
    }
    done
}

async fn orchestrate(
    spec: &RunSpec,
    journal: Arc<dyn Journal>,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
    begun: &mut Option<Begun>,
    redactor: &Redactor,
) -> Result<RunResult, RunError> {
    let started = Timestamp::now();
    let id = new_run_id();
    // A run that ends while it looks for its cluster must not leave what an earlier one found.
    // Where the plan needs no cluster, bad use is told before anything is changed.
    if spec.targets.iter().any(TargetSpec::knows_its_release) {
        begun
            .insert(Begun::lock(spec, &id, Arc::clone(&reports))?)
            .begin(spec.resume)?;
    }
    let end = spec.end(cancel);
    let (spec, providers) = end.limit(resolve(spec, &progress)).await?;
    let spec = &spec;
    let (mut plan, left_out, scenarios) = plan(spec)?;
    let planned: Vec<String> = plan.cases.iter().map(TestCase::id).collect();
    if let Some(division) = &spec.division {
        plan.cases = division.own(&plan.cases);
        let (shard, own) = (division.shard, plan.cases.len());
        progress.line(&format!("shard {shard}: {own} of {} cases", planned.len()));
    }
    let unavailable = end
        .limit(Unavailable::of(&spec.releases, &spec.targets, &progress))
        .await?;
    let not_available;
    (not_available, plan.cases) = unavailable.split(plan.cases);
    let shard = spec.division.as_ref().map(|division| division.shard);
    let begun = match begun {
        Some(begun) => begun,
        None => begun.insert(Begun::lock(spec, &id, Arc::clone(&reports))?),
    };
    begun.plan(shard, &planned);
    progress.cases(&plan.cases.iter().map(TestCase::id).collect::<Vec<_>>());
    let cluster = providers.iter().find_map(Provider::identity);
    let head = JournalHead::new(shard, planned.clone()).in_cluster(cluster.map(str::to_owned));
    let journal = begin_journal(begun, spec, journal, &head, &*progress);
    let journal = end.limit(journal).await?;
    let mut phases = Phases::start();
    let skipped = not_available.len();
    let runner = TargetRunner {
        options: EngineOptions {
            ends: end.ends,
            ..engine_options(spec, &id, &journal, redactor)
        },
        journal,
        end: &end,
        progress: &progress,
        found: Mutex::new(PartialResults {
            cases: not_available,
            ..PartialResults::default()
        }),
    };
    let mut interrupted = None;
    for mut provider in providers {
        let kind = provider.kind();
        let own = plan.cases.iter().filter(|case| case.target == kind);
        let cases: Vec<TestCase> = own.cloned().collect();
        if cases.is_empty() {
            continue;
        }
        provider.size(|| {
            let scenarios: Vec<_> = cases.iter().map(|case| &*case.scenario).collect();
            nodes_for_all(&scenarios, spec.jobs)
        });
        let before = runner.found().cases.len();
        // What broke before breaks the rest, too.
        if interrupted.is_none() {
            let mut serve = Serve {
                releases: &spec.releases,
                cases: &cases,
                end: &end,
                progress: &progress,
                phases: &mut phases,
                runner: &runner,
            };
            let done = provider.serve(&mut serve).await;
            let found = runner.found();
            // A terminal's Ctrl-C ends the programs that we have started, too; that they failed is
            // not the reason.
            let done = if end.cancel.is_cancelled() {
                Err(TargetError::Interrupted)
            } else if found.cases[before..].iter().any(|case| case.interrupted) {
                done.and(Err(end.cut_off()))
            } else {
                done
            };
            match done {
                // Nothing was made for it, so there is nothing to report.
                Err(error) if error.is_bad_use() && found.cases.len() == skipped => {
                    return Err(error.into());
                }
                done => interrupted = done.err().map(|error| error.to_string()),
            }
        }
        let mut found = runner.found();
        let ran: BTreeSet<String> = found.cases[before..]
            .iter()
            .map(|case| case.id.clone())
            .collect();
        let rest = cases.iter().filter(|case| !ran.contains(&case.id()));
        found.cases.extend(rest.map(cut_off));
    }
    let mut found = std::mem::take(&mut *runner.found());
    let interrupted = with_unkept(interrupted, &found.unkept);
    // Cases that replace the operator, for one, run after the others.
    let place = |result: &CaseResult| planned.iter().position(|id| *id == result.id);
    found.cases.sort_by_cached_key(place);
    found.cases.extend(left_out);
    let mut result = RunResult {
        version: RESULTS_VERSION.into(),
        run_id: id.to_string(),
        started: format!("{started:.0}"),
        duration_seconds: phases.total(),
        harness: env!("CARGO_PKG_VERSION").into(),
        command: spec.command.clone(),
        phases: phases.into_ended(),
        environment: found.environment,
        shard,
        planned,
        selected_rules: spec.filter.rules.clone(),
        scenarios,
        missing: Vec::new(),
        cases: found.cases,
        interrupted,
    };
    redactor.redact_run(&mut result);
    reports.write(&result, &spec.output)?;
    Ok(result)
}

/// Finds the targets of a run, and the releases that cases meet there: that of an existing
/// cluster's operator, else that of manifests that the user brings, else what was asked for, else
/// the newest that is available.
async fn resolve(
    spec: &RunSpec,
    progress: &Arc<dyn Progress>,
) -> Result<(RunSpec, Vec<Provider>), RunError> {
    let mut releases = default_release(&spec.releases, &spec.targets, progress).await?;
    let mut providers = Vec::new();
    for target in &spec.targets {
        providers.push(Provider::find(target, &releases, progress).await?);
    }
    if let Some(release) = providers.iter().find_map(Provider::release) {
        releases.operators = vec![release.clone()];
    }
    let spec = RunSpec {
        releases,
        ..spec.clone()
    };
    Ok((spec, providers))
}

/// Puts reports of a run that has not ended in the place of earlier ones, and begins the journal.
/// One of another run, which can't be picked up, is refused before anything is changed.
async fn begin_journal(
    begun: &mut Begun,
    spec: &RunSpec,
    journal: Arc<dyn Journal>,
    head: &JournalHead,
    progress: &dyn Progress,
) -> Result<Arc<RunJournal>, RunError> {
    if !spec.resume {
        begun.begin(false)?;
    }
    let journal = RunJournal::begin(journal, head, spec.resume, spec.output.clone()).await?;
    if spec.resume {
        begun.write()?;
        begun.clear(|id| journal.has_passed(id))?;
        progress.line(&format!("{} cases passed before", journal.passed()));
    }
    Ok(Arc::new(journal))
}

fn engine_options(
    spec: &RunSpec,
    id: &RunId,
    journal: &Arc<RunJournal>,
    redactor: &Redactor,
) -> EngineOptions {
    EngineOptions {
        run: id.clone(),
        redactor: redactor.clone(),
        output: spec.output.clone(),
        evidence: spec.evidence,
        jobs: spec.jobs,
        overlap: spec.jobs.is_none(),
        journal: Some(Arc::clone(journal)),
        ends: None,
        write_pending: !spec.built_in && pending_allowed(std::env::var("CI").ok().as_deref()),
        record_verified: false,
    }
}

/// The cases to run, the results of those that the scenarios' own ranges leave out, and all
/// scenarios.
fn plan(spec: &RunSpec) -> Result<(Plan, Vec<CaseResult>, Vec<ScenarioRecord>), RunError> {
    let scenarios = load_all(&spec.scenarios)?;
    let left = unreferenced(&scenarios)?;
    if !left.is_empty() {
        return Err(RunError::Unreferenced(left));
    }
    let targets = spec.pairs();
    let plan = plan::cases(&scenarios, &targets, &spec.filter);
    let unreachable = plan.unreachable_checks();
    if !unreachable.is_empty() {
        return Err(RunError::Scenarios(unreachable.into()));
    }
    if plan.cases.is_empty() {
        return Err(RunError::NoCases(plan.why_nothing_is_left()));
    }
    let mut left_out = Vec::new();
    let all = scenarios.iter().flat_map(|scenario| {
        let of = |(target, pairs): &'_ (TargetKind, Vec<Pair>)| {
            let cases = pairs
                .iter()
                .map(|pair| TestCase::of(scenario, *target, pair));
            cases.collect::<Vec<_>>()
        };
        targets.iter().flat_map(of).collect::<Vec<_>>()
    });
    // A scenario that is not for a target has no case there; only ranges leave cases out.
    let placed = |case: &TestCase| spec.filter.all || case.is_on_cheapest_target();
    for case in all.filter(placed) {
        if let Some(skipped) = plan
            .skipped
            .iter()
            .find(|skipped| skipped.name == case.id())
        {
            left_out.push(not_run(&case, Outcome::Skipped, &skipped.reason));
        }
    }
    let records = scenarios
        .iter()
        .map(|scenario| ScenarioRecord::of(scenario))
        .collect();
    Ok((plan, left_out, records))
}

/// The results of a run so far.
#[derive(Default)]
struct PartialResults {
    environment: Environment,
    cases: Vec<CaseResult>,
    /// The results that could not be written.
    unkept: Vec<String>,
}

/// Number of the results that could not be written that are named one by one.
const NAMED: usize = 5;

/// Adds to what stopped a run what it could not keep of what it found.
fn with_unkept(interrupted: Option<String>, unkept: &[String]) -> Option<String> {
    let more = unkept.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("{more} more"));
    let named: Vec<String> = unkept.iter().take(NAMED).cloned().chain(more).collect();
    let unkept =
        (!named.is_empty()).then(|| format!("some results were not stored: {}", named.join("; ")));
    let texts: Vec<String> = interrupted.into_iter().chain(unkept).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Runs the cases of a run on each of its targets.
struct TargetRunner<'a> {
    options: EngineOptions,
    journal: Arc<RunJournal>,
    end: &'a RunEnd,
    progress: &'a Arc<dyn Progress>,
    found: Mutex<PartialResults>,
}

impl TargetRunner<'_> {
    fn found(&self) -> std::sync::MutexGuard<'_, PartialResults> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, batch: Batch<'_>) -> Result<CleanUp, TargetError> {
        let progress = Arc::clone(self.progress);
        let cancel = batch.cancel.clone();
        let engine = async {
            let engine = RunEngine::new(batch.target, self.options.clone(), progress, cancel).await;
            engine.map_err(|error| TargetError::Start(error.into()))
        };
        // It looks at nodes and Pods before cases, which have limits of their own, begin.
        let engine = self.end.limit(engine).await?;
        let (passed, rest) = engine.take_over(&batch.cases).await;
        self.found().cases.extend(passed);
        match batch.upgrade {
            None => {
                let results = engine.run(&rest).await;
                self.found().cases.extend(results);
            }
            Some(upgrade) => {
                for case in &rest {
                    let result = engine.run_upgrade(case, upgrade).await;
                    self.found().cases.push(result);
                }
            }
        }
        self.found().unkept.extend(engine.unkept());
        let progress = Arc::clone(self.progress);
        let clean_up = async move {
            for problem in engine.finish().await {
                progress.line(&format!("warning: {problem}"));
            }
        };
        Ok(clean_up.boxed_local())
    }
}

impl CaseRunner for TargetRunner<'_> {
    fn made_of(&self, target: TargetKind, environment: &Environment) {
        self.found().environment.extend(environment);
        self.journal.runs_on(target, environment);
    }

    fn rest(
        &self,
        cases: &[TestCase],
        images: &dyn Fn(&TestCase) -> Vec<ImageRecord>,
    ) -> Vec<TestCase> {
        let (passed, rest) = self.journal.take_over(cases, images, &**self.progress);
        self.found().cases.extend(passed);
        rest
    }

    fn run<'a>(&'a self, batch: Batch<'a>) -> LocalBoxFuture<'a, Result<CleanUp, TargetError>> {
        TargetRunner::run(self, batch).boxed_local()
    }
}
