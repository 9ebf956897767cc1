//! How results are put into words; every report uses the same ones.

use super::{CaseResult, Origin, Outcome, RunResult};
use crate::artifact::Pins;
use crate::scenario::{Level, TargetKind};

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Core => "core",
        Level::Extended => "extended",
        Level::Provisional => "provisional",
    }
}

pub(super) fn target(target: TargetKind) -> &'static str {
    match target {
        TargetKind::Envtest => "envtest",
        TargetKind::Kind => "kind",
        TargetKind::Existing => "existing",
    }
}

/// The release of Ray that ran in a case; empty where no Ray ran.
pub(super) fn ray(case: &CaseResult) -> &str {
    if case.target.has_kubelet() {
        &case.ray
    } else {
        ""
    }
}

pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Pulled => "pulled",
        Origin::Built => "built",
        Origin::Existing => "the user's own",
    }
}

/// What the run is not all of, and what it did not do itself, one sentence each.
pub(super) fn remarks(run: &RunResult) -> Vec<String> {
    let part = run.shard.map(|shard| {
        let planned = run.planned.len();
        format!("shard {shard} of a plan of {planned} cases; `report merge` makes one report of all shards")
    });
    let resumed = run.cases.iter().filter(|case| case.resumed).count();
    let resumed = (resumed > 0).then(|| {
        let cases = if resumed == 1 { "case" } else { "cases" };
        format!("{resumed} {cases} passed before, in a run that this one picked up")
    });
    let checks = run.cases.iter().flat_map(|case| &case.checks);
    let new = checks.filter(|check| check.outcome == Outcome::New);
    let new: usize = new.map(|check| check.new_snapshots).sum();
    let new = (new > 0).then(|| {
        let snapshots = if new == 1 {
            "snapshot is"
        } else {
            "snapshots are"
        };
        format!(
            "{new} {snapshots} new; next: `kuberay-conformance snapshot review` (where CI is set, a run records none)"
        )
    });
    let differs = new.is_none() && run.cases.iter().any(differs_from_snapshots);
    let differs = differs.then(|| {
        "is a difference meant? next: `kuberay-conformance snapshot review` (where CI is set, a run records none)".to_owned()
    });
    part.into_iter()
        .chain(resumed)
        .chain(new)
        .chain(differs)
        .collect()
}

/// Whether a case failed because a Pod is not as its snapshots say.
fn differs_from_snapshots(case: &CaseResult) -> bool {
    case.outcome == Outcome::Failed
        && case
            .bad_checks()
            .any(|check| check.name.starts_with("pod ") && check.diff.is_some())
}

/// Releases of Kubernetes with the day on which their life ends, where that is known.
pub(super) fn kubernetes(releases: &str) -> String {
    let support = Pins::embedded().support;
    let one = |release: &str| match support.end_of_life(release) {
        Some(end) => format!("{release} (end of life {end})"),
        None => release.to_owned(),
    };
    let all: Vec<String> = releases.split("; ").map(one).collect();
    all.join("; ")
}

#[cfg(test)]
#[path = "view/tests.rs"]
mod tests;
