//! Which milestone was reached first.

use rstest::rstest;

use super::*;

/// The verdict, with the milestones `ready` and `rayReady` reached at these seconds.
fn verdict(fields: &Value, ready: Option<i64>, ray_ready: Option<i64>) -> Verdict {
    let start = time(NOW);
    let at = |milestone, seconds: Option<i64>| {
        seconds.map(|seconds| (milestone, start + seconds.seconds()))
    };
    let observation = Observation {
        milestones: [
            at(Milestone::Ready, ready),
            at(Milestone::RayReady, ray_ready),
        ]
        .into_iter()
        .flatten()
        .collect(),
        ..Observation::default()
    };
    judge(&check(json!({ "reached": fields })), &observation)
}

fn order() -> Value {
    json!({ "first": "ready", "then": "rayReady" })
}

fn apart() -> Value {
    json!({ "first": "ready", "then": "rayReady", "apart": "5s" })
}

#[rstest]
#[case::order(order(), 1)]
#[case::just_far_enough(apart(), 5)]
fn the_order_that_is_expected_passes(#[case] fields: Value, #[case] seconds: i64) {
    let finding = passes(verdict(&fields, Some(0), Some(seconds)));
    assert_eq!(
        finding.message,
        format!("`ready` was reached {seconds}.0 s before `rayReady`")
    );
}

#[rstest]
#[case::none(None, "neither `ready` nor `rayReady` is reached")]
#[case::the_first(Some(0), "`ready` is reached; waits for `rayReady`")]
fn what_is_not_reached_is_waited_for(#[case] ready: Option<i64>, #[case] message: &str) {
    waits(verdict(&order(), ready, None), message);
}

#[rstest]
#[case::the_other_alone(order(), None, Some(0), "`rayReady` was reached, and `ready` is not")]
#[case::the_other_before(
    order(),
    Some(3),
    Some(0),
    "`rayReady` was reached 3.0 s before `ready`"
)]
#[case::together(
    order(),
    Some(0),
    Some(0),
    "`ready` was reached 0.0 s before `rayReady`"
)]
#[case::too_close(
    apart(),
    Some(0),
    Some(4),
    "`ready` was reached 4.0 s before `rayReady`"
)]
#[case::no_duration(
    json!({ "first": "ready", "then": "rayReady", "apart": "soon" }),
    None,
    None,
    "`apart`: `soon` is not a length of time"
)]
fn another_order_fails(
    #[case] fields: Value,
    #[case] ready: Option<i64>,
    #[case] ray_ready: Option<i64>,
    #[case] message: &str,
) {
    fails(verdict(&fields, ready, ray_ready), message);
}
