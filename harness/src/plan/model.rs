//! Cells and what selects them.

use semver::Version;

use crate::scenario::{Lane, Level, OperatorSettings, Scenario};

/// scenario × operator release × Ray release × lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What is applied and checked.
    pub scenario: std::sync::Arc<Scenario>,
    /// Operator release.
    pub operator: Version,
    /// Ray release.
    pub ray: Version,
    /// Where it runs.
    pub lane: Lane,
}

impl Cell {
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
