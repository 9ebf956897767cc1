//! Tests of the commands for Jobs.

use rstest::rstest;

use super::*;
use crate::report::{Outcome, example};

/// A failed scenario is what a Pod was to find out.
#[rstest]
#[case::a_pass(&[Outcome::Passed], None, PASSED)]
#[case::a_failure(&[Outcome::Passed, Outcome::Failed], None, PASSED)]
#[case::an_error(&[Outcome::Passed, Outcome::Error], None, ENVIRONMENT)]
#[case::nothing_judged(&[Outcome::Skipped, Outcome::Skipped], None, ENVIRONMENT)]
#[case::cut_short(&[Outcome::Passed], Some("Ctrl-C"), ENVIRONMENT)]
fn a_pod_of_a_job_fails_where_it_has_proved_nothing(
    #[case] outcomes: &[Outcome],
    #[case] interrupted: Option<&str>,
    #[case] code: u8,
) {
    let mut run = example::run();
    let case = run.cases[0].clone();
    run.cases = outcomes
        .iter()
        .map(|outcome| {
            let mut case = case.clone();
            case.outcome = *outcome;
            case
        })
        .collect();
    run.interrupted = interrupted.map(Into::into);
    assert_eq!(exit_code_of_pod(&run), code);
}
