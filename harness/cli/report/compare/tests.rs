use assertables::assert_contains;

use super::*;
use crate::report::example;

/// The mixed run, and one in which every list has a case.
fn pair() -> (RunResult, RunResult) {
    let old = example::run();
    let mut new = example::run();
    new.run_id = "20261103-090000-77aa".into();
    new.cases[0].outcome = Outcome::Failed;
    new.cases[0].reason = Some("pod head: head.args differs".into());
    new.cases[1].outcome = Outcome::Passed;
    new.cases[1].reason = None;
    new.cases[3].duration_seconds = 60.0;
    new.cases[5].id = "kind::1.6.2::2.52.0::another".into();
    new.cases[5].outcome = Outcome::Passed;
    (old, new)
}

fn ids(list: &[CaseDifference]) -> Vec<&str> {
    let last = |case: &'_ CaseDifference| case.id.rsplit("::").next().unwrap_or_default().len();
    list.iter()
        .map(|case| &case.id[case.id.len() - last(case)..])
        .collect()
}

#[test]
fn each_case_is_in_the_list_that_it_belongs_to() {
    let (old, new) = pair();
    let comparison = compare(&old, &new);
    assert!(comparison.is_worse());
    assert_eq!(ids(&comparison.newly_failing), ["before-ray-start"]);
    assert_eq!(ids(&comparison.fixed), ["solution-2-post-start"]);
    assert_eq!(ids(&comparison.slower), ["overwrite-annotation"]);
    assert_eq!(ids(&comparison.added), ["another"]);
    assert_eq!(ids(&comparison.gone), ["head-command-sample"]);
    assert_eq!(comparison.still_failing, 1);
    insta::assert_snapshot!("text_of_a_comparison", comparison.text(false));
    insta::assert_snapshot!("markdown_of_a_comparison", comparison.markdown());
}

#[test]
fn a_run_that_judged_nothing_or_was_cut_short_says_nothing() {
    let old = example::run();
    assert_eq!(compare(&old, &old).says_nothing(), None);
    let mut cut = example::run();
    cut.interrupted = Some("the run was interrupted".into());
    assert_contains!(
        compare(&old, &cut).says_nothing().unwrap(),
        "did not complete"
    );
    let mut none = example::run();
    none.cases.clear();
    assert_contains!(compare(&old, &none).says_nothing().unwrap(), "no case");
    let mut skipped = example::run();
    for case in &mut skipped.cases {
        case.outcome = Outcome::Skipped;
    }
    assert_contains!(compare(&old, &skipped).says_nothing().unwrap(), "no case");
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let run = example::run();
    let comparison = compare(&run, &run);
    assert!(!comparison.is_worse());
    assert_eq!(
        comparison.summary(),
        "0 newly failing, 0 fixed, 3 still failing"
    );
}

#[test]
fn a_new_case_that_fails_is_newly_failing_and_a_provisional_one_does_not_count() {
    let (mut old, new) = (example::run(), example::run());
    old.cases.retain(|case| !case.outcome.is_bad());
    let comparison = compare(&old, &new);
    assert_eq!(comparison.newly_failing.len(), 3);
    let (old, mut new) = (old, new);
    new.cases
        .retain(|case| !case.outcome.is_bad() || case.is_provisional_failure());
    let comparison = compare(&old, &new);
    assert_eq!(comparison.newly_failing.len(), 1);
    assert!(!comparison.is_worse());
}

#[test]
fn a_verdict_that_is_gone_is_listed() {
    let (old, mut new) = (example::run(), example::run());
    new.cases[0].outcome = Outcome::Skipped;
    new.cases[3].outcome = Outcome::New;
    let comparison = compare(&old, &new);
    assert_eq!(comparison.without_verdict.len(), 2);
    assert!(!comparison.is_worse());
}

#[test]
fn runs_of_different_releases_are_matched_by_scenario() {
    let (old, mut new) = (example::run(), example::run());
    for case in &mut new.cases {
        case.operator = "1.7.0".into();
        case.id = case.id.replace("1.6.2", "1.7.0");
    }
    let comparison = compare(&old, &new);
    assert!(comparison.by_scenario);
    assert_eq!(comparison.added.len(), 0);
    assert_eq!(comparison.gone.len(), 0);
    assert_contains!(comparison.text(false), "matched by scenario");
}
