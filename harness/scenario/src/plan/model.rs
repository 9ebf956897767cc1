//! Cases and what selects them.

use std::sync::Arc;

use semver::Version;

use super::Pair;
use crate::{Level, OperatorSettings, Scenario, TargetKind};

/// scenario × operator release × Ray release × target.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// What is applied and checked.
    pub scenario: Arc<Scenario>,
    /// Operator release.
    pub operator: Version,
    /// Ray release.
    pub ray: Version,
    /// Where it runs.
    pub target: TargetKind,
}

impl TestCase {
    /// Of a scenario, a target and a pair of releases.
    pub fn of(scenario: &Arc<Scenario>, target: TargetKind, pair: &Pair) -> Self {
        Self {
            scenario: Arc::clone(scenario),
            operator: pair.operator.clone(),
            ray: pair.ray.clone(),
            target,
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

    /// Whether it runs on the cheapest target that meets the requirements of its scenario. An
    /// existing cluster takes the place of kind.
    pub fn is_on_cheapest_target(&self) -> bool {
        let placed = self.scenario.file.spec.placement().target;
        placed.has_kubelet() == self.target.has_kubelet()
    }

    /// Why it runs on its target.
    pub fn reason(&self) -> String {
        let reason = self.scenario.file.spec.placement().reason;
        if self.is_on_cheapest_target() {
            reason
        } else {
            format!("added by `--all`; {reason}")
        }
    }

    /// `kind::operator::ray::scenario`, or `envtest::operator::scenario`, because no Ray runs
    /// there: the name of the trial and of the evidence folder's parts.
    pub fn id(&self) -> String {
        let (target, operator, name) = (self.target, &self.operator, self.scenario.name());
        if target.has_kubelet() {
            format!("{target}::{operator}::{}::{name}", self.ray)
        } else {
            format!("{target}::{operator}::{name}")
        }
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
    /// Whether cases stay on every target that meets their requirements, not on the cheapest alone.
    pub all: bool,
}
