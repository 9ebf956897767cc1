//! Counts over a run, and what they mean for the exit code.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CellResult, Outcome, RunResult};

/// How many cells ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Cells that passed, the flaky ones too.
    pub passed: usize,
    /// Those of the passed that passed only when they were tried again.
    pub flaky: usize,
    /// Cells that failed, of every level.
    pub failed: usize,
    /// Those of the failed whose level is `provisional`.
    pub provisional: usize,
    /// Cells that were not judged.
    pub skipped: usize,
    /// Those of the skipped for which the cluster is too small.
    pub no_room: usize,
    /// Cells whose environment broke.
    pub errors: usize,
}

impl Totals {
    /// Counts the cells of a run.
    pub fn of(run: &RunResult) -> Self {
        Self::of_cells(&run.cells)
    }

    /// Counts the outcomes of some cells.
    pub fn of_cells<'a>(cells: impl IntoIterator<Item = &'a CellResult>) -> Self {
        let mut totals = Self::default();
        for cell in cells {
            match cell.outcome {
                Outcome::Passed => totals.passed += 1,
                Outcome::Flaky => {
                    totals.passed += 1;
                    totals.flaky += 1;
                }
                Outcome::Failed => totals.failed += 1,
                Outcome::Skipped => totals.skipped += 1,
                Outcome::Error => totals.errors += 1,
            }
            totals.provisional += usize::from(cell.is_provisional_failure());
            totals.no_room += usize::from(cell.no_room);
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
        write!(f, ", {} failed", self.failed)?;
        if self.provisional > 0 {
            write!(f, " ({} provisional)", self.provisional)?;
        }
        write!(f, ", {} skipped", self.skipped)?;
        if self.no_room > 0 {
            write!(f, " ({} for want of room)", self.no_room)?;
        }
        match self.errors {
            0 => Ok(()),
            1 => f.write_str(", 1 error"),
            errors => write!(f, ", {errors} errors"),
        }
    }
}

/// Why the run proves nothing although it reached its end: none of its cells has a verdict. `None` for a shard to which
/// the plan gives no cell.
pub fn without_verdict(run: &RunResult) -> Option<String> {
    let totals = Totals::of(run);
    let is_own = |cell: &CellResult| run.planned.contains(&cell.id);
    let planned_empty = run.shard.is_some() && !run.cells.iter().any(is_own);
    (totals.passed + totals.failed == 0 && !planned_empty)
        .then(|| format!("no cell has a verdict, so the run proves nothing: {totals}"))
}

/// What fails a run beside scenarios that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strictness {
    /// Failures of provisional scenarios.
    pub provisional: bool,
    /// Cells that passed only when they were tried again.
    pub flaky: bool,
    /// Cells for which the cluster is too small.
    pub no_room: bool,
}

/// The exit code that a run deserves: 0 when all passed, 1 when a scenario failed, 3 when the environment failed (an
/// error in a cell, the run did not reach its end, or no cell has a verdict). What counts beside plain failures,
/// `strictness` says.
///
/// Bad use and bad scenario files (2) never get as far as a [`RunResult`].
pub fn exit_code(run: &RunResult, strictness: Strictness) -> u8 {
    let totals = Totals::of(run);
    let counted = |count: usize, counts: bool| if counts { count } else { 0 };
    let unproven = run.interrupted.is_some() || without_verdict(run).is_some();
    if unproven || totals.errors + counted(totals.no_room, strictness.no_room) > 0 {
        3
    } else {
        let plain = totals.failed - totals.provisional;
        u8::from(
            plain + counted(totals.provisional, strictness.provisional) + counted(totals.flaky, strictness.flaky) > 0,
        )
    }
}
