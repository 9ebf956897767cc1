//! Tests of `owner`.

use rstest::rstest;

use super::has_ended;

/// No process has this number: Linux gives at most 2²² of them.
const NEVER: &str = "1125-060000-7fffffff";

#[rstest]
#[case::dead(Some("machine-a"), Some(NEVER), "machine-a", true)]
#[case::dead_on_another_machine(Some("machine-b"), Some(NEVER), "machine-a", false)]
#[case::of_nobody(None, Some(NEVER), "machine-a", false)]
#[case::alive(Some("machine-a"), Some("1125-060000-1"), "machine-a", false)]
#[case::no_run(Some("machine-a"), Some("what"), "machine-a", false)]
#[case::same_shard(Some("job-j-1"), Some("1125-060000-1"), "job-j-1", true)]
#[case::another_shard(Some("job-j-2"), Some("1125-060000-1"), "job-j-1", false)]
fn only_what_ended_runs_of_the_same_owner_left(
    #[case] made_by: Option<&str>,
    #[case] run: Option<&str>,
    #[case] here: &str,
    #[case] expected: bool,
) {
    assert_eq!(has_ended(made_by, run, here, 7), expected);
}

#[test]
fn a_number_is_given_again() {
    assert!(has_ended(Some("machine-a"), Some("1125-060000-1"), "machine-a", 1));
}
