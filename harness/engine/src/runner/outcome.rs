//! The result of a case, from one that has not begun to one that has its outcome.

use std::collections::BTreeMap;
use std::path::Path;

use super::CaseError;
use crate::plan::TestCase;
use crate::results::{CaseResult, CheckResult, Outcome};

/// A result to be filled in.
pub(super) fn blank(case: &TestCase) -> CaseResult {
    let spec = &case.scenario.file.spec;
    CaseResult {
        id: case.id(),
        scenario: case.scenario.name().into(),
        file: relative(&case.scenario.path),
        rules: spec.rules.clone(),
        layers: case.scenario.layers().into_iter().collect(),
        level: spec.level,
        target: case.target,
        operator: case.operator.to_string(),
        ray: case.ray.to_string(),
        kubernetes: String::new(),
        images: Vec::new(),
        outcome: Outcome::Error,
        reason: None,
        duration_seconds: 0.0,
        applied: None,
        milestones: BTreeMap::new(),
        slot: None,
        checks: Vec::new(),
        evidence: None,
        steps: sentences(case),
        operator_settings: spec.operator_settings.listed(),
        namespace: None,
        resumed: false,
        no_capacity: false,
        unavailable: false,
        interrupted: false,
    }
}

/// Returns the steps of a case beyond applying its objects, one sentence each.
pub(super) fn sentences(case: &TestCase) -> Vec<String> {
    let upgrade = case.scenario.upgrade_from.iter().map(|from| {
        format!(
            "once the RayCluster was ready, the harness put the operator {} in the place of {from}",
            case.operator
        )
    });
    upgrade
        .chain(case.scenario.file.spec.steps.sentences())
        .collect()
}

/// Marks new snapshots that could not be recorded as an error of the environment: there is nothing
/// to review.
pub(super) fn unrecorded(checks: &mut [CheckResult], problems: &[String]) {
    let Some(first) = problems.first() else {
        return;
    };
    for check in checks {
        if check.outcome == Outcome::New {
            check.outcome = Outcome::Error;
            check.message = format!("{first} ({})", check.message);
        }
    }
}

/// The result of a case that never began, for the given reason.
pub(super) fn not_run(case: &TestCase, outcome: Outcome, reason: &str) -> CaseResult {
    CaseResult {
        outcome,
        reason: Some(reason.into()),
        ..blank(case)
    }
}

/// The result of a case that never began because the run ended before it.
pub(super) fn cut_off(case: &TestCase) -> CaseResult {
    CaseResult {
        interrupted: true,
        // Why the run ended is told once, in full; not again for every case.
        ..not_run(case, Outcome::Skipped, "the run ended before it")
    }
}

fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

pub(super) fn fail(result: &mut CaseResult, error: &CaseError) {
    result.no_capacity = matches!(
        error,
        CaseError::Nodes { .. } | CaseError::Capacity { .. } | CaseError::Scattered { .. }
    );
    result.interrupted = matches!(error, CaseError::Interrupted | CaseError::NoTime(_));
    result.outcome = if result.no_capacity || result.interrupted {
        Outcome::Skipped
    } else {
        Outcome::Error
    };
    result.reason = Some(error.to_string());
}

/// Returns the outcome of a case by its checks. A failure is a verdict, which an error of the
/// environment does not change.
pub(super) fn summarise(checks: &[CheckResult]) -> (Outcome, Option<String>) {
    let first = |outcome| {
        let check = checks.iter().find(|check| check.outcome == outcome)?;
        Some(format!("{}: {}", check.name, check.message))
    };
    match (first(Outcome::Failed), first(Outcome::Error)) {
        (None, None) => match checks
            .iter()
            .filter(|check| check.outcome == Outcome::New)
            .count()
        {
            0 => (Outcome::Passed, None),
            1 => (Outcome::New, Some("1 check has new snapshots".into())),
            count => (
                Outcome::New,
                Some(format!("{count} checks have new snapshots")),
            ),
        },
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
