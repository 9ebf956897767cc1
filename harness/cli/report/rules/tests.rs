use rstest::rstest;

use serde_json::json;

use super::*;
use crate::report::{example, render_markdown, render_text, write_all};

const OBJECT: &[Half] = &[Half::Object];
const EFFECT: &[Half] = &[Half::Effect];
const BOTH: &[Half] = &[Half::Object, Half::Effect];

/// What becomes of a rule by cells with these halves and endings.
fn outcome(rule: &str, cells: &[(&[Half], Outcome)]) -> RuleOutcome {
    let like = example::run().cells.remove(0);
    let cell = |(halves, outcome): &(&[Half], Outcome)| CellResult {
        rules: vec![rule.into()],
        halves: halves.to_vec(),
        outcome: *outcome,
        ..like.clone()
    };
    let run = RunResult {
        cells: cells.iter().map(cell).collect(),
        ..example::run()
    };
    let results = rule_results(&run);
    if cells.is_empty() {
        assert_eq!(results, [], "no pair, no result");
        return RuleOutcome::NotRun;
    }
    results.iter().find(|result| result.rule == rule).unwrap().outcome
}

#[rstest]
#[case::nothing(&[], RuleOutcome::NotRun)]
#[case::one_half(&[(OBJECT, Outcome::Passed)], RuleOutcome::Partial)]
#[case::the_other_half(&[(EFFECT, Outcome::Passed)], RuleOutcome::Partial)]
#[case::both_by_one_cell(&[(BOTH, Outcome::Passed)], RuleOutcome::Proven)]
#[case::both_by_two(&[(OBJECT, Outcome::Passed), (EFFECT, Outcome::Passed)], RuleOutcome::Proven)]
#[case::one_half_skipped(&[(OBJECT, Outcome::Passed), (EFFECT, Outcome::Skipped)], RuleOutcome::Partial)]
#[case::a_failure_beside(&[(BOTH, Outcome::Passed), (OBJECT, Outcome::Failed)], RuleOutcome::Failed)]
#[case::an_error_beside(&[(BOTH, Outcome::Passed), (OBJECT, Outcome::Error)], RuleOutcome::Failed)]
#[case::only_skipped(&[(BOTH, Outcome::Skipped)], RuleOutcome::NotRun)]
fn a_rule_is_proven_by_all_of_its_halves(#[case] cells: &[(&[Half], Outcome)], #[case] expected: RuleOutcome) {
    assert_eq!(outcome("C03", cells), expected);
}

#[test]
fn a_rule_without_an_effect_needs_none() {
    assert_eq!(outcome("C12", &[(OBJECT, Outcome::Passed)]), RuleOutcome::Proven);
    assert_eq!(outcome("C12", &[(EFFECT, Outcome::Passed)]), RuleOutcome::NotRun);
    assert_eq!(outcome("C12", &[(EFFECT, Outcome::Failed)]), RuleOutcome::Failed);
}

#[test]
fn the_summary_names_what_is_missing() {
    let results = rule_results(&example::run());
    assert_eq!(
        summaries(&results),
        ["rules: 0 proven, 1 partial (C07 1 of 1 without effect), 3 failed (C01, C02, C14), 19 not run"]
    );
    let mut run = example::run();
    run.cells.truncate(1);
    let results = rule_results(&run);
    assert_eq!(
        summaries(&results),
        ["rules: 0 proven, 2 partial (C01 1 of 2, C02 1 of 2), 21 not run"]
    );
}

/// The object half comes from the lane without Ray, the effect half from kind, where each pair shows its own.
#[test]
fn what_one_pair_has_shown_is_not_known_of_another() {
    let like = example::run().cells.remove(0);
    let cell = |lane, operator: &str, ray: &str, halves: &[Half], outcome| CellResult {
        lane,
        operator: operator.into(),
        ray: ray.into(),
        rules: vec!["C03".into()],
        halves: halves.to_vec(),
        outcome,
        ..like.clone()
    };
    let cells = [
        cell(Lane::ControlPlane, "1.5.1", "2.52.0", OBJECT, Outcome::Passed),
        cell(Lane::ControlPlane, "1.0.0", "2.52.0", OBJECT, Outcome::Passed),
        cell(Lane::Kind, "1.0.0", "2.7.0", EFFECT, Outcome::Passed),
        cell(Lane::Kind, "1.0.0", "2.6.3", EFFECT, Outcome::Skipped),
        cell(Lane::Kind, "1.6.2", "2.52.0", EFFECT, Outcome::Passed),
    ];
    let run = RunResult {
        cells: cells.into(),
        ..example::run()
    };
    let results = rule_results(&run);
    let known: Vec<(&str, &str, RuleOutcome)> = results
        .iter()
        .filter(|result| result.rule == "C03")
        .map(|result| (&*result.operator, &*result.ray, result.outcome))
        .collect();
    let expected = [
        ("1.0.0", "2.7.0", RuleOutcome::Proven),
        ("1.0.0", "2.6.3", RuleOutcome::Partial),
        ("1.6.2", "2.52.0", RuleOutcome::Partial),
        ("1.5.1", "2.52.0", RuleOutcome::Partial),
    ];
    assert_eq!(known, expected);
    assert_eq!(
        summaries(&results)[..2],
        [
            "rules on 1.0.0/2.7.0: 1 proven, 22 not run",
            "rules on 1.0.0/2.6.3: 0 proven, 1 partial (C03 1 of 1 without effect), 22 not run",
        ]
    );
}

/// A run in which these scenarios of C01 passed on 1.6.2, out of all that `scenarios` lists with their ranges.
fn passed(names: &[&str], scenarios: &[(&str, &str)]) -> RunResult {
    let mut run = example::run();
    let like = run.cells.remove(0);
    let cell = |name: &&str| CellResult {
        id: format!("kind::1.6.2::2.52.0::{name}"),
        scenario: (*name).into(),
        rules: vec!["C01".into()],
        ..like.clone()
    };
    run.cells = names.iter().map(cell).collect();
    let mut run = serde_json::to_value(run).unwrap();
    let record = |(name, operator): &(&str, &str)| json!({"name": name, "rules": ["C01"], "lanes": ["control-plane", "kind"], "operator": operator, "ray": ">=2.0.0"});
    run["scenarios"] = scenarios.iter().map(record).collect();
    serde_json::from_value(run).unwrap()
}

#[rstest]
#[case::one_of_three(&["a"], &[("a", ">=1.0.0"), ("b", ">=1.0.0"), ("c", ">=1.0.0")], "partial (1 of 3)", "0 proven, 1 partial (C01 1 of 3)")]
#[case::all(&["a", "b"], &[("a", ">=1.0.0"), ("b", ">=1.0.0")], "proven (2 of 2 scenarios)", "1 proven")]
#[case::all_of_the_release(&["a"], &[("a", ">=1.0.0"), ("b", ">=1.7.0")], "proven (1 of 1 scenarios)", "1 proven")]
#[case::of_an_unknown_number(&["a"], &[], "partial (1 of 1)", "0 proven, 1 partial (C01 1 of 1)")]
fn a_filter_never_makes_a_rule_look_proven(
    #[case] names: &[&str],
    #[case] scenarios: &[(&str, &str)],
    #[case] verdict: &str,
    #[case] summary: &str,
) {
    let run = passed(names, scenarios);
    let line = format!("rules: {summary}, 22 not run");
    assert_eq!(summaries(&rule_results(&run)), [line.as_str()]);
    assert!(render_text(&run, false).contains(&line));
    let row = format!("| C01 | The generated command | 1.6.2 | 2.52.0 | {verdict} |");
    let markdown = render_markdown(&run);
    assert!(markdown.contains(&row) && markdown.contains(&line), "{markdown}");
    let folder = tempfile::tempdir().unwrap();
    write_all(&run, folder.path()).unwrap();
    let html = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(html.contains(&format!("<td>{verdict}</td>")), "{html}");
}

/// What its range leaves out is told as skipped, and is no scenario of the release.
#[test]
fn a_scenario_that_is_not_for_a_release_is_not_counted_there() {
    let mut run = passed(&["a", "b"], &[("a", ">=1.0.0"), ("b", ">=1.7.0")]);
    run.cells[1].outcome = Outcome::Skipped;
    let results = rule_results(&run);
    assert_eq!(results[0].outcome, RuleOutcome::Proven);
    let results = serde_json::to_value(&results).unwrap();
    assert_eq!(
        (&results[0]["passed"], &results[0]["scenarios"]),
        (&json!(1), &json!(1))
    );
}
