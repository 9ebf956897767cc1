//! The description of a run: releases, targets, scenarios, and the way to run them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::EvidencePolicy;
use crate::plan::{Division, Filter, Pair};
use crate::provider::{ReleaseSpec, RunEnd, TargetSpec};
use crate::scenario::TargetKind;

/// The description of a run: releases, targets, scenarios, and the way to run them.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The releases under test.
    pub releases: ReleaseSpec,
    /// The targets, in the order in which cases run on them.
    pub targets: Vec<TargetSpec>,
    /// The folder of scenarios.
    pub scenarios: PathBuf,
    /// Whether nothing may be written into that folder, because its scenarios are part of the
    /// program.
    pub built_in: bool,
    /// The filter that narrows the plan.
    pub filter: Filter,
    /// Which part of the plan; all of it when absent.
    pub division: Option<Division>,
    /// Whether it continues the run before: what passed then is not run again.
    pub resume: bool,
    /// Where reports and evidence go.
    pub output: PathBuf,
    /// When evidence is kept.
    pub evidence: EvidencePolicy,
    /// Cases at once; as many as the nodes can hold when absent.
    pub jobs: Option<usize>,
    /// Limit for the whole run; none when absent.
    pub timeout: Option<Duration>,
    /// When the time limit began: what was done before, such as reading the scenarios, counts too.
    pub began: std::time::Instant,
    /// The command that repeats the run, for its reports.
    pub command: Option<String>,
}

impl RunSpec {
    /// Returns when the run ends before its work is done.
    pub(crate) fn end(&self, cancel: CancellationToken) -> RunEnd {
        let began = Instant::from_std(self.began);
        RunEnd {
            ends: self.timeout.map(|timeout| began + timeout),
            timeout: self.timeout,
            cancel,
        }
    }

    /// Returns the pairs of releases that run on each target.
    pub fn pairs(&self) -> Vec<(TargetKind, Vec<Pair>)> {
        let kinds = self.targets.iter().map(TargetSpec::kind);
        kinds.map(|kind| (kind, self.releases.on(kind))).collect()
    }
}
