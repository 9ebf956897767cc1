//! Tests of `owner`.

use rstest::rstest;

use super::{has_ended, process};
use crate::process::ProcessIdentity;

/// The record of this process, changed by a test.
fn record(change: impl FnOnce(&mut ProcessIdentity)) -> String {
    let mut identity = ProcessIdentity::current().clone();
    change(&mut identity);
    serde_json::to_string(&identity).expect("JSON")
}

/// The record of a process that has ended: Linux gives at most 2²² ids.
fn ended() -> String {
    record(|identity| identity.pid = 0x7fff_ffff)
}

#[rstest]
#[case::dead(Some("machine-a"), Some(ended()), "machine-a", true)]
#[case::pid_given_again(Some("machine-a"), Some(record(|identity| identity.started -= 1)), "machine-a", true)]
#[case::dead_on_another_machine(Some("machine-b"), Some(ended()), "machine-a", false)]
#[case::of_nobody(None, Some(ended()), "machine-a", false)]
#[case::alive(Some("machine-a"), Some(process()), "machine-a", false)]
#[case::no_process(Some("machine-a"), None, "machine-a", false)]
#[case::not_a_process(Some("machine-a"), Some("what".into()), "machine-a", false)]
#[case::same_shard(Some("job-j-1"), Some(process()), "job-j-1", true)]
#[case::another_shard(Some("job-j-2"), Some(ended()), "job-j-1", false)]
fn only_what_ended_runs_of_the_same_owner_left(
    #[case] made_by: Option<&str>,
    #[case] process: Option<String>,
    #[case] here: &str,
    #[case] expected: bool,
) {
    assert_eq!(has_ended(made_by, process.as_deref(), here), expected);
}

#[test]
fn a_run_in_another_container_of_the_same_image_has_not_ended() {
    // Both containers have the same machine id and hostname, hence the same owner, and the PID is
    // free in this one.
    let elsewhere = record(|identity| {
        identity.namespace = "pid:[4026532999]".into();
        identity.pid = 0x7fff_ffff;
    });
    assert!(!has_ended(Some("machine-a"), Some(&elsewhere), "machine-a"));
}
