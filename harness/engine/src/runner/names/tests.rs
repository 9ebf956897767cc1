//! Tests of `names`.

use super::{RunId, namespace_name};
use crate::process::ProcessIdentity;

#[test]
fn a_namespace_tells_run_and_scenario_and_is_never_too_long() {
    let process = ProcessIdentity::current();
    let run = RunId::new("2026-11-23T23:47:05Z".parse().expect("a time"), process, 0);
    let id = format!("1123-234705-{}", process.short());
    assert_eq!(run.to_string(), id);
    assert_eq!(
        namespace_name(&run, 3, "solution-1"),
        format!("kc-{id}-3-solution-1")
    );
    let long = namespace_name(&run, 12, &"long-".repeat(20));
    assert!(long.len() <= 63, "{long}");
    assert!(!long.ends_with('-'), "{long}");
}

#[test]
fn two_runs_never_share_an_id() {
    let time = "2026-11-23T23:47:05Z".parse().expect("a time");
    let here = ProcessIdentity::current();
    // Every Pod of a Job runs the harness as its process 1, and several may start in one second.
    let there = ProcessIdentity {
        namespace: "pid:[4026532999]".into(),
        ..here.clone()
    };
    let ids = [(here, 0), (here, 1), (&there, 0)]
        .map(|(process, number)| RunId::new(time, process, number).to_string());
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}
