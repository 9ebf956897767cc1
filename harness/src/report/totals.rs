//! Counts over a run, and what they mean for the exit code.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CellResult, Outcome, RunResult};

/// How many cells ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Totals {
    /// Cells that passed.
    pub passed: usize,
    /// Cells that failed, of every level.
    pub failed: usize,
    /// Those of the failed whose level is `provisional`.
    pub provisional: usize,
    /// Cells that were not judged.
    pub skipped: usize,
    /// Cells whose environment broke.
    pub errors: usize,
}

impl Totals {
    /// Counts the cells of a run.
    pub fn of(run: &RunResult) -> Self {
        Self::of_cells(&run.cells)
    }

    pub(super) fn of_cells<'a>(cells: impl IntoIterator<Item = &'a CellResult>) -> Self {
        let mut totals = Self::default();
        for cell in cells {
            match cell.outcome {
                Outcome::Passed => totals.passed += 1,
                Outcome::Failed => totals.failed += 1,
                Outcome::Skipped => totals.skipped += 1,
                Outcome::Error => totals.errors += 1,
            }
            totals.provisional += usize::from(cell.is_provisional_failure());
        }
        totals
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.provisional > 0 {
            write!(f, " ({} provisional)", self.provisional)?;
        }
        write!(f, ", {} skipped", self.skipped)?;
        match self.errors {
            0 => Ok(()),
            1 => f.write_str(", 1 error"),
            errors => write!(f, ", {errors} errors"),
        }
    }
}

/// The exit code that a run deserves: 0 when all passed, 1 when a scenario failed, 3 when the environment failed (an
/// error in a cell, or the run did not reach its end). A failure at level `provisional` counts only when `strict`.
///
/// Bad use and bad scenario files (2) never get as far as a [`RunResult`].
pub fn exit_code(run: &RunResult, strict: bool) -> u8 {
    let totals = Totals::of(run);
    if run.interrupted.is_some() || totals.errors > 0 {
        3
    } else {
        u8::from(totals.failed > if strict { 0 } else { totals.provisional })
    }
}
