use assertables::assert_contains;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::results::{RunVerdict, Strictness, run_verdict};
use crate::scenario::results::example;

const CASES: [&str; 4] = ["a", "b", "c", "d"];

fn id(name: &str) -> String {
    format!("kind::1.6.2::2.52.0::{name}")
}

/// Results of shard `index` of `count`, or of a whole run, with these cases.
fn source(shard: Option<(u16, u16)>, cases: &[(&str, Outcome)]) -> MergeSource {
    let example = example::run();
    let case = |(name, outcome): &(&str, Outcome)| CaseResult {
        id: id(name),
        scenario: (*name).into(),
        outcome: *outcome,
        reason: None,
        ..example.cases[0].clone()
    };
    let which = shard.map_or("all".into(), |(index, _)| index.to_string());
    MergeSource {
        path: format!("part-{which}/results.json").into(),
        run: RunResult {
            run_id: format!("run-{which}"),
            shard: shard.map(|(index, count)| Shard { index, count }),
            planned: CASES.map(id).into(),
            cases: cases.iter().map(case).collect(),
            interrupted: None,
            ..example
        },
    }
}

/// Results of a run that something stopped.
fn stopped(shard: Option<(u16, u16)>, cases: &[(&str, Outcome)]) -> MergeSource {
    let mut source = source(shard, cases);
    source.run.interrupted = Some("the run was interrupted".into());
    source
}

fn ended(merged: &Merged) -> String {
    let cases = merged.run.cases.iter();
    let ended = cases.map(|case| format!("{}:{}", case.scenario, case.outcome.word()));
    ended.collect::<Vec<_>>().join(" ")
}

fn verdict(merged: &Merged) -> RunVerdict {
    run_verdict(&merged.run, Strictness::default())
}

use Outcome::{Error, Failed, Flaky, Passed, Skipped};

#[test]
fn shards_of_other_builds_are_not_merged() {
    let whole = || source(Some((1, 2)), &[("a", Passed), ("c", Passed)]);
    let other = |change: fn(&mut RunResult)| {
        let mut other = source(Some((2, 2)), &[("b", Passed), ("d", Passed)]);
        change(&mut other.run);
        merge(&[whole(), other])
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(other(|_| ()), Ok(()));
    let of_cluster = other(|run| run.environment.kubernetes = "v9.9.9".into());
    assert_contains!(of_cluster.unwrap_err(), "v9.9.9");
    let of_build = other(|run| run.environment.images[0].digest = "sha256:other".into());
    assert_contains!(of_build.unwrap_err(), "sha256:other");
    let of_rules = other(|run| run.selected_rules = vec!["C01".into()]);
    assert_contains!(of_rules.unwrap_err(), "other rules");
    // A shard without cases of a target knows nothing of it.
    let knows_less = other(|run| run.environment = Environment::default());
    assert_eq!(knows_less, Ok(()));
}

#[test]
fn shards_become_the_whole_in_the_order_of_the_plan() {
    let left_out = ("x", Skipped);
    let merged = merge(&[
        source(Some((2, 2)), &[("b", Passed), ("d", Failed), left_out]),
        source(Some((1, 2)), &[("a", Passed), ("c", Flaky), left_out]),
    ])
    .unwrap();
    assert_eq!(ended(&merged), "a:PASS b:PASS c:FLAKY d:FAIL x:SKIP");
    assert_eq!(merged.run.shard, None);
    assert_eq!(&merged.run.interrupted, &None);
    assert_eq!(merged.run.missing, Vec::<String>::new());
    assert_eq!(merged.notes, Vec::<String>::new());
    assert_eq!(merged.run.run_id, "run-2, run-1");
    assert_eq!(merged.run.phases[0].name, "shard 2/2: cluster");
    assert_eq!(verdict(&merged), RunVerdict::Failed);
}

#[test]
fn a_shard_that_is_missing_is_named_with_its_cases() {
    let merged = merge(&[
        source(Some((1, 3)), &[("a", Passed)]),
        source(Some((3, 3)), &[("d", Passed)]),
    ])
    .unwrap();
    assert_eq!(merged.run.missing, [id("b"), id("c")]);
    assert_eq!(
        merged.run.interrupted.as_deref(),
        Some(
            "2 of 4 planned cases are missing; there are no results of shard 2/3\nkind::1.6.2::2.52.0::b\n\
             kind::1.6.2::2.52.0::c"
        )
    );
    assert_eq!(
        verdict(&merged),
        RunVerdict::Unproven,
        "whatever the others found"
    );
}

/// One that has cases to report and says itself that it did not complete.
#[test]
fn a_shard_that_was_stopped_is_told_and_another_attempt_makes_up_for_it() {
    let first = source(Some((1, 2)), &[("a", Passed), ("b", Passed)]);
    let second = stopped(Some((2, 2)), &[("c", Passed), ("d", Skipped)]);
    let again = source(Some((2, 2)), &[("c", Passed), ("d", Passed)]);
    let merged = merge(&[first.clone(), second.clone()]).unwrap();
    assert_eq!(
        merged.run.interrupted.as_deref(),
        Some(
            "shard 2/2 did not complete: the run was interrupted\n1 of 4 planned cases are missing\n\
             kind::1.6.2::2.52.0::d"
        )
    );
    assert_eq!(ended(&merged).as_str(), "a:PASS b:PASS c:PASS d:SKIP");
    assert_eq!(verdict(&merged), RunVerdict::Unproven);
    for order in [
        [first.clone(), second.clone(), again.clone()],
        [again, second, first],
    ] {
        let merged = merge(&order).unwrap();
        assert_eq!(ended(&merged).as_str(), "a:PASS b:PASS c:PASS d:PASS");
        assert_eq!(verdict(&merged), RunVerdict::Passed);
    }
}

/// Such as one that needs more nodes than there are: one run of all would leave it out just so.
#[test]
fn a_case_that_was_left_out_for_its_own_reason_is_not_missing() {
    let merged = merge(&[
        source(Some((1, 2)), &[("a", Passed), ("b", Skipped)]),
        source(Some((2, 2)), &[("c", Passed), ("d", Passed)]),
    ])
    .unwrap();
    assert_eq!(merged.run.missing.len(), 0);
    assert_eq!(verdict(&merged), RunVerdict::Passed);
}

#[rstest]
#[case::a_verdict_before_none(Skipped, Passed, Passed, false)]
#[case::a_verdict_before_a_broken_environment(Error, Failed, Failed, false)]
#[case::the_worse_of_two(Passed, Failed, Failed, true)]
#[case::flaky_is_worse_than_passed(Passed, Flaky, Flaky, true)]
#[case::failed_is_worse_than_flaky(Flaky, Failed, Failed, true)]
#[case::the_same_twice(Passed, Passed, Passed, false)]
fn a_case_that_is_there_twice_counts_once(
    #[case] one: Outcome,
    #[case] other: Outcome,
    #[case] expected: Outcome,
    #[case] is_told: bool,
) {
    let rest = [("b", Passed), ("c", Passed), ("d", Passed)];
    for (first, second) in [(one, other), (other, one)] {
        let merged = merge(&[
            source(None, &[&[("a", first)], rest.as_slice()].concat()),
            source(Some((1, 1)), &[&[("a", second)], rest.as_slice()].concat()),
        ])
        .unwrap();
        assert_eq!(merged.run.cases.len(), 4);
        assert_eq!(merged.run.cases[0].outcome, expected);
        assert_eq!(
            merged.run.cases[0].reason.is_some(),
            is_told,
            "{:?}",
            merged.run.cases[0].reason
        );
        let word = |outcome: Outcome| outcome.word();
        let better = if expected == first { second } else { first };
        let (here, there) = if expected == first {
            ("all", "1")
        } else {
            ("1", "all")
        };
        let note = format!(
            "{}: {} in part-{here}/results.json, but {} in part-{there}/results.json",
            id("a"),
            word(expected),
            word(better)
        );
        assert_eq!(merged.notes, if is_told { vec![note] } else { vec![] });
    }
}

#[test]
fn what_is_no_part_of_one_plan_is_refused() {
    let one = source(Some((1, 2)), &[("a", Passed)]);
    let refused = |change: &dyn Fn(&mut RunResult)| {
        let mut other = source(Some((2, 2)), &[("c", Passed)]);
        change(&mut other.run);
        merge(&[one.clone(), other]).unwrap_err().to_string()
    };
    let text = refused(&|run| run.planned.push(id("new")));
    assert!(
        text.contains("part-1/results.json and part-2/results.json are results of different plans"),
        "{text}"
    );
    assert!(
        text.contains("only one has kind::1.6.2::2.52.0::new"),
        "{text}"
    );
    let text = refused(&|run| run.planned.reverse());
    assert!(text.contains("the order of cases"), "{text}");
    let text = refused(&|run| run.harness = "9.9.9".into());
    assert!(text.contains("harness 0.1.0 and 9.9.9"), "{text}");
    let text = refused(&|run| run.shard = Some(Shard { index: 2, count: 3 }));
    assert!(text.contains("shard 1/2 and shard 2/3"), "{text}");
    let text = refused(&|run| run.planned.clear());
    assert!(
        text.starts_with("part-2/results.json does not record the plan of its run"),
        "{text}"
    );
    let text = refused(&|run| run.missing = vec![id("a")]);
    assert!(
        text.starts_with("part-2/results.json is a merged report that lacks cases"),
        "{text}"
    );
    assert_contains!(merge(&[]).unwrap_err().to_string(), "no results to merge");
}

#[test]
fn the_time_is_from_the_first_beginning_to_the_last_end() {
    let mut first = source(Some((1, 2)), &[]);
    first.run.started = "2026-11-02T10:15:00Z".into();
    first.run.duration_seconds = 100.0;
    let mut second = source(Some((2, 2)), &[]);
    second.run.started = "2026-11-02T10:14:50Z".into();
    second.run.duration_seconds = 20.0;
    let merged = merge(&[first, second]).unwrap();
    assert_eq!(merged.run.started, "2026-11-02T10:14:50Z");
    assert!(
        (merged.run.duration_seconds - 110.0).abs() < 1e-9,
        "{}",
        merged.run.duration_seconds
    );
}

#[test]
fn of_many_missing_cases_the_first_are_named() {
    let mut one = source(Some((1, 2)), &[]);
    one.run.planned = (0..30).map(|number| id(&format!("s{number:02}"))).collect();
    let text = merge(&[one]).unwrap().run.interrupted.unwrap();
    assert!(text.ends_with("::s19\nand 10 more"), "{text}");
}

#[test]
fn merging_results_whose_cases_were_all_skipped_for_lack_of_room_exits_3() {
    let sources = [("a", "b", 1), ("c", "d", 2)].map(|(one, other, shard)| {
        let mut source = source(Some((shard, 2)), &[(one, Skipped), (other, Skipped)]);
        for case in &mut source.run.cases {
            case.no_capacity = true;
        }
        source
    });
    let merged = merge(&sources).unwrap();
    assert_eq!(merged.run.missing.len(), 0);
    assert_eq!(merged.run.interrupted.as_deref(), None);
    assert_eq!(verdict(&merged), RunVerdict::Unproven);
}

/// A run that was cut short has them as errors; none of them has a verdict.
#[test]
fn cases_that_ran_when_their_run_was_cut_short_are_missing() {
    let mut source = stopped(
        None,
        &[("a", Passed), ("b", Error), ("c", Failed), ("d", Error)],
    );
    let mut run = serde_json::to_value(&source.run).unwrap();
    run["cases"][3]["interrupted"] = true.into();
    source.run = serde_json::from_value(run).unwrap();
    let merged = merge(&[source]).unwrap();
    assert_eq!(
        merged.run.missing,
        [id("d")],
        "what broke for itself is told"
    );
    assert_eq!(ended(&merged).as_str(), "a:PASS b:ERROR c:FAIL d:ERROR");
    assert_eq!(verdict(&merged), RunVerdict::Unproven);
    let told = merged.run.interrupted.unwrap();
    assert!(told.contains("1 of 4 planned cases are missing"), "{told}");
}

/// Else a rule would be counted against the scenarios of one of them.
#[test]
fn results_of_runs_with_different_scenarios_are_refused() {
    let sources = [("a", 1), ("c", 2)].map(|(name, shard)| {
        let mut source = source(Some((shard, 2)), &[(name, Passed)]);
        let mut run = serde_json::to_value(&source.run).unwrap();
        let scenario = json!({"name": "extra", "rules": ["C01"], "target": "kind", "operator": format!(">=1.{shard}.0"), "ray": "*"});
        run["scenarios"] = json!([scenario]);
        source.run = serde_json::from_value(run).unwrap();
        source
    });
    let text = merge(&sources)
        .map(|merged| ended(&merged))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("the scenario extra is not the same"),
        "{text}"
    );
}

/// Such as one that was killed while it looked for its cluster.
#[test]
fn a_run_that_ended_before_its_plan_was_known_is_told_and_its_cases_are_missing() {
    let mut second = stopped(Some((2, 2)), &[]);
    second.run.planned.clear();
    let alone = merge(std::slice::from_ref(&second)).unwrap();
    let told = alone.run.interrupted.as_deref();
    assert_eq!(
        told,
        Some("shard 2/2 did not complete: the run was interrupted")
    );
    assert_eq!(verdict(&alone), RunVerdict::Unproven);
    let first = source(Some((1, 2)), &[("a", Passed), ("b", Passed)]);
    for order in [[first.clone(), second.clone()], [second, first]] {
        let merged = merge(&order).unwrap();
        assert_eq!(merged.run.missing, [id("c"), id("d")]);
        let told = merged.run.interrupted.as_deref().unwrap();
        assert!(told.starts_with("shard 2/2 did not complete"), "{told}");
        assert_eq!(ended(&merged).as_str(), "a:PASS b:PASS");
        assert_eq!(verdict(&merged), RunVerdict::Unproven);
    }
}
