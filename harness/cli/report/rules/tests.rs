use assertables::{assert_contains, assert_not_contains};
use rstest::rstest;

use serde_json::json;

use super::*;
use crate::report::{example, render_markdown, render_text, write_all};

const OBJECT: &[Layer] = &[Layer::Spec];
const EFFECT: &[Layer] = &[Layer::Runtime];
const BOTH: &[Layer] = &[Layer::Spec, Layer::Runtime];

/// What becomes of a rule by cases with these layers and endings.
fn outcome(rule: &str, cases: &[(&[Layer], Outcome)]) -> RuleOutcome {
    let like = example::run().cases.remove(0);
    let case = |(layers, outcome): &(&[Layer], Outcome)| CaseResult {
        rules: vec![rule.into()],
        layers: layers.to_vec(),
        outcome: *outcome,
        ..like.clone()
    };
    let run = RunResult {
        cases: cases.iter().map(case).collect(),
        ..example::run()
    };
    let results = rule_results(&run);
    if cases.is_empty() {
        assert_eq!(results, [], "no pair, no result");
        return RuleOutcome::NotRun;
    }
    results
        .iter()
        .find(|result| result.rule == rule)
        .unwrap()
        .outcome
}

#[rstest]
#[case::nothing(&[], RuleOutcome::NotRun)]
#[case::one_layer(&[(OBJECT, Outcome::Passed)], RuleOutcome::Partial)]
#[case::the_other_layer(&[(EFFECT, Outcome::Passed)], RuleOutcome::Partial)]
#[case::both_by_one_case(&[(BOTH, Outcome::Passed)], RuleOutcome::Proven)]
#[case::both_by_two(&[(OBJECT, Outcome::Passed), (EFFECT, Outcome::Passed)], RuleOutcome::Proven)]
#[case::one_layer_skipped(&[(OBJECT, Outcome::Passed), (EFFECT, Outcome::Skipped)], RuleOutcome::Partial)]
#[case::a_failure_beside(&[(BOTH, Outcome::Passed), (OBJECT, Outcome::Failed)], RuleOutcome::Failed)]
#[case::an_error_beside(&[(BOTH, Outcome::Passed), (OBJECT, Outcome::Error)], RuleOutcome::Failed)]
#[case::only_skipped(&[(BOTH, Outcome::Skipped)], RuleOutcome::NotRun)]
fn a_rule_is_proven_by_all_of_its_layers(
    #[case] cases: &[(&[Layer], Outcome)],
    #[case] expected: RuleOutcome,
) {
    assert_eq!(outcome("C03", cases), expected);
}

#[test]
fn a_rule_without_an_effect_needs_none() {
    assert_eq!(
        outcome("C12", &[(OBJECT, Outcome::Passed)]),
        RuleOutcome::Proven
    );
    assert_eq!(
        outcome("C12", &[(EFFECT, Outcome::Passed)]),
        RuleOutcome::NotRun
    );
    assert_eq!(
        outcome("C12", &[(EFFECT, Outcome::Failed)]),
        RuleOutcome::Failed
    );
}

#[test]
fn the_summary_names_what_is_missing() {
    let results = rule_results(&example::run());
    assert_eq!(
        summaries(&results),
        ["rules: 0 proven, 1 partial (C07 1 of 1 without runtime), 3 failed (C01, C02, C14)"]
    );
    let mut run = example::run();
    run.cases.truncate(1);
    let results = rule_results(&run);
    assert_eq!(
        summaries(&results),
        ["rules: 0 proven, 2 partial (C01 1 of 2, C02 1 of 2)"]
    );
}

/// The spec layer comes from the target without Ray, the runtime layer from kind, where each pair
/// shows its own.
#[test]
fn what_one_pair_has_shown_is_not_known_of_another() {
    let like = example::run().cases.remove(0);
    let case = |target, operator: &str, ray: &str, layers: &[Layer], outcome| CaseResult {
        target,
        operator: operator.into(),
        ray: ray.into(),
        rules: vec!["C03".into()],
        layers: layers.to_vec(),
        outcome,
        ..like.clone()
    };
    let cases = [
        case(
            TargetKind::Envtest,
            "1.5.1",
            "2.52.0",
            OBJECT,
            Outcome::Passed,
        ),
        case(
            TargetKind::Envtest,
            "1.0.0",
            "2.52.0",
            OBJECT,
            Outcome::Passed,
        ),
        case(TargetKind::Kind, "1.0.0", "2.7.0", EFFECT, Outcome::Passed),
        case(TargetKind::Kind, "1.0.0", "2.6.3", EFFECT, Outcome::Skipped),
        case(TargetKind::Kind, "1.6.2", "2.52.0", EFFECT, Outcome::Passed),
    ];
    let run = RunResult {
        cases: cases.into(),
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
            "rules on 1.0.0/2.7.0: 1 proven",
            "rules on 1.0.0/2.6.3: 0 proven, 1 partial (C03 1 of 1 without runtime)",
        ]
    );
}

/// A run in which these scenarios of C01 passed on 1.6.2, out of all that `scenarios` lists with
/// their ranges.
fn passed(names: &[&str], scenarios: &[(&str, &str)]) -> RunResult {
    let mut run = example::run();
    let like = run.cases.remove(0);
    let case = |name: &&str| CaseResult {
        id: format!("kind::1.6.2::2.52.0::{name}"),
        scenario: (*name).into(),
        rules: vec!["C01".into()],
        ..like.clone()
    };
    run.cases = names.iter().map(case).collect();
    let mut run = serde_json::to_value(run).unwrap();
    let record = |(name, operator): &(&str, &str)| json!({"name": name, "rules": ["C01"], "target": "kind", "operator": operator, "ray": ">=2.0.0"});
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
    let mut run = passed(names, scenarios);
    let line = format!("rules: {summary}");
    assert_eq!(summaries(&rule_results(&run)), [line.as_str()]);
    // A run that asked for rules says what came of them; another one says what it proved.
    let proven = summary == "1 proven";
    assert_eq!(render_text(&run, false).contains("rules:"), proven);
    run.selected_rules = vec!["C01".into()];
    assert_contains!(render_text(&run, false), &line);
    run.selected_rules = vec!["C02".into()];
    assert_not_contains!(render_text(&run, false), "rules:");
    let row = format!("| C01 | The generated command | 1.6.2 | 2.52.0 | {verdict} |");
    let markdown = render_markdown(&run);
    assert!(markdown.contains(&row), "{markdown}");
    assert!(markdown.contains(&line), "{markdown}");
    let folder = tempfile::tempdir().unwrap();
    write_all(&run, folder.path()).unwrap();
    let html = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(html.contains(&format!("title=\"{verdict}\"")), "{html}");
}

/// What its range leaves out is told as skipped, and is no scenario of the release.
#[test]
fn a_scenario_that_is_not_for_a_release_is_not_counted_there() {
    let mut run = passed(&["a", "b"], &[("a", ">=1.0.0"), ("b", ">=1.7.0")]);
    run.cases[1].outcome = Outcome::Skipped;
    let results = rule_results(&run);
    assert_eq!(results[0].outcome, RuleOutcome::Proven);
    let results = serde_json::to_value(&results).unwrap();
    assert_eq!(&results[0]["passed"], &json!(1));
    assert_eq!(&results[0]["scenarios"], &json!(1));
}
