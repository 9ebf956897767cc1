//! How results are put into words; every report uses the same ones.

use super::{Origin, RunResult};
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
    }
}

pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Pulled => "pulled",
        Origin::Built => "built",
        Origin::Existing => "the cluster's own",
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
    part.into_iter().chain(resumed).collect()
}
