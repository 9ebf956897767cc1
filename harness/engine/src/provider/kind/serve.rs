//! Serves the cases of a run: each pair of releases takes the place of the one before on one
//! cluster.

use std::sync::Arc;

use super::upgrade::Upgrades;
use super::{KindProvider, KindTarget, RUN, bring_up};
use crate::plan::{Pair, TestCase};
use crate::provider::{Batch, KindSpec, ReleaseSpec, Serve, TargetError};
use crate::results::Environment;
use crate::scenario::TargetKind;
use crate::target::{ClusterError, Left, UP, UPGRADE, who};

/// Brings the cluster up for the cases of a run, and takes it down unless it is to stay or others
/// use it.
///
/// # Errors
/// Fails when the cluster can't be created or removed, and when the run is cut short.
pub(in crate::provider) async fn serve(
    spec: &KindSpec,
    serve: &mut Serve<'_>,
) -> Result<(), TargetError> {
    let progress = Arc::clone(serve.progress);
    let provider = KindProvider::ready_to_bring_up(spec, progress);
    let provider = serve.end.limit(provider).await?;
    let engine = Environment {
        engine: provider.engine().into(),
        ..Environment::default()
    };
    serve.runner.made_of(TargetKind::Kind, &engine);
    let done = pairs(&provider, spec, serve).await;
    let is_others = matches!(
        done,
        Err(TargetError::OtherReleases { .. }
            | TargetError::Cluster(ClusterError::Locked { .. } | ClusterError::InUse { .. }))
    );
    if spec.keep || is_others {
        return done;
    }
    let left = leave(&provider, spec, serve).await;
    serve.phases.end("down");
    // Why it ended says more than what its clean-up met, which is told all the same.
    if let (Err(_), Err(error)) = (&done, &left) {
        serve.progress.line(&format!(
            "warning: not everything was removed: {error}; `kuberay-conformance cluster down` tries again"
        ));
    }
    done?;
    left
}

/// Removes the cluster, unless others use it.
async fn leave(
    provider: &KindProvider,
    spec: &KindSpec,
    serve: &Serve<'_>,
) -> Result<(), TargetError> {
    if let Left::ToOthers(users) = provider.cluster.leave().await? {
        // A run takes it down at its end; a process that only attached to it does not.
        let later = if users
            .iter()
            .any(|user| [RUN, UP, UPGRADE].contains(&&*user.doing))
        {
            "the last run to use it takes it down"
        } else {
            "`kuberay-conformance cluster down` takes it down when they have ended"
        };
        let (name, users) = (&spec.cluster, who(&users));
        serve
            .progress
            .line(&format!("{name} stays up for {users}; {later}"));
    }
    Ok(())
}

/// Runs the cases of one pair of releases after those of another.
async fn pairs(
    provider: &KindProvider,
    spec: &KindSpec,
    serve: &mut Serve<'_>,
) -> Result<(), TargetError> {
    let mut pairs: Vec<Pair> = serve.cases.iter().map(TestCase::pair).collect();
    pairs.dedup();
    let mut stays = spec.keep;
    for (number, pair) in pairs.iter().enumerate() {
        serve.phases.of((pairs.len() > 1).then(|| pair.to_string()));
        let releases = serve.releases.with(pair);
        let work = bring_up(provider, spec, &releases, serve.phases);
        let up = serve.end.limit(work).await?;
        serve.runner.made_of(TargetKind::Kind, up.environment());
        // What is used again now was made by the pair before, or by somebody else.
        stays |= number == 0 && up.cluster().reused;
        let is_last = number + 1 == pairs.len();
        of_pair(provider, (spec, &releases), &up, stays || !is_last, serve).await?;
    }
    serve.phases.of(None);
    Ok(())
}

async fn of_pair(
    provider: &KindProvider,
    (spec, releases): (&KindSpec, &ReleaseSpec),
    up: &KindTarget,
    stays: bool,
    serve: &mut Serve<'_>,
) -> Result<(), TargetError> {
    let own = |case: &&TestCase| case.operator == *up.operator() && case.ray == *up.ray();
    let own = serve.cases.iter().filter(own).cloned();
    let (upgrades, cases): (Vec<TestCase>, Vec<TestCase>) =
        own.partition(|case| case.scenario.upgrade_from.is_some());
    let batch = Batch {
        target: up.target(),
        cases,
        cancel: &serve.end.cancel,
        upgrade: None,
    };
    let images = batch.target.images.clone();
    let clean_up = serve.runner.run(batch).await?;
    serve.phases.end("cases");
    let upgrades = serve.runner.rest(&upgrades, &|case| images.of(&case.ray));
    if !upgrades.is_empty() {
        clean_up.await;
        let work = Upgrades {
            provider,
            up,
            spec,
            releases,
            end: serve.end,
            runner: serve.runner,
        };
        // Cases end by themselves with the run, and keep their evidence.
        let done = work.run(&upgrades).await;
        serve.phases.end("upgrades");
        done?;
    } else if stays {
        clean_up.await;
        serve.phases.end("clean-up");
    }
    Ok(())
}
