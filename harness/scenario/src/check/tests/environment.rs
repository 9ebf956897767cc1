//! A dashboard that Ray gave up.

use super::*;

/// What Ray 2.52 writes then, with its colours.
const GAVE_UP: &str = "\u{1b}[31m2026-11-23 06:59:10,120\tERROR services.py:1342 -- Failed to start the dashboard , \
                       return code -9\u{1b}[0m";

fn silent(log: &str) -> Observation {
    let mut observation = observe(&SOLUTION_1);
    observation.dashboard = None;
    set_log(&mut observation, false, log);
    observation
}

#[test]
fn a_dashboard_that_ray_gave_up_is_the_machines_fault() {
    let ray = [check(json!({ "ray": { "nodes": 1 } }))];
    let fault = environment_fault(&ray, &silent(GAVE_UP)).expect("a fault");
    assert!(fault.contains("gave its dashboard up"), "{fault}");
    assert!(fault.contains("services.py:1342"), "{fault}");
    assert!(!fault.contains('\u{1b}'), "{fault}");
    let keys = needed_logs(&ray[0], &silent(GAVE_UP));
    assert_eq!(keys.len(), 1, "the log with the reason is asked for");
    assert!(!keys[0].previous, "{:?}", keys[0]);
    let job = check(json!({ "job": { "entrypoint": "a", "status": "SUCCEEDED" } }));
    assert_eq!(
        needed_logs(&job, &silent(GAVE_UP)),
        keys,
        "a job needs it, too"
    );
}

#[test]
fn others_are_not() {
    let ray = [check(json!({ "ray": { "nodes": 1 } }))];
    assert_eq!(
        environment_fault(&ray, &silent("Ray runtime started.")),
        None
    );
    let mut answered = silent(GAVE_UP);
    answered.dashboard = Some(Dashboard::default());
    assert_eq!(
        environment_fault(&ray, &answered),
        None,
        "it came after all"
    );
    let crash = [check(json!({ "state": { "role": "head", "exitCode": 3 } }))];
    assert_eq!(
        environment_fault(&crash, &silent(GAVE_UP)),
        None,
        "nobody asks for it"
    );
}
