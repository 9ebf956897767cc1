//! The matrix: rules × releases, and below each rule its scenarios × releases.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::rules::{self, RuleOutcome};
use super::super::{CaseResult, Outcome, RuleResult, RunResult, rule_results, view};
use crate::contract::RULES;
use crate::scenario::TargetKind;

/// Releases under test; a column of the matrix.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Column {
    pub(in crate::report) operator: String,
    pub(in crate::report) ray: String,
    /// Whether columns differ in the release of Ray.
    pub(in crate::report) with_ray: bool,
}

/// A rule with its scenarios.
#[derive(Debug, Serialize)]
pub(in crate::report) struct RuleRow {
    /// Its id; empty for the scenarios that prove none.
    pub(in crate::report) id: String,
    pub(in crate::report) title: String,
    pub(in crate::report) cells: Vec<RuleCell>,
    pub(in crate::report) scenarios: Vec<ScenarioRow>,
}

/// What a pair of releases shows of a rule.
#[derive(Debug, Serialize)]
pub(in crate::report) struct RuleCell {
    /// `proven`, `partial`, `failed`, `new`, `not run`.
    pub(in crate::report) word: &'static str,
    /// `3/4` scenarios, or nothing.
    pub(in crate::report) count: String,
    /// The verdict in full, such as `partial (1 of 1 without runtime)`.
    pub(in crate::report) verdict: String,
    /// The place of the case that says most, the worst one.
    pub(in crate::report) case: Option<usize>,
}

/// A scenario on all releases.
#[derive(Debug, Serialize)]
pub(in crate::report) struct ScenarioRow {
    pub(in crate::report) name: String,
    /// Its cases on each pair of releases.
    pub(in crate::report) cells: Vec<Vec<CaseCell>>,
}

/// A case in the matrix.
#[derive(Debug, Serialize)]
pub(in crate::report) struct CaseCell {
    pub(in crate::report) word: &'static str,
    /// The target, where the same releases have the scenario on several.
    pub(in crate::report) target: Option<&'static str>,
    pub(in crate::report) case: usize,
}

/// The matrix of a run.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Matrix {
    pub(in crate::report) columns: Vec<Column>,
    pub(in crate::report) rows: Vec<RuleRow>,
    /// Rules that no case looks at.
    pub(in crate::report) not_run: Vec<&'static str>,
}

/// Makes the matrix of a run; cases are named by their places in it.
pub(in crate::report) fn matrix(run: &RunResult) -> Matrix {
    let pairs = rules::pairs(&run.cases);
    let results = rule_results(run);
    let several = |operator: &str| pairs.iter().filter(|pair| pair.0 == operator).count() > 1;
    let columns: Vec<Column> = pairs
        .iter()
        .map(|(operator, ray)| Column {
            operator: (*operator).into(),
            ray: (*ray).into(),
            with_ray: several(operator),
        })
        .collect();
    let mut rows = Vec::new();
    let mut not_run = Vec::new();
    for rule in RULES {
        let of_rule: Vec<usize> = places(run, |case| case.rules.iter().any(|id| id == rule.id));
        if of_rule.is_empty() {
            not_run.push(rule.id);
            continue;
        }
        let cells = columns.iter().map(|column| {
            let result = results.iter().find(|result| {
                result.rule == rule.id
                    && result.operator == column.operator
                    && result.ray == column.ray
            });
            rule_cell(run, result, &in_column(run, &of_rule, column))
        });
        rows.push(RuleRow {
            id: rule.id.into(),
            title: rule.title.into(),
            cells: cells.collect(),
            scenarios: scenarios(run, &of_rule, &columns),
        });
    }
    let known = |id: &String| RULES.iter().any(|rule| rule.id == id);
    let others = places(run, |case| !case.rules.iter().any(known));
    if !others.is_empty() {
        let cells = columns
            .iter()
            .map(|column| rule_cell(run, None, &in_column(run, &others, column)));
        rows.push(RuleRow {
            id: String::new(),
            title: "scenarios that prove no rule".into(),
            cells: cells.collect(),
            scenarios: scenarios(run, &others, &columns),
        });
    }
    Matrix {
        columns,
        rows,
        not_run,
    }
}

fn places(run: &RunResult, keep: impl Fn(&CaseResult) -> bool) -> Vec<usize> {
    let cases = run.cases.iter().enumerate();
    cases
        .filter(|(_, case)| keep(case))
        .map(|(place, _)| place)
        .collect()
}

/// No Ray runs on envtest: what the operator writes there counts with each Ray release.
fn in_column(run: &RunResult, places: &[usize], column: &Column) -> Vec<usize> {
    let is_in = |place: &&usize| {
        let case = &run.cases[**place];
        case.operator == column.operator
            && (case.ray == column.ray || case.target == TargetKind::Envtest)
    };
    places.iter().filter(is_in).copied().collect()
}

fn rule_cell(run: &RunResult, result: Option<&RuleResult>, places: &[usize]) -> RuleCell {
    let outcomes = || places.iter().map(|place| run.cases[*place].outcome);
    let worst = places
        .iter()
        .copied()
        .min_by_key(|place| badness(run.cases[*place].outcome));
    let count = |keep: fn(Outcome) -> bool| outcomes().filter(|outcome| keep(*outcome)).count();
    let good = count(Outcome::is_good);
    let (word, count) = match result {
        Some(result) if result.outcome != RuleOutcome::NotRun => (
            result.outcome.word(),
            format!("{}/{}", result.passed, result.scenarios),
        ),
        None if good > 0 && good == places.len() => ("passed", format!("{good}/{good}")),
        None if count(Outcome::is_bad) > 0 => ("failed", format!("{good}/{}", places.len())),
        None if good > 0 => ("partial", format!("{good}/{}", places.len())),
        _ => ("not run", String::new()),
    };
    let is_new = outcomes().any(|outcome| outcome == Outcome::New) && word != "failed";
    RuleCell {
        word: if is_new { "new" } else { word },
        count,
        verdict: result.map_or_else(String::new, RuleResult::verdict),
        case: worst,
    }
}

/// The smaller, the worse.
fn badness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Failed => 0,
        Outcome::Error => 1,
        Outcome::New => 2,
        Outcome::Flaky => 3,
        Outcome::Passed => 4,
        Outcome::Skipped => 5,
    }
}

fn scenarios(run: &RunResult, places: &[usize], columns: &[Column]) -> Vec<ScenarioRow> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for place in places {
        let name = run.cases[*place].scenario.as_str();
        by_name.entry(name).or_default().push(*place);
    }
    let row = |(name, places): (&str, Vec<usize>)| ScenarioRow {
        name: name.into(),
        cells: columns
            .iter()
            .map(|column| {
                let cases = in_column(run, &places, column);
                let several = cases.len() > 1;
                let cell = |place: &usize| CaseCell {
                    word: run.cases[*place].outcome.word(),
                    target: several.then(|| view::target(run.cases[*place].target)),
                    case: *place,
                };
                cases.iter().map(cell).collect()
            })
            .collect(),
    };
    by_name.into_iter().map(row).collect()
}
