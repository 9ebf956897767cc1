//! The output folder of a run that has begun: from then on its reports say that the run has not
//! ended, until they say how it ended.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::{RunError, RunId, RunSpec};
use crate::output::{OutputError, OutputLock, cases_of_before, clear_evidence};
use crate::plan::Shard;
use crate::redact::Redactor;
use crate::reports::Reports;
use crate::results::RunResult;

/// The output folder, which no other process writes into meanwhile.
pub(super) struct Begun {
    folder: PathBuf,
    /// The content of the reports until the run ends.
    unfinished: RunResult,
    /// Whether they say so.
    is_written: bool,
    /// Cases of earlier runs that may have evidence in the folder.
    before: BTreeSet<String>,
    reports: Arc<dyn Reports>,
    _lock: OutputLock,
}

impl Begun {
    /// Locks the output folder. Nothing that is in it is changed.
    ///
    /// # Errors
    /// Fails when another process writes into the folder, or it can't be written.
    pub(super) fn lock(
        spec: &RunSpec,
        id: &RunId,
        reports: Arc<dyn Reports>,
    ) -> Result<Self, RunError> {
        let lock = OutputLock::take(&spec.output, "run")?;
        let shard = spec.division.as_ref().map(|division| division.shard);
        let reason = format!(
            "it had not ended when this was written: its process {} works on it, or was killed",
            std::process::id()
        );
        Ok(Self {
            before: cases_of_before(&spec.output),
            folder: spec.output.clone(),
            unfinished: RunResult::unfinished(&id.to_string(), shard, Vec::new(), reason),
            is_written: false,
            reports,
            _lock: lock,
        })
    }

    /// Notes the plan for the reports that are written next.
    pub(super) fn plan(&mut self, shard: Option<Shard>, planned: &[String]) {
        self.unfinished.shard = shard;
        self.unfinished.planned = planned.to_vec();
    }

    /// Puts the reports of a run that has not ended in the place of those of earlier runs, and
    /// removes the evidence of those unless the run picks one of them up.
    ///
    /// # Errors
    /// Fails when the folder can't be changed.
    pub(super) fn begin(&mut self, resume: bool) -> Result<(), RunError> {
        self.write()?;
        if resume {
            Ok(())
        } else {
            self.clear(|_| false)
        }
    }

    /// Puts reports that say that the run has not ended in the place of those of earlier runs.
    ///
    /// # Errors
    /// Fails when they can't be written.
    pub(super) fn write(&mut self) -> Result<(), RunError> {
        self.reports.write(&self.unfinished, &self.folder)?;
        self.is_written = true;
        Ok(())
    }

    /// Removes the evidence of this run's cases and of those of earlier runs, but for what is kept.
    ///
    /// # Errors
    /// Fails when it can't be removed.
    pub(super) fn clear(&self, is_kept: impl Fn(&str) -> bool) -> Result<(), RunError> {
        let all = self
            .before
            .iter()
            .chain(&self.unfinished.planned)
            .map(String::as_str);
        let cleared = clear_evidence(&self.folder, all.filter(|id| !is_kept(id)));
        cleared.map_err(|source| {
            RunError::Output(OutputError::Access {
                doing: "removing earlier evidence from",
                path: self.folder.clone(),
                source,
            })
        })
    }

    /// Says in the reports why the run ended, where they say that it has not.
    pub(super) fn failed(mut self, error: &RunError, redactor: &Redactor) {
        if !self.is_written {
            return;
        }
        self.unfinished.interrupted = Some(error.to_string());
        redactor.redact_run(&mut self.unfinished);
        // That it has not ended is true all the same.
        if let Err(error) = self.write() {
            tracing::warn!(%error, "the reports lack the reason why the run ended");
        }
    }
}
