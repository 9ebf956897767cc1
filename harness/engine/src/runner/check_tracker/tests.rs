use std::collections::BTreeMap;
use std::time::Duration;

use super::CheckTracker;
use crate::check::{Finding, Verdict};
use crate::results::Outcome;
use crate::scenario::{Milestone, Scenario, load};

fn scenario() -> (tempfile::TempDir, Scenario) {
    scenario_with("")
}

fn scenario_with(further_checks: &str) -> (tempfile::TempDir, Scenario) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("two-checks");
    std::fs::create_dir(&folder).expect("a folder");
    let text = "\
apiVersion: kuberay-conformance/v1beta1
kind: Scenario
metadata: {name: two-checks}
spec:
  description: Two checks.
  manifests: [raycluster.yaml]
  checks:
    - logs: {role: head, lines: [{must: a line}]}
    - ray: {nodes: 1}
";
    std::fs::write(
        folder.join("scenario.yaml"),
        format!("{text}{further_checks}"),
    )
    .expect("a file");
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\n";
    std::fs::write(folder.join("raycluster.yaml"), manifest).expect("a file");
    let scenario = load(&folder).expect("a scenario");
    (root, scenario)
}

fn finding(message: &str) -> Finding {
    Finding {
        message: message.into(),
        ..Finding::default()
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn only_what_waits_for_nothing_but_time_lets_another_begin() {
    let (_root, scenario) =
        scenario_with("    - never: {restarts: {role: head}, after: rayReady, for: 10s}\n");
    let mut tracker = CheckTracker::new(&scenario);
    let ready = BTreeMap::from([(Milestone::RayReady, jiff::Timestamp::UNIX_EPOCH)]);
    assert!(
        !tracker.only_watches(&ready),
        "other checks have no verdict"
    );
    tracker.take(0, Verdict::Pass(finding("")), at(1));
    tracker.take(1, Verdict::Pass(finding("")), at(1));
    assert!(
        !tracker.only_watches(&BTreeMap::new()),
        "its time has not begun"
    );
    assert!(tracker.only_watches(&ready));
    tracker.take(2, Verdict::Pass(finding("")), at(11));
    assert!(!tracker.only_watches(&ready), "nothing is left");
}

#[test]
fn a_pass_is_final_but_logs_may_take_it_back() {
    let (_root, scenario) = scenario();
    let mut tracker = CheckTracker::new(&scenario);
    for index in [0, 1] {
        tracker.take(index, Verdict::Pass(finding("fine")), at(1));
    }
    assert!(tracker.finished());
    let open: Vec<_> = tracker.open().into_iter().map(|(index, _)| index).collect();
    assert_eq!(open, [0], "only logs are looked at again");
    tracker.take(0, Verdict::NotYet(finding("not any more?")), at(2));
    assert_eq!(tracker.results()[0].outcome, Outcome::Passed);
    tracker.take(
        0,
        Verdict::Never(finding("a line that must not be there")),
        at(3),
    );
    let result = &tracker.results()[0];
    assert_eq!(result.outcome, Outcome::Failed);
    assert_eq!(result.message.as_str(), "a line that must not be there");
}

#[test]
fn at_the_deadline_each_check_says_what_it_waited_for_and_how_long() {
    let (_root, mut scenario) = scenario();
    scenario.timeout = at(10);
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(0, Verdict::NotYet(finding("awaiting the head Pod.")), at(1));
    tracker.take(0, Verdict::NotYet(finding("awaiting the line a.")), at(4));
    tracker.take(0, Verdict::NotYet(finding("awaiting the line a.")), at(9));
    tracker.expire(at(9), &[]);
    assert_eq!(tracker.unfinished().count(), 2, "the limit is not reached");
    tracker.expire(at(10), &["the dashboard does not answer".to_owned()]);
    let result = &tracker.results()[0];
    assert_eq!(
        result.message,
        "awaiting the line a (given up at the scenario's limit of 10s; unchanged for 6.0 s); \
         the dashboard does not answer"
    );
    assert_eq!(result.outcome, Outcome::Failed);
    assert_eq!(result.name.as_str(), "logs head");
    assert_eq!(result.location.line, 8);
}

#[test]
fn a_check_may_have_a_limit_of_its_own() {
    let (_root, scenario) =
        scenario_with("    - state: {role: head, running: true, within: 20s}\n");
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(2, Verdict::NotYet(finding("awaiting the head Pod")), at(1));
    assert_eq!(tracker.next_limit(), Some(at(20)));
    tracker.expire(at(19), &[]);
    assert_eq!(tracker.unfinished().count(), 3);
    tracker.expire(at(20), &["the operator was started again".into()]);
    let result = &tracker.results()[2];
    assert_eq!(result.outcome, Outcome::Failed);
    assert_eq!(
        result.message,
        "awaiting the head Pod (given up at the check's limit of 20s; unchanged for 19.0 s); the operator was started again"
    );
    assert_eq!(tracker.unfinished().count(), 2, "the others go on");
    assert_eq!(
        tracker.next_limit(),
        Some(scenario.timeout),
        "the others go on"
    );
}

#[test]
fn a_state_that_cant_get_better_gives_its_cause_to_all_that_wait() {
    let (_root, scenario) = scenario();
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(1, Verdict::Pass(finding("fine")), at(1));
    tracker.take(0, Verdict::NotYet(finding("awaiting the line a")), at(1));
    tracker.terminal(at(2), &finding("the image is not there."));
    let results = tracker.results();
    assert_eq!(
        results[0].message,
        "the image is not there (the check can no longer hold; it waited for: awaiting the line a)"
    );
    assert_eq!(
        results[1].outcome,
        Outcome::Passed,
        "what passed stays passed"
    );
}

#[test]
fn what_waits_for_a_milestone_that_cant_come_ends_with_it() {
    let (_root, scenario) =
        scenario_with("    - never: {for: 5s, after: rayReady, restarts: {role: head}}\n");
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(2, Verdict::NotYet(finding("awaiting `rayReady`")), at(1));
    tracker.block(at(2), &BTreeMap::new());
    assert_eq!(tracker.unfinished().count(), 3, "nothing has failed");
    tracker.take(1, Verdict::Never(finding("two nodes")), at(3));
    let reached = BTreeMap::from([(
        crate::scenario::Milestone::RayReady,
        jiff::Timestamp::UNIX_EPOCH,
    )]);
    tracker.block(at(3), &reached);
    assert_eq!(tracker.unfinished().count(), 2, "it was reached before");
    tracker.block(at(4), &BTreeMap::new());
    let result = &tracker.results()[2];
    assert_eq!(result.outcome, Outcome::Failed);
    assert_eq!(
        result.message,
        "`rayReady` can't be reached, because `ray 1 node` failed (awaiting `rayReady`)"
    );
    assert_eq!(
        tracker.unfinished().count(),
        1,
        "the log waits for nothing of it"
    );
}

#[test]
fn why_checks_were_interrupted_is_shown_once() {
    let (_root, scenario) = scenario();
    let mut tracker = CheckTracker::new(&scenario);
    tracker.interrupt_with(at(2), "the operator does not run", Some("panic".into()));
    let results = tracker.results();
    assert_eq!(
        results[0].message,
        "the operator does not run; last seen: nothing observed yet"
    );
    assert_eq!(results[0].found.as_deref(), Some("panic"));
    assert_eq!(results[1].found, None);
}

#[test]
fn an_interrupted_check_is_an_error_and_not_a_failure() {
    let (_root, scenario) = scenario();
    let mut tracker = CheckTracker::new(&scenario);
    tracker.interrupt(at(2), "the run was interrupted");
    for result in tracker.results() {
        assert_eq!(result.outcome, Outcome::Error, "{result:?}");
    }
}

#[test]
fn the_last_check_does_not_pass_before_the_steps_are_taken() {
    let (_root, mut scenario) = scenario();
    scenario.timeout = at(10);
    let mut tracker = CheckTracker::new(&scenario);
    let left = "the steps wait for the RayCluster";
    tracker.take_before_steps(0, Verdict::Pass(finding("the line")), at(1), left);
    assert_eq!(tracker.unfinished().count(), 1, "the first passes as it is");
    tracker.take_before_steps(1, Verdict::Pass(finding("one node")), at(2), left);
    assert!(!tracker.finished());
    tracker.expire(at(10), &[]);
    let result = &tracker.results()[1];
    assert_eq!(result.outcome, Outcome::Failed);
    assert_eq!(
        result.message,
        "the steps wait for the RayCluster (the check itself holds: one node) \
         (given up at the scenario's limit of 10s; unchanged for 8.0 s)"
    );
}

#[test]
fn a_case_that_fails_waits_for_no_steps() {
    let (_root, scenario) = scenario();
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(0, Verdict::Never(finding("wrong")), at(1));
    tracker.take_before_steps(1, Verdict::Pass(finding("one node")), at(2), "steps");
    assert!(tracker.finished());
}

/// It may come long before the steps are taken.
#[test]
fn a_limit_of_the_check_itself_does_not_end_the_wait_for_the_steps() {
    let (_root, mut scenario) = scenario();
    scenario.timeout = at(10);
    let mut tracker = CheckTracker::new(&scenario);
    tracker.take(0, Verdict::Pass(finding("the line")), at(1));
    tracker.limits[1] = at(5);
    tracker.take_before_steps(1, Verdict::Pass(finding("one node")), at(2), "steps");
    assert_eq!(tracker.next_limit(), Some(at(10)));
}
