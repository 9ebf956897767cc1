//! `run --job`: one Pod of a Job does its shard.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::progress::Progress;
use crate::provider::TargetSpec;
use crate::reports::Reports;
use crate::results::{Outcome, RunResult};
use crate::runner::job_results::{JobJournal, JobResults};
use crate::runner::{RunError, RunSpec, run_noting};
use crate::target::Existing;

/// Runs the shard that the spec names, goes on where an earlier Pod of it was, and keeps what it
/// finds in the cluster.
///
/// # Errors
/// As `run`, and when results can't be kept.
pub async fn run_shard(
    spec: &RunSpec,
    job: &str,
    reports: Arc<dyn Reports>,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RunResult, RunError> {
    let ([TargetSpec::Existing(existing)], Some(division)) = (&*spec.targets, &spec.division)
    else {
        return Err(RunError::Job(
            "--job is for the harness as a Pod of a Job: it needs --context and a shard".into(),
        ));
    };
    let end = spec.end(cancel.clone());
    let connected = async { Ok::<_, RunError>(Existing::connect(&existing.context).await?) };
    let cluster = end.limit(connected).await?;
    let results = JobResults::new(cluster.client, job);
    let shard = division.shard.index;
    let journal = Arc::new(JobJournal::new(results.clone(), shard));
    let result = run_noting(spec, journal, reports, progress, cancel).await?;
    // What ran is kept with its evidence already; that it was an earlier Pod's is not.
    let rest = result
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Skipped || case.resumed);
    let rest = rest.cloned();
    let of_shard = RunResult {
        cases: rest.collect(),
        ..result.clone()
    };
    let kept = end.finish(results.keep_shard(shard, &of_shard)).await;
    kept.ok_or_else(|| {
        RunError::Job(format!(
            "failed to store the summary of shard {shard}: the API server did not respond before the run ended"
        ))
    })??;
    Ok(result)
}
