//! How results are put into words; every report uses the same ones.

use super::{CellResult, CheckResult, Origin, Outcome, RunResult};
use crate::scenario::{Lane, Level};

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Core => "core",
        Level::Extended => "extended",
        Level::Provisional => "provisional",
    }
}

pub(super) fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::ControlPlane => "control-plane",
        Lane::Kind => "kind",
    }
}

pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Pulled => "pulled",
        Origin::Built => "built",
        Origin::Existing => "the cluster's own",
    }
}

impl Outcome {
    /// The word that people read: `PASS`, `FLAKY`, `FAIL`, `SKIP` or `ERROR`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASS",
            Self::Flaky => "FLAKY",
            Self::Failed => "FAIL",
            Self::Skipped => "SKIP",
            Self::Error => "ERROR",
        }
    }

    /// Whether all that was expected was found in the end.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky)
    }

    /// Whether something is to be told about it.
    pub(super) fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

impl RunResult {
    /// What the run is not all of, and what it did not do itself, one sentence each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let part = self.shard.map(|shard| {
            let planned = self.planned.len();
            format!("shard {shard} of a plan of {planned} cells; `report merge` makes one report of all shards")
        });
        let resumed = self.cells.iter().filter(|cell| cell.resumed).count();
        let resumed = (resumed > 0).then(|| {
            let cells = if resumed == 1 { "cell" } else { "cells" };
            format!("{resumed} {cells} passed before, in a run that this one picked up")
        });
        part.into_iter().chain(resumed).collect()
    }
}

impl CellResult {
    /// Checks that did not hold, in the scenario's order.
    pub(super) fn bad_checks(&self) -> impl Iterator<Item = &CheckResult> {
        self.checks.iter().filter(|check| check.outcome.is_bad())
    }

    /// Names of checks that were not judged.
    pub(super) fn not_judged(&self) -> Vec<&str> {
        let skipped = self.checks.iter().filter(|check| check.outcome == Outcome::Skipped);
        skipped.map(|check| check.name.as_str()).collect()
    }

    /// Whether it failed without failing the run.
    pub(super) fn is_provisional_failure(&self) -> bool {
        self.outcome == Outcome::Failed && self.level == Level::Provisional
    }

    /// Why it did not pass; the cell's reason unless it only repeats the message of a check that is told anyway.
    pub(super) fn own_reason(&self) -> Option<&str> {
        let reason = self.reason.as_deref()?;
        let repeated = self.bad_checks().any(|check| check.message == reason);
        (!repeated).then_some(reason)
    }
}

impl CheckResult {
    /// `file:line:column`, which editors and terminals open.
    pub(super) fn place(&self, file: &str) -> String {
        format!("{file}:{}:{}", self.location.line, self.location.column)
    }

    /// What there is to compare, with titles: the difference, or what was expected and found where there is none.
    pub(super) fn blocks(&self) -> Vec<(&'static str, &str)> {
        if let Some(diff) = &self.diff {
            return vec![("difference (- expected, + found)", diff)];
        }
        let sides = [("expected", &self.expected), ("found", &self.found)];
        sides
            .into_iter()
            .filter_map(|(title, text)| Some((title, text.as_deref()?)))
            .collect()
    }
}
