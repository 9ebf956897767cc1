//! Serves the cases of a run: each release on its own API server, each set of operator settings one
//! after the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use semver::Version;
use tokio_util::sync::CancellationToken;

use super::daemon::Daemon;
use super::replaceable::{Replaceable, ToNewer};
use super::{EnvtestPrograms, EnvtestRelease};
use crate::plan::TestCase;
use crate::process::FirstEnd;
use crate::provider::{Batch, CaseRunner, EnvtestSpec, RunEnd, Serve, TargetError, until};
use crate::scenario::{OperatorSettings, TargetKind};

/// Longest time for cases to end after their target has broken.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// Runs the cases of a run on the releases that are up, or that it brings up for them.
///
/// # Errors
/// Fails when a program can't be had or started, when one of them ends, and when the run ends.
pub(in crate::provider) async fn serve(
    spec: &EnvtestSpec,
    serve: &mut Serve<'_>,
) -> Result<(), TargetError> {
    let operators = operators(serve.cases);
    let progress = Arc::clone(serve.progress);
    let programs = EnvtestPrograms::new(serve.releases, spec, &operators, progress);
    let programs = serve.end.limit(programs).await?;
    serve.phases.end("programs");
    let runner = serve.runner;
    runner.made_of(TargetKind::Envtest, programs.environment());
    // Before anything is started: where all have passed before, nothing is.
    let cases = runner.rest(serve.cases, &|case| programs.images(case));
    if cases.is_empty() {
        return Ok(());
    }
    on(&programs, &cases, serve).await
}

/// The releases of the cases, and the older ones that cases begin with.
fn operators(cases: &[TestCase]) -> Vec<Version> {
    let mut operators: Vec<Version> = cases.iter().map(|case| case.operator.clone()).collect();
    operators.dedup();
    let older = cases.iter();
    let older = older.filter_map(|case| case.scenario.upgrade_from.clone());
    for release in older.collect::<BTreeSet<_>>() {
        if !operators.contains(&release) {
            operators.push(release);
        }
    }
    operators
}

async fn on(
    programs: &EnvtestPrograms,
    cases: &[TestCase],
    serve: &mut Serve<'_>,
) -> Result<(), TargetError> {
    let daemon = Daemon::attach(programs, "run", &**serve.progress);
    let daemon = serve.end.limit(daemon).await?;
    let broken = serve.end.cancel.child_token();
    let work = Work {
        cases,
        ray: &serve.releases.ray,
        runner: serve.runner,
        broken: &broken,
        end: serve.end,
    };
    let on_release = async |up: EnvtestRelease| work.on_release(&up).await;
    if let Some(daemon) = &daemon {
        let releases: Vec<&Version> = cases.iter().map(|case| &case.operator).collect();
        let up = daemon.releases().iter();
        let up = up.filter(|up| releases.contains(&&up.release));
        let all = try_join_all(up.map(|up| on_release(up.clone())));
        let done = until_broken(all, daemon.first_end(), &broken, serve.end).await;
        serve.phases.end("cases");
        done?;
        if let Some(cause) = daemon.first_end().cause() {
            return Err(TargetError::Broken(cause));
        }
    }
    // Settings of the operator that are not its release's own, and upgrades, need an operator of
    // our own.
    let here = |case: &&TestCase| {
        daemon.is_none()
            || !case.operator_settings().is_default()
            || case.scenario.upgrade_from.is_some()
    };
    if !cases.iter().any(|case| here(&case)) {
        return Ok(());
    }
    let settings = |release: &Version| {
        let cases = cases.iter().filter(|case| case.operator == *release);
        let settings = cases
            .filter(here)
            .map(|case| match case.scenario.upgrade_from {
                Some(_) => OperatorSettings::default(),
                None => case.operator_settings().clone(),
            });
        let settings: BTreeSet<OperatorSettings> = settings.collect();
        settings.into_iter().collect()
    };
    let upgrades = async |operator: &Replaceable<'_>| work.upgrades(operator).await;
    let control_plane = serve.end.limit(programs.start()).await?;
    let each = programs.each((&control_plane, serve.end), settings, on_release, upgrades);
    let done = until_broken(each, control_plane.first_end(), &broken, serve.end).await;
    serve.phases.end("API servers and cases");
    let cause = control_plane.first_end().cause();
    let done = match done {
        Ok(done) => {
            let running = done.into_iter().map(|(_, running)| running.stop());
            join_all(running).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    control_plane.stop().await;
    serve.phases.end("API servers down");
    // What has ended explains everything else.
    cause.map_or(done, |cause| Err(TargetError::Broken(cause)))
}

/// The cases of a run, as they are handed to the runner.
struct Work<'a> {
    cases: &'a [TestCase],
    ray: &'a Version,
    runner: &'a dyn CaseRunner,
    broken: &'a CancellationToken,
    end: &'a RunEnd,
}

impl Work<'_> {
    /// Runs the cases of one release and one set of settings.
    async fn on_release(&self, up: &EnvtestRelease) -> Result<(), TargetError> {
        let own = |case: &&TestCase| {
            case.operator == up.release
                && *case.operator_settings() == up.settings
                && case.scenario.upgrade_from.is_none()
        };
        let batch = Batch {
            target: self.end.limit(up.target(self.ray)).await?,
            cases: self.cases.iter().filter(own).cloned().collect(),
            cancel: self.broken,
            upgrade: None,
        };
        self.runner.run(batch).await?.await;
        Ok(())
    }

    /// Runs the cases of one release that begin with an older one, one after the other.
    async fn upgrades(&self, operator: &Replaceable<'_>) -> Result<Option<()>, TargetError> {
        let own = |case: &&TestCase| case.operator == *operator.release();
        for case in self.cases.iter().filter(own) {
            let Some(from) = &case.scenario.upgrade_from else {
                continue;
            };
            let settings = case.operator_settings();
            let up = operator.put(from, settings).await?;
            let to = ToNewer { operator, settings };
            let batch = Batch {
                target: self.end.limit(up.target(self.ray)).await?,
                cases: vec![case.clone()],
                cancel: self.broken,
                upgrade: Some(&to),
            };
            self.runner.run(batch).await?.await;
        }
        Ok(None)
    }
}

/// Does the work until a program ends; gives cases the time to keep their evidence then, and when
/// the run ends.
async fn until_broken<T>(
    work: impl Future<Output = Result<T, TargetError>>,
    first_end: &FirstEnd,
    broken: &CancellationToken,
    end: &RunEnd,
) -> Result<T, TargetError> {
    let break_off = async {
        let error = tokio::select! {
            cause = first_end.ended() => TargetError::Broken(cause),
            () = broken.cancelled() => TargetError::Interrupted,
            () = until(end.ends) => end.cut_off(),
        };
        // At the limit cases end by themselves, and say so.
        if !end.is_over() {
            broken.cancel();
        }
        tokio::time::sleep(ENDED_WITHIN).await;
        error
    };
    tokio::select! {
        biased;
        done = work => done,
        error = break_off => Err(error),
    }
}
