//! What the cases of a run say of the rules of the contract, layer by layer.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CaseResult, Outcome, RunResult, ScenarioRecord, Totals};
use crate::contract::{Layer, RULES, Rule};
use crate::scenario::TargetKind;

/// What is known of a rule after a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleResult {
    /// Its id, such as `C01`.
    pub rule: String,
    /// The KubeRay release that this is known of.
    pub operator: String,
    /// The Ray version that this is known of; the spec layer needs none, and counts for each.
    pub ray: String,
    /// What it is about.
    pub title: String,
    /// What its scenarios and its layers say together.
    pub outcome: RuleOutcome,
    /// How many of its scenarios passed.
    pub passed: usize,
    /// How many scenarios for these releases prove it, whichever of them the run selected.
    pub scenarios: usize,
    /// Each of its layers.
    pub layers: Vec<LayerResult>,
}

/// What is known of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// All that it says was seen: each of its scenarios for these releases passed, and by them each
    /// of its layers.
    Proven,
    /// What was seen of it holds, but not each of its scenarios passed, or not each of its layers
    /// was seen.
    Partial,
    /// A scenario of it failed.
    Failed,
    /// No scenario of it was judged.
    NotRun,
}

/// What is known of a layer of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerResult {
    /// Which layer.
    pub layer: Layer,
    /// The worst that was seen of it; `skipped` when no case judged it.
    pub outcome: Outcome,
    /// Scenarios that look at it.
    pub scenarios: Vec<String>,
    /// How the cases of these scenarios ended.
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

/// Each rule of the contract, in order, for each pair of a KubeRay release and a Ray version that
/// has cases: what one pair has shown is not known of another. Without cases, nothing.
pub fn rule_results(run: &RunResult) -> Vec<RuleResult> {
    let cases = &run.cases;
    let results = pairs(cases).into_iter().flat_map(|(operator, ray)| {
        // No Ray runs in envtest: what the operator writes there counts with each Ray version.
        let of_pair = |case: &&CaseResult| {
            case.operator == operator && (case.ray == ray || case.target == TargetKind::Envtest)
        };
        let cases: Vec<&CaseResult> = cases.iter().filter(of_pair).collect();
        let applies = |record: &&ScenarioRecord| record.applies(operator, ray);
        let records: Vec<&ScenarioRecord> = run.scenarios.iter().filter(applies).collect();
        RULES
            .iter()
            .map(move |rule| result(rule, operator, ray, &records, &cases))
    });
    results.collect()
}

/// The pairs of targets where Ray runs, and those on envtest whose release has none there, in the
/// cases' order.
pub(super) fn pairs(cases: &[CaseResult]) -> Vec<(&str, &str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for target in [TargetKind::Kind, TargetKind::Existing, TargetKind::Envtest] {
        for case in cases.iter().filter(|case| case.target == target) {
            let known = pairs.iter().any(|(operator, ray)| {
                *operator == case.operator && (*ray == case.ray || target == TargetKind::Envtest)
            });
            if !known {
                pairs.push((&case.operator, &case.ray));
            }
        }
    }
    pairs
}

/// `records` are the scenarios for these releases; without any of them nothing is proven, for it is
/// not known by what.
fn result(
    rule: &Rule,
    operator: &str,
    ray: &str,
    records: &[&ScenarioRecord],
    cases: &[&CaseResult],
) -> RuleResult {
    let of_rule = |case: &&CaseResult| case.rules.iter().any(|id| id == rule.id);
    let cases: Vec<&CaseResult> = cases.iter().copied().filter(of_rule).collect();
    let proves = |record: &&&ScenarioRecord| record.rules.iter().any(|id| id == rule.id);
    let judged = cases.iter().filter(|case| case.outcome != Outcome::Skipped);
    let scenarios: BTreeSet<&str> = records
        .iter()
        .filter(proves)
        .map(|record| record.name.as_str())
        .chain(judged.map(|case| case.scenario.as_str()))
        .collect();
    let ended = |name: &str, good: bool| {
        let mut of_scenario = cases.iter().filter(|case| case.scenario == name);
        of_scenario.any(|case| {
            if good {
                case.outcome.is_good()
            } else {
                case.outcome.is_bad()
            }
        })
    };
    let passed_scenarios = scenarios
        .iter()
        .filter(|name| ended(name, true) && !ended(name, false))
        .count();
    let is_whole = !records.is_empty() && passed_scenarios == scenarios.len();
    let layers: Vec<LayerResult> = rule
        .layers
        .iter()
        .map(|layer| layer_result(*layer, &cases))
        .collect();
    // A case may show what is not listed as a layer of the rule; where it fails, the rule fails all
    // the same.
    let failed = cases.iter().any(|case| case.outcome.is_bad());
    let passed = layers
        .iter()
        .filter(|layer| layer.outcome.is_good())
        .count();
    RuleResult {
        rule: rule.id.into(),
        operator: operator.into(),
        ray: ray.into(),
        title: rule.title.into(),
        outcome: match passed {
            _ if failed => RuleOutcome::Failed,
            0 => RuleOutcome::NotRun,
            passed if passed == layers.len() && is_whole => RuleOutcome::Proven,
            _ => RuleOutcome::Partial,
        },
        passed: passed_scenarios,
        scenarios: scenarios.len(),
        layers,
    }
}

fn layer_result(layer: Layer, cases: &[&CaseResult]) -> LayerResult {
    let of_layer = |case: &&&CaseResult| case.layers.contains(&layer);
    let cases: Vec<&CaseResult> = cases.iter().filter(of_layer).copied().collect();
    let scenarios: BTreeSet<&String> = cases.iter().map(|case| &case.scenario).collect();
    let totals = Totals::of_cases(cases.iter().copied());
    LayerResult {
        layer,
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
    /// The words that people read: `proven (12 of 12 scenarios)`, `partial (1 of 12)`, `failed` or
    /// `not run`.
    pub(super) fn verdict(&self) -> String {
        let word = self.outcome.word();
        match self.outcome {
            RuleOutcome::Proven => {
                format!("{word} ({} of {} scenarios)", self.passed, self.scenarios)
            }
            RuleOutcome::Partial => format!("{word} ({})", self.share()),
            RuleOutcome::Failed | RuleOutcome::NotRun => word.into(),
        }
    }

    /// `1 of 12`, and the layers that no scenario showed where every scenario passed.
    fn share(&self) -> String {
        let share = format!("{} of {}", self.passed, self.scenarios);
        if self.passed < self.scenarios {
            return share;
        }
        let unseen = self.layers.iter().filter(|layer| !layer.outcome.is_good());
        let unseen: Vec<&str> = unseen.map(|layer| layer.layer.word()).collect();
        if unseen.is_empty() {
            share
        } else {
            format!("{share} without {}", unseen.join(" and "))
        }
    }
}

/// What the text at the end of a run says of rules: all of those that the run was limited to; else
/// those that are proven or failed, because few scenarios prove a rule in part, and nothing is
/// wrong with it.
pub(super) fn text_summaries(run: &RunResult) -> Vec<String> {
    let mut results = rule_results(run);
    if run.selected_rules.is_empty() {
        results.retain(|rule| rule.outcome != RuleOutcome::Partial);
    } else {
        results.retain(|rule| run.selected_rules.contains(&rule.rule));
    }
    summaries(&results)
}

/// What the rules of each pair come to, a line each; which pair it is only needs saying where there
/// are several. Nothing is said of a pair on which no rule was looked at.
pub(super) fn summaries(results: &[RuleResult]) -> Vec<String> {
    let looked_at = |rules: &&[RuleResult]| {
        let mut outcomes = rules.iter().map(|rule| rule.outcome);
        outcomes.any(|outcome| outcome != RuleOutcome::NotRun)
    };
    let pairs: Vec<&[RuleResult]> = results
        .chunk_by(|one, next| one.operator == next.operator && one.ray == next.ray)
        .filter(looked_at)
        .collect();
    let summary = |rules: &&[RuleResult]| match rules {
        [first, ..] if pairs.len() > 1 => format!(
            "rules on {}/{}: {}",
            first.operator,
            first.ray,
            Summary(rules)
        ),
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
        let failed: Vec<&str> = of(RuleOutcome::Failed)
            .map(|rule| rule.rule.as_str())
            .collect();
        if !failed.is_empty() {
            write!(f, ", {} failed ({})", failed.len(), failed.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
