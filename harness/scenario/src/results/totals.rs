//! Counts over a run, and what they mean for the exit code.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CaseResult, Outcome, RunResult};

/// How many cases ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Cases that passed, the flaky ones too.
    pub passed: usize,
    /// Those of the passed that passed only when they were tried again.
    pub flaky: usize,
    /// Cases that have nothing recorded to compare with.
    pub new: usize,
    /// Cases that failed, of every level.
    pub failed: usize,
    /// Those of the failed whose level is `provisional`.
    pub provisional: usize,
    /// Cases that were not judged.
    pub skipped: usize,
    /// Those of the skipped for which the cluster is too small.
    pub no_capacity: usize,
    /// Those of the skipped whose release of the operator can't be had.
    pub unavailable: usize,
    /// Cases whose environment broke.
    pub errors: usize,
}

impl Totals {
    /// Counts the cases of a run.
    pub fn of(run: &RunResult) -> Self {
        Self::of_cases(&run.cases)
    }

    /// Counts the outcomes of some cases.
    pub fn of_cases<'a>(cases: impl IntoIterator<Item = &'a CaseResult>) -> Self {
        let mut totals = Self::default();
        for case in cases {
            match case.outcome {
                Outcome::Passed => totals.passed += 1,
                Outcome::Flaky => {
                    totals.passed += 1;
                    totals.flaky += 1;
                }
                Outcome::New => totals.new += 1,
                Outcome::Failed => totals.failed += 1,
                Outcome::Skipped => totals.skipped += 1,
                Outcome::Error => totals.errors += 1,
            }
            totals.provisional += usize::from(case.is_provisional_failure());
            totals.no_capacity += usize::from(case.no_capacity);
            totals.unavailable += usize::from(case.unavailable);
        }
        totals
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed", self.passed)?;
        if self.flaky > 0 {
            write!(f, " ({} flaky)", self.flaky)?;
        }
        if self.new > 0 {
            write!(f, ", {} new", self.new)?;
        }
        write!(f, ", {} failed", self.failed)?;
        if self.provisional > 0 {
            write!(f, " ({} provisional)", self.provisional)?;
        }
        write!(f, ", {} skipped", self.skipped)?;
        let reasons = [
            (self.no_capacity, "for lack of capacity"),
            (self.unavailable, "of a release that is not available"),
        ];
        let reasons = reasons.iter().filter(|(count, _)| *count > 0);
        let reasons: Vec<_> = reasons
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        if !reasons.is_empty() {
            write!(f, " ({})", reasons.join(", "))?;
        }
        match self.errors {
            0 => Ok(()),
            1 => f.write_str(", 1 error"),
            errors => write!(f, ", {errors} errors"),
        }
    }
}

/// Why the run proves nothing although it reached its end: none of its cases has a verdict. `None`
/// for a shard to which the plan gives no case.
pub fn without_verdict(run: &RunResult) -> Option<String> {
    let totals = Totals::of(run);
    let is_own = |case: &CaseResult| run.planned.contains(&case.id);
    let planned_empty = run.shard.is_some() && !run.cases.iter().any(is_own);
    (totals.passed + totals.new + totals.failed == 0 && !planned_empty)
        .then(|| format!("no case has a verdict, so the run proves nothing: {totals}"))
}

/// What fails a run beside scenarios that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a reason of its own, and none excludes another"
)]
pub struct Strictness {
    /// Failures of provisional scenarios.
    pub provisional: bool,
    /// Cases that passed only when they were tried again.
    pub flaky: bool,
    /// Cases for which the cluster is too small.
    pub no_capacity: bool,
    /// Cases whose release of the operator can't be had.
    pub unavailable: bool,
}

/// How a run ends as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunVerdict {
    /// All cases passed.
    Passed,
    /// A scenario failed or has nothing recorded.
    Failed,
    /// The environment failed: there is an error in a case, the run did not complete, or no case has
    /// a verdict.
    Unproven,
}

/// Returns how a run ends. `strictness` says what counts beside plain failures.
pub fn run_verdict(run: &RunResult, strictness: Strictness) -> RunVerdict {
    let totals = Totals::of(run);
    let counted = |count: usize, counts: bool| if counts { count } else { 0 };
    let unproven = run.interrupted.is_some() || without_verdict(run).is_some();
    let not_run = counted(totals.no_capacity, strictness.no_capacity)
        + counted(totals.unavailable, strictness.unavailable);
    if unproven || totals.errors + not_run > 0 {
        return RunVerdict::Unproven;
    }
    let failed = totals.failed - totals.provisional
        + totals.new
        + counted(totals.provisional, strictness.provisional)
        + counted(totals.flaky, strictness.flaky);
    if failed > 0 {
        RunVerdict::Failed
    } else {
        RunVerdict::Passed
    }
}
