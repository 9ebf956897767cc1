use assertables::{assert_contains, assert_starts_with};
use rstest::rstest;

use super::*;

fn job(entrypoint: &str, status: &str) -> Check {
    check(json!({ "job": { "entrypoint": entrypoint, "status": status } }))
}

/// The jobs of the dashboard.
fn jobs(observation: &mut Observation) -> &mut Vec<DashboardJob> {
    &mut observation.dashboard.as_mut().unwrap().jobs
}

#[rstest]
#[case(&SOLUTION_1)]
#[case(&POST_START)]
#[case(&OLD_SOLUTION_1)]
#[case(&OLD_POST_START)]
fn the_jobs_of_the_guide_pass(#[case] capture: &Capture) {
    let finding = passes(judge(&job(ENTRYPOINT, "SUCCEEDED"), &observe(capture)));
    assert_starts_with!(finding.message, "the only job is SUCCEEDED");
    assert_starts_with!(finding.found.unwrap(), "SUCCEEDED python -c");
}

#[rstest]
#[case::one_space(ENTRYPOINT.replace("ray; ray", "ray;  ray"), 24)]
#[case::other_quotes(ENTRYPOINT.replace('"', "'"), 11)]
#[case::longer(format!("{ENTRYPOINT} "), 67)]
fn another_entrypoint_fails_with_a_difference(#[case] expected: String, #[case] character: usize) {
    let verdict = judge(&job(&expected, "SUCCEEDED"), &observe(&POST_START));
    let finding = fails(
        verdict,
        &format!("another entrypoint; it differs from character {character} on"),
    );
    let diff = finding.diff.unwrap();
    assert!(
        diff.contains(&format!("-{expected}\n+{ENTRYPOINT}\n")),
        "{diff}"
    );
    assert_eq!(finding.expected, Some(expected));
    assert_eq!(finding.found, Some(ENTRYPOINT.into()));
}

#[rstest]
#[case("FAILED", "the job ended FAILED instead of SUCCEEDED: no raylet")]
#[case("STOPPED", "the job ended STOPPED instead of SUCCEEDED")]
fn another_final_status_fails(#[case] status: &str, #[case] message: &str) {
    let mut observation = observe(&POST_START);
    jobs(&mut observation)[0].status = status.into();
    jobs(&mut observation)[0].message = Some("no raylet\n".into());
    fails(judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation), message);
}

#[test]
fn a_status_on_the_way_is_waited_for_and_one_that_is_past_is_not() {
    let mut observation = observe(&POST_START);
    fails(
        judge(&job(ENTRYPOINT, "RUNNING"), &observation),
        "ended SUCCEEDED instead of RUNNING",
    );
    jobs(&mut observation)[0].status = "RUNNING".into();
    waits(
        judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation),
        "waits for the job to be SUCCEEDED; it is RUNNING",
    );
}

/// A second job of the entrypoint may be the one that is awaited.
#[test]
fn the_job_that_has_the_status_counts() {
    let two =
        check(json!({ "job": { "entrypoint": ENTRYPOINT, "status": "SUCCEEDED", "count": 2 } }));
    let mut observation = observe(&POST_START);
    let first = DashboardJob {
        status: "FAILED".into(),
        ..jobs(&mut observation)[0].clone()
    };
    jobs(&mut observation).insert(0, first);
    passes(judge(&two, &observation));
}

#[test]
fn one_of_several_jobs_is_waited_for_while_there_is_room() {
    let two = check(json!({ "job": { "entrypoint": "other", "status": "SUCCEEDED", "count": 2 } }));
    let mut observation = observe(&POST_START);
    waits(
        judge(&two, &observation),
        "waits for the job; the dashboard lists 1 job",
    );
    let again = jobs(&mut observation)[0].clone();
    jobs(&mut observation).push(again);
    fails(judge(&two, &observation), "another entrypoint");
}

#[test]
fn the_number_of_jobs_counts() {
    let two =
        check(json!({ "job": { "entrypoint": ENTRYPOINT, "status": "SUCCEEDED", "count": 2 } }));
    let mut observation = observe(&POST_START);
    waits(
        judge(&two, &observation),
        "waits for 2 jobs in all; the dashboard lists 1 job",
    );
    let other = DashboardJob {
        entrypoint: "sleep 1".into(),
        ..jobs(&mut observation)[0].clone()
    };
    jobs(&mut observation).insert(0, other);
    let one = passes(judge(&two, &observation));
    assert_starts_with!(one.message, "one of 2 jobs is SUCCEEDED");
    let finding = fails(
        judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation),
        "lists 2 jobs instead of 1",
    );
    assert_eq!(finding.found.unwrap().lines().count(), 2);
    jobs(&mut observation).clear();
    waits(
        judge(&two, &observation),
        "waits for the job; the dashboard lists none",
    );
    observation.dashboard = None;
    waits(judge(&two, &observation), "the dashboard has not answered");
}

#[test]
fn a_job_elsewhere_fails() {
    let mut observation = observe(&POST_START);
    observation.pods[0].status.as_mut().unwrap().pod_ip = Some("10.244.0.70".into());
    fails(
        judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation),
        "ran on node 10.244.0.7, not on that of the head Pod (10.244.0.70)",
    );
    jobs(&mut observation)[0].driver_info = None;
    waits(
        judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation),
        "waits for the node of the job",
    );
}

/// An entrypoint that was submitted need not connect to Ray; the agent that runs it tells the node.
#[test]
fn a_submitted_job_without_a_driver_is_where_its_agent_is() {
    let mut observation = observe(&POST_START);
    let submitted = &mut jobs(&mut observation)[0];
    submitted.driver_info = None;
    submitted.driver_agent_http_address = Some("http://10.244.0.7:52365".into());
    passes(judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation));
    jobs(&mut observation)[0].driver_agent_http_address = Some("http://10.244.0.9:52365".into());
    fails(
        judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation),
        "ran on node 10.244.0.9",
    );
}

#[test]
fn a_job_may_be_expected_on_a_worker() {
    let on = |node: Value| {
        check(json!({ "job": { "entrypoint": ENTRYPOINT, "status": "SUCCEEDED", "node": node } }))
    };
    let mut observation = observe(&OVERWRITE);
    observation.dashboard.as_mut().unwrap().jobs = observe(&POST_START).dashboard.unwrap().jobs;
    let driver = jobs(&mut observation)[0].driver_info.as_mut().unwrap();
    driver.node_ip_address = Some("10.244.0.10".into());
    jobs(&mut observation)[0].start_time = Some(time(NOW).as_millisecond());
    let finding = passes(judge(&on(json!({ "role": "worker" })), &observation));
    assert_contains!(
        finding.message,
        "on the node of the worker Pod, started after that"
    );
    fails(
        judge(&on(json!({ "role": "head" })), &observation),
        "ran on node 10.244.0.10, not on that of the head Pod (10.244.0.9)",
    );
    waits(
        judge(
            &on(json!({ "role": "worker", "group": "other" })),
            &observation,
        ),
        "no worker Pod of group other yet",
    );
}

#[rstest]
#[case::long_before(1_795_411_800_000, false)]
#[case::a_moment_before(1_795_411_892_999, false)]
#[case::in_the_same_second(1_795_411_893_000, true)]
fn a_job_of_an_earlier_head_fails(#[case] started: i64, #[case] holds: bool) {
    assert_eq!(time(POST_START.started).as_millisecond(), 1_795_411_893_000);
    let mut observation = observe(&POST_START);
    jobs(&mut observation)[0].start_time = Some(started);
    let verdict = judge(&job(ENTRYPOINT, "SUCCEEDED"), &observation);
    if holds {
        passes(verdict);
    } else {
        fails(verdict, "before the head Pod (2026-11-23T05:31:33Z)");
    }
}
