use rstest::rstest;

use super::{summarise, unrecorded};
use crate::results::{CheckResult, Outcome};
use crate::scenario::results::example;

/// Checks with these endings, each with a message of its own.
fn checks(outcomes: &[Outcome]) -> Vec<CheckResult> {
    let like = example::run().cases.remove(0).checks.remove(0);
    let check = |(index, outcome): (usize, &Outcome)| CheckResult {
        source: None,
        name: format!("check {index}"),
        outcome: *outcome,
        message: outcome.word().to_lowercase(),
        ..like.clone()
    };
    outcomes.iter().enumerate().map(check).collect()
}

#[rstest]
#[case::all_passed(&[Outcome::Passed, Outcome::Passed], Outcome::Passed, None)]
#[case::one_failed(&[Outcome::Passed, Outcome::Failed], Outcome::Failed, Some("check 1: fail"))]
#[case::the_first_of_two(&[Outcome::Failed, Outcome::Failed], Outcome::Failed, Some("check 0: fail"))]
#[case::a_broken_environment(&[Outcome::Passed, Outcome::Error], Outcome::Error, Some("check 1: error"))]
fn a_case_ends_as_its_worst_check(
    #[case] outcomes: &[Outcome],
    #[case] expected: Outcome,
    #[case] reason: Option<&str>,
) {
    assert_eq!(
        summarise(&checks(outcomes)),
        (expected, reason.map(str::to_owned))
    );
}

/// The failure is a verdict, and its difference must stay in the report; only errors are tried
/// again.
#[rstest]
#[case::the_failure_first(&[Outcome::Failed, Outcome::Error], "check 0: fail; not all checks were judged: check 1: error")]
#[case::the_error_first(&[Outcome::Error, Outcome::Failed], "check 1: fail; not all checks were judged: check 0: error")]
fn a_failed_check_stays_a_failure_when_the_environment_breaks_after_it(
    #[case] outcomes: &[Outcome],
    #[case] reason: &str,
) {
    assert_eq!(
        summarise(&checks(outcomes)),
        (Outcome::Failed, Some(reason.to_owned()))
    );
}

#[test]
fn a_snapshot_that_cant_be_recorded_is_an_error_of_the_environment() {
    let mut found = checks(&[Outcome::Passed, Outcome::New]);
    unrecorded(&mut found, &[]);
    assert_eq!(found[1].outcome, Outcome::New);
    unrecorded(&mut found, &["head.args.snap.new: No space left".into()]);
    let (outcome, reason) = summarise(&found);
    assert_eq!(outcome, Outcome::Error);
    assert!(reason.is_some_and(|reason| reason.contains("No space left")));
    assert_eq!(found[0].outcome, Outcome::Passed);
}
