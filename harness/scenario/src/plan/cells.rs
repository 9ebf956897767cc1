//! Which cells run, and why the others don't.

use std::fmt;
use std::sync::Arc;

use semver::{Prerelease, Version, VersionReq};

use super::{Cell, Filter, Pair};
use crate::{Lane, Scenario};

/// What would run, and what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Cells in the order lane, operator, Ray, scenario, so that those that share a cluster and an operator are together.
    pub cells: Vec<Cell>,
    /// What was left out, in the same order; what a filter left out comes first, once for each scenario.
    pub skipped: Vec<Skipped>,
}

/// A cell, or all cells of a scenario, that will not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The cell's id, or the scenario's name where all of its cells are left out.
    pub name: String,
    /// Why, as the end of a sentence.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// Crosses scenarios with lanes and the pairs of releases that run there, and leaves out what a filter, a scenario's
/// lanes or its ranges exclude.
pub fn cells(scenarios: &[Arc<Scenario>], lanes: &[(Lane, Vec<Pair>)], filter: &Filter) -> Plan {
    let mut plan = Plan::default();
    let mut wanted = Vec::new();
    for scenario in scenarios {
        match filter.excludes(scenario) {
            None => wanted.push(scenario),
            Some(reason) => plan.skipped.push(Skipped {
                name: scenario.name().into(),
                reason,
            }),
        }
    }
    for (lane, pairs) in lanes {
        for pair in pairs {
            for scenario in &wanted {
                let cell = Cell::of(scenario, *lane, pair);
                match excluded(&cell) {
                    None => plan.cells.push(cell),
                    Some(reason) => plan.skipped.push(Skipped {
                        name: cell.id(),
                        reason,
                    }),
                }
            }
        }
    }
    plan
}

/// Why a scenario does not have this cell.
fn excluded(cell: &Cell) -> Option<String> {
    let spec = &cell.scenario.file.spec;
    if !spec.lanes.contains(&cell.lane) {
        return Some("the scenario does not list this lane".into());
    }
    if !includes(&cell.scenario.operator, &cell.operator) {
        return Some(format!("the scenario needs a KubeRay operator {}", spec.operator));
    }
    if !includes(&cell.scenario.ray, &cell.ray) {
        return Some(format!("the scenario needs Ray {}", spec.ray));
    }
    None
}

/// A release candidate behaves as the release that it becomes, so it lies in the same ranges.
pub(crate) fn includes(range: &VersionReq, version: &Version) -> bool {
    let release = Version {
        pre: Prerelease::EMPTY,
        ..version.clone()
    };
    range.matches(version) || range.matches(&release)
}

impl Filter {
    /// The words that no scenario's name contains.
    pub fn unmatched(&self, scenarios: &[Arc<Scenario>]) -> Vec<&str> {
        let is_in_none = |word: &&str| !scenarios.iter().any(|scenario| scenario.name().contains(word));
        self.names.iter().map(String::as_str).filter(is_in_none).collect()
    }

    /// Why a scenario does not pass, where it doesn't.
    fn excludes(&self, scenario: &Scenario) -> Option<String> {
        let spec = &scenario.file.spec;
        if !self.names.is_empty() && !self.names.iter().any(|word| scenario.name().contains(word.as_str())) {
            return Some(format!("its name holds none of {}", self.names.join(", ")));
        }
        let proves = |rule: &String| spec.rules.iter().any(|own| own.eq_ignore_ascii_case(rule));
        if !self.rules.is_empty() && !self.rules.iter().any(proves) {
            return Some(format!("it proves none of {}", self.rules.join(", ")));
        }
        if let Some(from) = scenario.upgrade_from.as_ref().filter(|_| !self.upgrades) {
            return Some(format!("it begins with KubeRay {from}, which needs --upgrades"));
        }
        if !self.levels.is_empty() && !self.levels.contains(&spec.level) {
            return Some(format!("its level is {}", spec.level));
        }
        None
    }
}
