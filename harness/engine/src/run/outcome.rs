//! The result of a cell, from one that has not begun to one that has its outcome.

use std::collections::BTreeMap;
use std::path::Path;

use super::CellError;
use crate::plan::Cell;
use crate::results::{CellResult, CheckResult, Outcome};

/// A result to be filled in.
pub(super) fn blank(cell: &Cell) -> CellResult {
    let spec = &cell.scenario.file.spec;
    CellResult {
        id: cell.id(),
        scenario: cell.scenario.name().into(),
        file: relative(&cell.scenario.path),
        rules: spec.rules.clone(),
        halves: cell.scenario.halves().into_iter().collect(),
        level: spec.level,
        lane: cell.lane,
        operator: cell.operator.to_string(),
        ray: cell.ray.to_string(),
        kubernetes: String::new(),
        images: Vec::new(),
        outcome: Outcome::Error,
        reason: None,
        duration_seconds: 0.0,
        applied: None,
        milestones: BTreeMap::new(),
        checks: Vec::new(),
        evidence: None,
        stimulus: sentences(cell),
        operator_settings: spec.operator_settings.env.clone(),
        namespace: None,
        resumed: false,
        no_room: false,
        interrupted: false,
    }
}

/// What is done beside applying its objects, one sentence each.
pub(super) fn sentences(cell: &Cell) -> Vec<String> {
    let upgrade = cell.scenario.upgrade_from.iter().map(|from| {
        format!(
            "once the RayCluster was ready, the harness put the operator {} in the place of {from}",
            cell.operator
        )
    });
    upgrade.chain(cell.scenario.file.spec.stimulus.sentences()).collect()
}

/// The result of a cell that never began, for the given reason.
pub(super) fn not_run(cell: &Cell, outcome: Outcome, reason: &str) -> CellResult {
    CellResult {
        outcome,
        reason: Some(reason.into()),
        ..blank(cell)
    }
}

/// The result of a cell that never began because the run ended before it.
pub(super) fn cut_off(cell: &Cell) -> CellResult {
    CellResult {
        interrupted: true,
        // Why the run ended is told once, in full; not again for every cell.
        ..not_run(cell, Outcome::Skipped, "the run ended before it")
    }
}

fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

pub(super) fn fail(result: &mut CellResult, error: &CellError) {
    result.no_room = matches!(
        error,
        CellError::Nodes { .. } | CellError::Room { .. } | CellError::Scattered { .. }
    );
    result.interrupted = matches!(error, CellError::Interrupted | CellError::NoTime);
    result.outcome = if result.no_room || result.interrupted {
        Outcome::Skipped
    } else {
        Outcome::Error
    };
    result.reason = Some(error.to_string());
}

/// How a cell ended, by its checks: a failure is a verdict, which an error of the environment does not take back.
pub(super) fn summarise(checks: &[CheckResult]) -> (Outcome, Option<String>) {
    let first = |outcome| {
        let check = checks.iter().find(|check| check.outcome == outcome)?;
        Some(format!("{}: {}", check.name, check.message))
    };
    match (first(Outcome::Failed), first(Outcome::Error)) {
        (None, None) => (Outcome::Passed, None),
        (None, error) => (Outcome::Error, error),
        (failure, None) => (Outcome::Failed, failure),
        (Some(failure), Some(error)) => (
            Outcome::Failed,
            Some(format!("{failure}; not all checks were judged: {error}")),
        ),
    }
}

#[cfg(test)]
#[path = "outcome/tests.rs"]
mod tests;
