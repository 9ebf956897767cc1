//! Which cases run, and why the others don't.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::{Filter, Pair, TestCase};
use crate::range::includes;
use crate::{Diagnostic, Scenario, TargetKind, unreachable_checks};

/// What would run, and what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Cases in the order target, operator, Ray, scenario, so that those that share a cluster and
    /// an operator are together.
    pub cases: Vec<TestCase>,
    /// What was left out, in the same order; what a filter left out comes first, once for each
    /// scenario.
    pub skipped: Vec<Skipped>,
}

/// A case, or all cases of a scenario, that will not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The case's id, or the scenario's name where all of its cases are left out.
    pub name: String,
    /// Why, as the end of a sentence.
    pub reason: String,
    /// Whether what was asked for excludes it, and not what the scenario needs.
    pub filtered: bool,
    /// Whether its name or its rules were not asked for.
    pub unnamed: bool,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// Crosses scenarios with targets and the pairs of releases that run there, and leaves out what a
/// filter, a scenario's target or its ranges exclude.
pub fn cases(
    scenarios: &[Arc<Scenario>],
    targets: &[(TargetKind, Vec<Pair>)],
    filter: &Filter,
) -> Plan {
    let mut plan = Plan::default();
    let mut wanted = Vec::new();
    for scenario in scenarios {
        match filter.excludes(scenario) {
            None => wanted.push(scenario),
            Some((reason, unnamed)) => plan.skipped.push(Skipped {
                name: scenario.name().into(),
                reason,
                filtered: true,
                unnamed,
            }),
        }
    }
    for (target, pairs) in targets {
        for pair in pairs {
            for scenario in &wanted {
                let case = TestCase::of(scenario, *target, pair);
                let served = |(other, _): &(TargetKind, _)| {
                    let placed = scenario.file.spec.placement().target;
                    placed.has_kubelet() == other.has_kubelet()
                };
                let is_elsewhere = !case.is_on_cheapest_target() && targets.iter().any(served);
                if is_elsewhere && !filter.all {
                    continue;
                }
                match excluded(&case, filter.all) {
                    // It has its cases on another target of the plan.
                    Some(_) if is_elsewhere => {}
                    None => plan.cases.push(case),
                    Some(reason) => plan.skipped.push(Skipped {
                        name: case.id(),
                        reason,
                        filtered: false,
                        unnamed: false,
                    }),
                }
            }
        }
    }
    plan
}

impl Plan {
    /// The checks of the planned scenarios that wait for a Pod which none of the scenario's objects
    /// leads to.
    pub fn unreachable_checks(&self) -> Vec<Diagnostic> {
        let mut seen = BTreeSet::new();
        let scenarios = self.cases.iter().map(|case| &case.scenario);
        scenarios
            .filter(|scenario| seen.insert(scenario.name()))
            .flat_map(|scenario| unreachable_checks(scenario))
            .collect()
    }

    /// Why nothing is left to run, one reason a line: what the scenarios need that were asked for,
    /// or what excludes each.
    pub fn why_nothing_is_left(&self) -> Vec<String> {
        let (filtered, needing): (Vec<_>, Vec<_>) =
            self.skipped.iter().partition(|skipped| skipped.filtered);
        let telling = if needing.is_empty() {
            filtered
        } else {
            needing
        };
        telling.iter().map(ToString::to_string).collect()
    }
}

/// Why a scenario does not have this case.
fn excluded(case: &TestCase, all: bool) -> Option<String> {
    let spec = &case.scenario.file.spec;
    let unmet = spec.unmet(case.target).filter(|_| all);
    let placement = spec.placement();
    if unmet.is_some() || !(all || case.is_on_cheapest_target()) {
        let how = match case.target {
            TargetKind::Existing => "leave --context out".into(),
            TargetKind::Envtest | TargetKind::Kind => {
                format!("add `--target {}`", placement.target)
            }
        };
        return Some(format!(
            "it runs on {} ({how}): {}",
            placement.target,
            unmet.unwrap_or(placement.reason)
        ));
    }
    if !includes(&case.scenario.operator, &case.operator) {
        return Some(format!(
            "the scenario needs a KubeRay operator {}",
            spec.operator
        ));
    }
    if !includes(&case.scenario.ray, &case.ray) {
        return Some(format!("the scenario needs Ray {}", spec.ray));
    }
    None
}

impl Filter {
    /// The words that no scenario's name contains.
    pub fn unmatched(&self, scenarios: &[Arc<Scenario>]) -> Vec<&str> {
        let is_in_none = |word: &&str| {
            !scenarios
                .iter()
                .any(|scenario| scenario.name().contains(word))
        };
        self.names
            .iter()
            .map(String::as_str)
            .filter(is_in_none)
            .collect()
    }

    /// Why a scenario does not pass, where it doesn't, and whether its name or its rules were not
    /// asked for.
    fn excludes(&self, scenario: &Scenario) -> Option<(String, bool)> {
        let spec = &scenario.file.spec;
        if !self.names.is_empty()
            && !self
                .names
                .iter()
                .any(|word| scenario.name().contains(word.as_str()))
        {
            let reason = format!("its name contains none of {}", self.names.join(", "));
            return Some((reason, true));
        }
        let proves = |rule: &String| spec.rules.iter().any(|own| own.eq_ignore_ascii_case(rule));
        if !self.rules.is_empty() && !self.rules.iter().any(proves) {
            return Some((format!("it proves none of {}", self.rules.join(", ")), true));
        }
        if let Some(from) = scenario.upgrade_from.as_ref().filter(|_| !self.upgrades) {
            let reason = format!("it begins with KubeRay {from}, which needs --upgrades");
            return Some((reason, false));
        }
        if !self.levels.is_empty() && !self.levels.contains(&spec.level) {
            return Some((format!("its level is {}", spec.level), false));
        }
        None
    }
}
