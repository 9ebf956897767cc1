//! The journal of a shard in `ConfigMaps`: a Pod that takes the place of one that was killed goes
//! on where that was.

use std::fmt;
use std::path::Path;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{JobResults, ResultsError};
use crate::results::RunResult;
use crate::runner::{Journal, JournalEntry, JournalError, JournalHead};

/// The journal of one shard of a Job.
pub struct JobJournal {
    results: JobResults,
    shard: u16,
}

impl fmt::Debug for JobJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobJournal")
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

impl JobJournal {
    /// Of shard `shard`, from 1.
    pub fn new(results: JobResults, shard: u16) -> Self {
        Self { results, shard }
    }

    fn access(&self, doing: &'static str) -> impl FnOnce(ResultsError) -> JournalError {
        let journal = format!("of shard {}", self.shard);
        move |source| JournalError::Access {
            doing,
            journal,
            source: source.into(),
        }
    }
}

impl Journal for JobJournal {
    fn begin<'a>(
        &'a self,
        head: &'a JournalHead,
        resume: bool,
    ) -> BoxFuture<'a, Result<Vec<JournalEntry>, JournalError>> {
        async move {
            let known = self
                .results
                .shards()
                .await
                .map_err(self.access("reading"))?;
            let before = known.get(&self.shard).map(|run| head_of(run, head));
            if let Some(before) = &before {
                // Results of another plan under the Job's name would be taken for this one's.
                head.fits(
                    before,
                    &format!("the journal of the Job for shard {}", self.shard),
                )?;
            }
            let run = unfinished(head);
            self.results
                .begin_shard(self.shard, &run)
                .await
                .map_err(self.access("beginning"))?;
            if !resume || before.is_none() {
                return Ok(Vec::new());
            }
            let kept = self
                .results
                .cases(Some(self.shard))
                .await
                .map_err(self.access("reading"))?;
            let entries = kept.into_iter().map(|kept| JournalEntry {
                digest: kept.made_of,
                result: kept.result,
            });
            Ok(entries.collect())
        }
        .boxed()
    }

    fn note<'a>(
        &'a self,
        entry: &'a JournalEntry,
        evidence: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        async move {
            let kept = self
                .results
                .keep(self.shard, &entry.result, &entry.digest, evidence)
                .await;
            if let Some(note) = kept.map_err(self.access("writing"))? {
                tracing::warn!("{note}");
            }
            Ok(())
        }
        .boxed()
    }
}

/// The head of what a shard kept. It is in the cluster itself; that it may be another since, as
/// after an upgrade, the digest of each case tells.
fn head_of(run: &RunResult, head: &JournalHead) -> JournalHead {
    JournalHead {
        harness: run.harness.clone(),
        ..JournalHead::new(run.shard, run.planned.clone()).in_cluster(head.cluster.clone())
    }
}

/// Returns the result of a shard that has not ended; its report says so.
fn unfinished(head: &JournalHead) -> RunResult {
    let reason = "it had not ended when its results were collected".into();
    RunResult::unfinished("", head.shard, head.planned.clone(), reason)
}
