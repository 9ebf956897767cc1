//! Tests of `names`.

use super::{RunId, namespace_name, process_of};

#[test]
fn a_namespace_tells_run_and_scenario_and_is_never_too_long() {
    let run = RunId::new("2026-11-23T23:47:05Z".parse().expect("a time"), 0xbeef);
    assert_eq!(run.to_string(), "1123-234705-beef");
    assert_eq!(process_of(&run.to_string()), Some(0xbeef));
    assert_eq!(
        namespace_name(&run, 3, "solution-1"),
        "kc-1123-234705-beef-3-solution-1"
    );
    let long = namespace_name(&run, 12, &"long-".repeat(20));
    assert!(long.len() <= 63 && !long.ends_with('-'), "{long}");
}
