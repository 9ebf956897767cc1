//! A whole run: up, cases, evidence, reports, down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use semver::Version;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::availability::Unavailable;
use super::begun::Begun;
use super::daemon::Daemon;
use super::end::until;
use super::existing::There;
use super::lifecycle::bring_up;
use super::nodes::nodes_for_all;
use super::outcome::{cut_off, not_run};
use super::phases::Phases;
use super::plane::{JOBS, PlaneSetup, Replaceable, Running, Site, ToNewer};
use super::session::{Session, new_run_id};
use super::setup::{RUN, Setup};
use super::upgrade::Upgrades;
use super::{
    EngineOptions, FileJournal, Journal, JournalHead, Options, RunError, RunId, RunJournal,
    default_jobs,
};
use crate::expect::{pending_allowed, unreferenced};
use crate::plan::{self, Pair, Plan, TestCase};
use crate::process::Alarm;
use crate::progress::Progress;
use crate::redact::{Redacted, Redactor};
use crate::reports::Reports;
use crate::results::{
    CaseResult, Environment, Outcome, RESULTS_VERSION, RunResult, ScenarioRecord,
};
use crate::scenario::{OperatorSettings, TargetKind, load_all};
use crate::target::{ClusterError, Left, UP, UPGRADE, who};

/// Runs what the options select, writes the reports into the output folder, and takes down what it brought up.
///
/// # Errors
/// On bad use and bad files, before anything is made, and when reports can't be written. An environment that breaks
/// is part of the result, so that the reports say it.
pub async fn run(
    options: &Options,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RunResult, RunError> {
    let journal = Arc::new(FileJournal::new(&options.output));
    run_noting(options, journal, reports, progress, cancel).await
}

/// As [`run`], with a journal that need not be in the output folder.
///
/// # Errors
/// As [`run`], and when the journal is of another run.
pub async fn run_noting(
    options: &Options,
    journal: Arc<dyn Journal>,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RunResult, RunError> {
    let redactor = Redactor::default();
    let progress: Arc<dyn Progress> = Arc::new(Redacted::new(progress, redactor.clone()));
    let mut begun = None;
    let done = orchestrate(
        options, journal, reports, progress, cancel, &mut begun, &redactor,
    )
    .await;
    if let (Err(error), Some(begun)) = (&done, begun) {
        begun.failed(error, &redactor);
    }
    done
}

async fn orchestrate(
    options: &Options,
    journal: Arc<dyn Journal>,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
    begun: &mut Option<Begun>,
    redactor: &Redactor,
) -> Result<RunResult, RunError> {
    let started = Timestamp::now();
    let id = new_run_id();
    // A run that ends while it looks for its cluster must not leave what an earlier one found. Where the plan needs no
    // cluster, bad use is told before anything is changed.
    if options.existing.is_some() || options.manifests.is_some() {
        begun
            .insert(Begun::lock(options, &id, Arc::clone(&reports))?)
            .begin(options.resume)?;
    }
    let ends = options.timeout.map(|timeout| Instant::now() + timeout);
    let until_over = UntilOver {
        cancel: &cancel,
        ends,
        timeout: options.timeout,
    };
    let options = &until_over
        .run(async { options.with_default_release(&progress).await })
        .await?;
    let mut there = until_over
        .run(There::find(options, Arc::clone(&progress)))
        .await?;
    let options = &until_over
        .run(async { options.with_release(there.as_ref(), &progress).await })
        .await?;
    let (mut plan, left_out, scenarios) = plan(options)?;
    let planned: Vec<String> = plan.cases.iter().map(TestCase::id).collect();
    if let Some(division) = &options.division {
        plan.cases = division.own(&plan.cases);
        let (shard, own) = (division.shard, plan.cases.len());
        progress.line(&format!("shard {shard}: {own} of {} cases", planned.len()));
    }
    let unavailable = until_over.run(Unavailable::of(options, &progress)).await?;
    let not_available;
    (not_available, plan.cases) = unavailable.split(plan.cases);
    let shard = options.division.as_ref().map(|division| division.shard);
    let begun = match begun {
        Some(begun) => begun,
        None => begun.insert(Begun::lock(options, &id, Arc::clone(&reports))?),
    };
    begun.plan(shard, &planned);
    progress.cases(&plan.cases.iter().map(TestCase::id).collect::<Vec<_>>());
    let cluster = there.as_ref().map(|there| there.identity().to_owned());
    let head = JournalHead::new(shard, planned.clone()).in_cluster(cluster);
    let journal = begin_journal(begun, options, journal, &head, &*progress).await?;
    let mut phases = Phases::start();
    let mut found = Found {
        cases: not_available,
        ..Found::default()
    };
    let skipped = found.cases.len();
    let engine_options = EngineOptions {
        ends,
        ..engine_options(options, &id, journal, redactor)
    };
    for target in [TargetKind::Envtest, TargetKind::Kind, TargetKind::Existing] {
        let cases: Vec<TestCase> = plan
            .cases
            .iter()
            .filter(|case| case.target == target)
            .cloned()
            .collect();
        if cases.is_empty() {
            continue;
        }
        let job = Job {
            options,
            engine_options: engine_options.clone(),
            cases: &cases,
            progress: &progress,
            cancel: &cancel,
        };
        let before = found.cases.len();
        // What broke before breaks the rest, too.
        if found.interrupted.is_none() {
            let done = match target {
                TargetKind::Envtest => job.run_planes(&mut found, &mut phases).await,
                TargetKind::Kind | TargetKind::Existing => match there.take() {
                    Some(there) => job.run_existing(there, &mut found, &mut phases).await,
                    None => job.run(&mut found, &mut phases).await,
                },
            };
            // A terminal's Ctrl-C ends the programs that we have started, too; that they failed is not the reason.
            let done = if cancel.is_cancelled() {
                Err(RunError::Interrupted)
            } else if found.cases[before..].iter().any(|case| case.interrupted) {
                done.and(Err(job.cut_off()))
            } else {
                done
            };
            match done {
                // Nothing was made for it, so there is nothing to report.
                Err(error) if error.is_bad_use() && found.cases.len() == skipped => {
                    return Err(error);
                }
                done => found.interrupted = done.err().map(|error| error.to_string()),
            }
        }
        let ran: BTreeSet<String> = found.cases[before..]
            .iter()
            .map(|case| case.id.clone())
            .collect();
        let rest = cases.iter().filter(|case| !ran.contains(&case.id()));
        found.cases.extend(rest.map(cut_off));
    }
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
        command: options.command.clone(),
        phases: phases.into_ended(),
        environment: found.environment,
        shard,
        planned,
        scenarios,
        missing: Vec::new(),
        cases: found.cases,
        interrupted: found.interrupted,
    };
    redactor.redact_run(&mut result);
    reports.write(&result, &options.output)?;
    Ok(result)
}

/// Puts reports of a run that has not ended in the place of earlier ones, and begins the journal. One of another run, which
/// can't be picked up, is refused before anything is changed.
async fn begin_journal(
    begun: &mut Begun,
    options: &Options,
    journal: Arc<dyn Journal>,
    head: &JournalHead,
    progress: &dyn Progress,
) -> Result<RunJournal, RunError> {
    if !options.resume {
        begun.begin(false)?;
    }
    let journal = RunJournal::begin(journal, head, options.resume, options.output.clone()).await?;
    if options.resume {
        begun.write()?;
        begun.clear(|id| journal.has_passed(id))?;
        progress.line(&format!("{} cases passed before", journal.passed()));
    }
    Ok(journal)
}

fn engine_options(
    options: &Options,
    id: &RunId,
    journal: RunJournal,
    redactor: &Redactor,
) -> EngineOptions {
    EngineOptions {
        run: id.clone(),
        redactor: redactor.clone(),
        output: options.output.clone(),
        evidence: options.evidence,
        jobs: options.jobs.unwrap_or_else(default_jobs),
        overlap: options.jobs.is_none(),
        capacity_share: options
            .existing
            .as_ref()
            .map_or(1, |there| there.capacity_share),
        journal: Some(Arc::new(journal)),
        ends: None,
        write_pending: !options.built_in && pending_allowed(std::env::var("CI").ok().as_deref()),
        record_verified: false,
    }
}

/// The cases to run, the results of those that the scenarios' own ranges leave out, and all scenarios.
fn plan(options: &Options) -> Result<(Plan, Vec<CaseResult>, Vec<ScenarioRecord>), RunError> {
    let scenarios = load_all(&options.scenarios)?;
    let left = unreferenced(&scenarios)?;
    if !left.is_empty() {
        return Err(RunError::Unreferenced(left));
    }
    let targets = options.releases();
    let plan = plan::cases(&scenarios, &targets, &options.filter);
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
    let placed = |case: &TestCase| options.filter.all || case.is_on_cheapest_target();
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

/// What a run has found by now.
#[derive(Default)]
struct Found {
    environment: Environment,
    cases: Vec<CaseResult>,
    interrupted: Option<String>,
}

struct Job<'a> {
    options: &'a Options,
    engine_options: EngineOptions,
    cases: &'a [TestCase],
    progress: &'a Arc<dyn Progress>,
    cancel: &'a CancellationToken,
}

/// Cases at once in a cluster that exists, as far as it has room.
const AT_ONCE: usize = 64;
/// How long cases may take to end after what they run on has broken.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

impl Job<'_> {
    /// Why cases have no verdict although nothing broke and nobody interrupted the run.
    fn cut_off(&self) -> RunError {
        self.options
            .timeout
            .map_or(RunError::Interrupted, RunError::Timeout)
    }

    /// Runs the cases of envtest.
    async fn run_planes(&self, found: &mut Found, phases: &mut Phases) -> Result<(), RunError> {
        let mut releases: Vec<Version> = self
            .cases
            .iter()
            .map(|case| case.operator.clone())
            .collect();
        releases.dedup();
        let older = self.cases.iter();
        let older = older.filter_map(|case| case.scenario.upgrade_from.clone());
        for release in older.collect::<BTreeSet<_>>() {
            if !releases.contains(&release) {
                releases.push(release);
            }
        }
        let setup = PlaneSetup::new(self.options, &releases, Arc::clone(self.progress));
        let setup = self.until_cancelled(setup).await?;
        phases.end("programs");
        found.environment.extend(setup.environment());
        let rest = self.engine_options.journal.as_ref().map(|journal| {
            journal.runs_on(TargetKind::Envtest, setup.environment());
            let (results, rest) =
                journal.take_over(self.cases, |case| setup.images(case), &**self.progress);
            found.cases.extend(results);
            rest
        });
        let job = Job {
            cases: rest.as_deref().unwrap_or(self.cases),
            engine_options: self.engine_options.clone(),
            ..*self
        };
        if job.cases.is_empty() {
            return Ok(());
        }
        job.on_planes(&setup, found, phases).await
    }

    async fn on_planes(
        &self,
        setup: &PlaneSetup,
        found: &mut Found,
        phases: &mut Phases,
    ) -> Result<(), RunError> {
        let releases: Vec<&Version> = self.cases.iter().map(|case| &case.operator).collect();
        let daemon = self
            .until_cancelled(Daemon::attach(setup, "run", &**self.progress))
            .await?;
        let broken = self.cancel.child_token();
        let cases = async |site: Site| self.cases_at(&site, &broken).await;
        // Settings of the operator that are not its release's own, and upgrades, need an operator of our own.
        let here = |case: &&TestCase| {
            daemon.is_none()
                || !case.operator_settings().is_default()
                || case.scenario.upgrade_from.is_some()
        };
        if let Some(daemon) = &daemon {
            let sites = daemon
                .sites()
                .iter()
                .filter(|site| releases.contains(&&site.release));
            let work = try_join_all(sites.map(|site| cases(site.clone())));
            let done = self.until_broken(work, daemon.alarm(), &broken).await;
            phases.end("cases");
            found.cases.extend(done?.into_iter().flatten());
            if let Some(cause) = daemon.alarm().cause() {
                return Err(RunError::Broken(cause));
            }
            if !self.cases.iter().any(|case| here(&case)) {
                return Ok(());
            }
        }
        let settings = |release: &Version| {
            let cases = self.cases.iter().filter(|case| case.operator == *release);
            let settings = cases
                .filter(here)
                .map(|case| match case.scenario.upgrade_from {
                    Some(_) => OperatorSettings::default(),
                    None => case.operator_settings().clone(),
                });
            settings.collect()
        };
        let upgrades = async |operator: &Replaceable<'_>| self.upgrades_at(operator, &broken).await;
        let plane = self.until_cancelled(setup.start()).await?;
        let done = self
            .until_broken(
                setup.each(&plane, settings, cases, upgrades),
                plane.alarm(),
                &broken,
            )
            .await;
        phases.end("control planes and cases");
        let cause = plane.alarm().cause();
        let done = match done {
            Ok(done) => {
                let (results, running): (Vec<_>, Vec<_>) = done.into_iter().unzip();
                found.cases.extend(results.into_iter().flatten().flatten());
                join_all(running.into_iter().map(Running::stop)).await;
                Ok(())
            }
            Err(error) => Err(error),
        };
        plane.stop().await;
        phases.end("control planes down");
        // What has ended explains everything else.
        cause.map_or(done, |cause| Err(RunError::Broken(cause)))
    }

    /// Runs the cases of one release and one set of settings.
    async fn cases_at(
        &self,
        site: &Site,
        cancel: &CancellationToken,
    ) -> Result<Vec<CaseResult>, RunError> {
        let mut options = self.engine_options.clone();
        options.jobs = self.options.jobs.unwrap_or(JOBS);
        let own = |case: &&TestCase| {
            case.operator == site.release
                && *case.operator_settings() == site.settings
                && case.scenario.upgrade_from.is_none()
        };
        let cases: Vec<TestCase> = self.cases.iter().filter(own).cloned().collect();
        let progress = Arc::clone(self.progress);
        let engine = site
            .engine(&self.options.ray, options, progress, cancel.clone())
            .await?;
        let results = engine.run(&cases).await;
        for problem in engine.finish().await {
            self.progress.line(&format!("warning: {problem}"));
        }
        Ok(results)
    }

    /// Runs the cases of one release that begin with an older one, one after the other.
    async fn upgrades_at(
        &self,
        operator: &Replaceable<'_>,
        cancel: &CancellationToken,
    ) -> Result<Option<Vec<CaseResult>>, RunError> {
        let mut results = Vec::new();
        let own = self
            .cases
            .iter()
            .filter(|case| case.operator == *operator.release());
        for case in own {
            let Some(from) = &case.scenario.upgrade_from else {
                continue;
            };
            let settings = case.operator_settings();
            let site = operator.put(from, settings).await?;
            let options = self.engine_options.clone();
            let progress = Arc::clone(self.progress);
            let engine = site
                .engine(&self.options.ray, options, progress, cancel.clone())
                .await?;
            let to = ToNewer { operator, settings };
            results.push(engine.run_upgrade(case, &to).await);
            for problem in engine.finish().await {
                self.progress.line(&format!("warning: {problem}"));
            }
        }
        Ok(Some(results).filter(|results| !results.is_empty()))
    }

    /// Does the work until a program of the control planes ends; gives cases the time to keep their evidence then, and
    /// when the run is cancelled.
    async fn until_broken<T>(
        &self,
        work: impl Future<Output = Result<T, RunError>>,
        alarm: &Alarm,
        broken: &CancellationToken,
    ) -> Result<T, RunError> {
        let break_off = async {
            let error = tokio::select! {
                cause = alarm.rung() => RunError::Broken(cause),
                () = broken.cancelled() => RunError::Interrupted,
            };
            broken.cancel();
            tokio::time::sleep(ENDED_WITHIN).await;
            error
        };
        tokio::select! {
            biased;
            done = work => done,
            error = break_off => Err(error),
        }
    }

    /// Runs the cases in a cluster that exists.
    async fn run_existing(
        &self,
        there: There,
        found: &mut Found,
        phases: &mut Phases,
    ) -> Result<(), RunError> {
        found.environment.extend(&there.environment(self.options));
        let options = EngineOptions {
            // Its processors are not this machine's: its room is what limits.
            jobs: self.options.jobs.unwrap_or(AT_ONCE),
            ..self.engine_options.clone()
        };
        let results = there
            .run(self.options, options, self.cases, self.cancel)
            .await;
        phases.end("cases");
        found.cases.extend(results?);
        Ok(())
    }

    async fn run(&self, found: &mut Found, phases: &mut Phases) -> Result<(), RunError> {
        let setup = self
            .until_cancelled(Setup::ready_to_bring_up(
                self.options,
                Arc::clone(self.progress),
            ))
            .await?;
        found.environment.extend(&Environment {
            engine: setup.engine().into(),
            ..Environment::default()
        });
        let done = self.on(&setup, found, phases).await;
        let is_others = matches!(
            done,
            Err(RunError::OtherReleases { .. }
                | RunError::Cluster(ClusterError::Locked { .. } | ClusterError::InUse { .. }))
        );
        if self.options.keep || is_others {
            return done;
        }
        let left = self.leave(&setup).await;
        phases.end("down");
        // Why it ended says more than what its clean-up met, which is told all the same.
        if let (Err(_), Err(error)) = (&done, &left) {
            self.progress.line(&format!(
                "warning: not everything was removed: {error}; `kuberay-conformance cluster down` tries again"
            ));
        }
        done?;
        left
    }

    /// Removes the cluster, unless it is to stay or others use it.
    async fn leave(&self, setup: &Setup) -> Result<(), RunError> {
        if let Left::ToOthers(users) = setup.cluster.leave().await? {
            // A run takes it down at its end; who only attached to it does not.
            let later = if users
                .iter()
                .any(|user| [RUN, UP, UPGRADE].contains(&&*user.doing))
            {
                "the last run to use it takes it down"
            } else {
                "`kuberay-conformance cluster down` takes it down when they have ended"
            };
            let (name, users) = (&self.options.cluster, who(&users));
            self.progress
                .line(&format!("{name} stays up for {users}; {later}"));
        }
        Ok(())
    }

    /// Runs the cases of one pair of releases after those of another; each pair takes the place of the one before.
    async fn on(
        &self,
        setup: &Setup,
        found: &mut Found,
        phases: &mut Phases,
    ) -> Result<(), RunError> {
        let mut sized = self.options.clone();
        let scenarios: Vec<_> = self.cases.iter().map(|case| &*case.scenario).collect();
        if sized.nodes.is_none() {
            let (needed, roomy) = nodes_for_all(&scenarios, self.options.jobs);
            (sized.nodes, sized.roomy) = (Some(needed), Some(roomy));
        }
        let mut pairs: Vec<Pair> = self.cases.iter().map(TestCase::pair).collect();
        pairs.dedup();
        let mut stays = self.options.keep;
        for (number, pair) in pairs.iter().enumerate() {
            phases.of((pairs.len() > 1).then(|| pair.to_string()));
            let options = sized.with(pair);
            let session = self
                .until_cancelled(bring_up(setup, &options, phases))
                .await?;
            found.environment.extend(session.environment());
            if let Some(journal) = &self.engine_options.journal {
                journal.runs_on(TargetKind::Kind, session.environment());
            }
            // What is used again now was made by the pair before, or by somebody else.
            stays |= number == 0 && session.cluster().reused;
            let is_last = number + 1 == pairs.len();
            self.on_pair(setup, &options, &session, stays || !is_last, found, phases)
                .await?;
        }
        phases.of(None);
        Ok(())
    }

    async fn on_pair(
        &self,
        setup: &Setup,
        sized: &Options,
        session: &Session,
        stays: bool,
        found: &mut Found,
        phases: &mut Phases,
    ) -> Result<(), RunError> {
        let options = self.engine_options.clone();
        let engine = session
            .engine(options, Arc::clone(self.progress), self.cancel.clone())
            .await?;
        let own =
            |case: &&TestCase| case.operator == *session.operator() && case.ray == *session.ray();
        let own: Vec<TestCase> = self.cases.iter().filter(own).cloned().collect();
        let (results, rest) = engine.take_over(&own).await;
        found.cases.extend(results);
        let (upgrades, cases): (Vec<TestCase>, Vec<TestCase>) = rest
            .into_iter()
            .partition(|case| case.scenario.upgrade_from.is_some());
        found.cases.extend(engine.run(&cases).await);
        phases.end("cases");
        if !upgrades.is_empty() {
            for problem in engine.finish().await {
                self.progress.line(&format!("warning: {problem}"));
            }
            let work = Upgrades {
                setup,
                session,
                options: sized,
                progress: &**self.progress,
            };
            let done = self.until_cancelled(work.run(&engine, &upgrades)).await;
            phases.end("upgrades");
            found.cases.extend(done?);
        }
        if stays {
            for problem in engine.finish().await {
                self.progress.line(&format!("warning: {problem}"));
            }
            phases.end("clean-up");
        }
        Ok(())
    }

    async fn until_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, RunError> {
        let until_over = UntilOver {
            cancel: self.cancel,
            ends: self.engine_options.ends,
            timeout: self.options.timeout,
        };
        until_over.run(work).await
    }
}

/// The end of a run: when it is interrupted, and when its time is over.
struct UntilOver<'a> {
    cancel: &'a CancellationToken,
    ends: Option<Instant>,
    timeout: Option<Duration>,
}

impl UntilOver<'_> {
    /// Does work, and ends it with the run.
    async fn run<T>(&self, work: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(RunError::Interrupted),
            () = until(self.ends) => Err(self.timeout.map_or(RunError::Interrupted, RunError::Timeout)),
            done = work => done,
        }
    }
}
