//! What the cells of a run say of the rules of the contract, half by half.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CellResult, Outcome, RunResult, ScenarioRecord, Totals};
use crate::contract::{Half, RULES, Rule};
use crate::scenario::Lane;

/// What is known of a rule after a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleResult {
    /// `C01` to `C23`.
    pub rule: String,
    /// The KubeRay release that this is known of.
    pub operator: String,
    /// The Ray version that this is known of; the object half needs none, and counts for each.
    pub ray: String,
    /// What it is about.
    pub title: String,
    /// What its scenarios and its halves say together.
    pub outcome: RuleOutcome,
    /// How many of its scenarios passed.
    pub passed: usize,
    /// How many scenarios for these releases prove it, whichever of them the run selected.
    pub scenarios: usize,
    /// Each of its halves.
    pub halves: Vec<HalfResult>,
}

/// What is known of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// All that it says was seen: each of its scenarios for these releases passed, and by them each of its halves.
    Proven,
    /// What was seen of it holds, but not each of its scenarios passed, or not each of its halves was seen.
    Partial,
    /// A scenario of it failed.
    Failed,
    /// No scenario of it was judged.
    NotRun,
}

/// What is known of a half of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HalfResult {
    /// Which half.
    pub half: Half,
    /// The worst that was seen of it; `skipped` when no cell judged it.
    pub outcome: Outcome,
    /// Scenarios that look at it.
    pub scenarios: Vec<String>,
    /// How the cells of these scenarios ended.
    pub totals: Totals,
}

impl RuleOutcome {
    /// The words that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        }
    }
}

/// Each rule of the contract, in order, for each pair of a KubeRay release and a Ray version that has cells: what one
/// pair has shown is not known of another. Without cells, nothing.
pub fn rule_results(run: &RunResult) -> Vec<RuleResult> {
    let cells = &run.cells;
    let results = pairs(cells).into_iter().flat_map(|(operator, ray)| {
        // No Ray runs in the lane control-plane: what the operator writes there counts with each Ray version.
        let of_pair =
            |cell: &&CellResult| cell.operator == operator && (cell.ray == ray || cell.lane == Lane::ControlPlane);
        let cells: Vec<&CellResult> = cells.iter().filter(of_pair).collect();
        let applies = |record: &&ScenarioRecord| record.applies(operator, ray);
        let records: Vec<&ScenarioRecord> = run.scenarios.iter().filter(applies).collect();
        RULES
            .iter()
            .map(move |rule| result(rule, operator, ray, &records, &cells))
    });
    results.collect()
}

/// The pairs of the lane kind, and those of the control-plane lane whose release has none there, in the cells' order.
fn pairs(cells: &[CellResult]) -> Vec<(&str, &str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for lane in [Lane::Kind, Lane::ControlPlane] {
        for cell in cells.iter().filter(|cell| cell.lane == lane) {
            let known = pairs
                .iter()
                .any(|(operator, ray)| *operator == cell.operator && (*ray == cell.ray || lane == Lane::ControlPlane));
            if !known {
                pairs.push((&cell.operator, &cell.ray));
            }
        }
    }
    pairs
}

/// `records` are the scenarios for these releases; without any of them nothing is proven, for it is not known by what.
fn result(rule: &Rule, operator: &str, ray: &str, records: &[&ScenarioRecord], cells: &[&CellResult]) -> RuleResult {
    let of_rule = |cell: &&CellResult| cell.rules.iter().any(|id| id == rule.id);
    let cells: Vec<&CellResult> = cells.iter().copied().filter(of_rule).collect();
    let proves = |record: &&&ScenarioRecord| record.rules.iter().any(|id| id == rule.id);
    let judged = cells.iter().filter(|cell| cell.outcome != Outcome::Skipped);
    let scenarios: BTreeSet<&str> = records
        .iter()
        .filter(proves)
        .map(|record| record.name.as_str())
        .chain(judged.map(|cell| cell.scenario.as_str()))
        .collect();
    let ended = |name: &str, good: bool| {
        let mut of_scenario = cells.iter().filter(|cell| cell.scenario == name);
        of_scenario.any(|cell| {
            if good {
                cell.outcome.is_good()
            } else {
                cell.outcome.is_bad()
            }
        })
    };
    let passed_scenarios = scenarios
        .iter()
        .filter(|name| ended(name, true) && !ended(name, false))
        .count();
    let is_whole = !records.is_empty() && passed_scenarios == scenarios.len();
    let halves: Vec<HalfResult> = rule.halves.iter().map(|half| half_result(*half, &cells)).collect();
    // A cell may show what is not listed as a half of the rule; where it fails, the rule fails all the same.
    let failed = cells.iter().any(|cell| cell.outcome.is_bad());
    let passed = halves.iter().filter(|half| half.outcome.is_good()).count();
    RuleResult {
        rule: rule.id.into(),
        operator: operator.into(),
        ray: ray.into(),
        title: rule.title.into(),
        outcome: match passed {
            _ if failed => RuleOutcome::Failed,
            0 => RuleOutcome::NotRun,
            passed if passed == halves.len() && is_whole => RuleOutcome::Proven,
            _ => RuleOutcome::Partial,
        },
        passed: passed_scenarios,
        scenarios: scenarios.len(),
        halves,
    }
}

fn half_result(half: Half, cells: &[&CellResult]) -> HalfResult {
    let of_half = |cell: &&&CellResult| cell.halves.contains(&half);
    let cells: Vec<&CellResult> = cells.iter().filter(of_half).copied().collect();
    let scenarios: BTreeSet<&String> = cells.iter().map(|cell| &cell.scenario).collect();
    let totals = Totals::of_cells(cells.iter().copied());
    HalfResult {
        half,
        outcome: match totals {
            Totals { failed: 1.., .. } => Outcome::Failed,
            Totals { errors: 1.., .. } => Outcome::Error,
            Totals { passed: 1.., .. } => Outcome::Passed,
            _ => Outcome::Skipped,
        },
        scenarios: scenarios.into_iter().cloned().collect(),
        totals,
    }
}

impl RuleResult {
    /// The words that people read: `proven (12 of 12 scenarios)`, `partial (1 of 12)`, `failed` or `not run`.
    pub(super) fn verdict(&self) -> String {
        let word = self.outcome.word();
        match self.outcome {
            RuleOutcome::Proven => format!("{word} ({} of {} scenarios)", self.passed, self.scenarios),
            RuleOutcome::Partial => format!("{word} ({})", self.share()),
            RuleOutcome::Failed | RuleOutcome::NotRun => word.into(),
        }
    }

    /// `1 of 12`, and the halves that no scenario showed where every scenario passed.
    fn share(&self) -> String {
        let share = format!("{} of {}", self.passed, self.scenarios);
        if self.passed < self.scenarios {
            return share;
        }
        let unseen = self.halves.iter().filter(|half| !half.outcome.is_good());
        let unseen: Vec<&str> = unseen.map(|half| half.half.word()).collect();
        if unseen.is_empty() {
            share
        } else {
            format!("{share} without {}", unseen.join(" and "))
        }
    }
}

/// What the rules of each pair come to, a line each; which pair it is only needs saying where there are several.
pub(super) fn summaries(results: &[RuleResult]) -> Vec<String> {
    let pairs: Vec<&[RuleResult]> = results
        .chunk_by(|one, next| one.operator == next.operator && one.ray == next.ray)
        .collect();
    let summary = |rules: &&[RuleResult]| match rules {
        [first, ..] if pairs.len() > 1 => format!("rules on {}/{}: {}", first.operator, first.ray, Summary(rules)),
        rules => format!("rules: {}", Summary(rules)),
    };
    pairs.iter().map(summary).collect()
}

/// A line on the rules of one pair.
struct Summary<'a>(&'a [RuleResult]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |outcome: RuleOutcome| self.0.iter().filter(move |rule| rule.outcome == outcome);
        write!(f, "{} proven", of(RuleOutcome::Proven).count())?;
        let partial: Vec<String> = of(RuleOutcome::Partial)
            .map(|rule| format!("{} {}", rule.rule, rule.share()))
            .collect();
        if !partial.is_empty() {
            write!(f, ", {} partial ({})", partial.len(), partial.join(", "))?;
        }
        let failed: Vec<&str> = of(RuleOutcome::Failed).map(|rule| rule.rule.as_str()).collect();
        if !failed.is_empty() {
            write!(f, ", {} failed ({})", failed.len(), failed.join(", "))?;
        }
        write!(f, ", {} not run", of(RuleOutcome::NotRun).count())
    }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
