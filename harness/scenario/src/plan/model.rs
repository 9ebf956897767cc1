//! Cells and what selects them.

use std::sync::Arc;

use semver::Version;

use super::Pair;
use crate::{Lane, Level, OperatorSettings, Scenario};

/// scenario × operator release × Ray release × lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What is applied and checked.
    pub scenario: Arc<Scenario>,
    /// Operator release.
    pub operator: Version,
    /// Ray release.
    pub ray: Version,
    /// Where it runs.
    pub lane: Lane,
}

impl Cell {
    /// Of a scenario, a lane and a pair of releases.
    pub fn of(scenario: &Arc<Scenario>, lane: Lane, pair: &Pair) -> Self {
        Self {
            scenario: Arc::clone(scenario),
            operator: pair.operator.clone(),
            ray: pair.ray.clone(),
            lane,
        }
    }

    /// Its releases.
    pub fn pair(&self) -> Pair {
        Pair {
            operator: self.operator.clone(),
            ray: self.ray.clone(),
        }
    }

    /// How the operator is set up for it.
    pub fn operator_settings(&self) -> &OperatorSettings {
        &self.scenario.file.spec.operator_settings
    }

    /// `lane::operator::ray::scenario`, the name of the trial and of the evidence folder's parts.
    pub fn id(&self) -> String {
        format!(
            "{}::{}::{}::{}",
            self.lane,
            self.operator,
            self.ray,
            self.scenario.name()
        )
    }
}

/// What narrows a plan; an empty list narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words; a scenario stays when its name contains one of them.
    pub names: Vec<String>,
    /// Rules such as `C02`.
    pub rules: Vec<String>,
    /// Levels.
    pub levels: Vec<Level>,
    /// Whether scenarios that begin with an older release of the operator stay, too.
    pub upgrades: bool,
}
