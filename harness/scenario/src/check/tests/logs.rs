use assertables::{assert_contains, assert_ends_with};
use rstest::rstest;

use super::*;

/// The script's lines of the guide's solution 1.
fn script(resources: &Value) -> Vec<Value> {
    vec![
        json!({ "may": "INFO: waiting for ray head to start", "repeat": true }),
        json!({ "must": "Using address 127.0.0.1:6379 set in the environment variable RAY_ADDRESS" }),
        json!({ "must": "Connecting to existing Ray cluster at address: <pod-ip>:6379..." }),
        json!({ "must": "/Connected to Ray cluster\\.( View the dashboard at http:\\/\\/<pod-ip>:8265)?/" }),
        json!({ "resources": resources }),
        json!({ "must": "INFO: Print Ray cluster resources" }),
        json!({ "not": "Traceback" }),
        json!({ "not": "ModuleNotFoundError" }),
    ]
}

fn resources() -> Value {
    json!({ "CPU": 1, "memory": "5Gi", "object_store_memory": "present", "node:<pod-ip>": 1 })
}

fn logs(after: &[&str], lines: &[Value]) -> Check {
    check(json!({ "logs": { "role": "head", "after": after, "lines": lines } }))
}

fn solution_1() -> Check {
    logs(&["rayReady", "job"], &script(&resources()))
}

/// A log of the head's Ray container that ends as given.
fn with_log(text: &str) -> Observation {
    let mut observation = observe(&SOLUTION_1);
    set_log(&mut observation, false, text);
    observation
}

#[test]
fn solution_1_passes_on_both_generations() {
    let found = passes(judge(&solution_1(), &observe(&SOLUTION_1)))
        .found
        .unwrap();
    assert_eq!(found.lines().count(), 5, "{found}");
    assert!(
        found.starts_with("    2 | 2026-11-23 05:32:18,550\tINFO worker.py:1696 -- Using address"),
        "{found}"
    );
    let old = json!({ "CPU": 1, "memory": "2Gi", "object_store_memory": "present", "node:<pod-ip>": "present" });
    let found = passes(judge(
        &logs(&["job"], &script(&old)),
        &observe(&OLD_SOLUTION_1),
    ))
    .found
    .unwrap();
    assert!(
        found.starts_with("    2 | INFO: waiting for ray head to start"),
        "{found}"
    );
}

#[rstest]
#[case(&POST_START)]
#[case(&OLD_POST_START)]
fn before_ray_start_and_without_the_hook_s_output(#[case] capture: &Capture) {
    let lines = [
        json!({ "must": "/^123 456$/" }),
        json!({ "must": "Local node IP: <pod-ip>" }),
        json!({ "must": "Ray runtime started." }),
        json!({ "not": "INFO: Print Ray cluster resources" }),
    ];
    passes(judge(&logs(&["ready", "job"], &lines), &observe(capture)));
}

#[test]
fn the_hook_s_output_in_the_log_fails() {
    let check = logs(
        &["job"],
        &[json!({ "not": "INFO: Print Ray cluster resources" })],
    );
    let finding = fails(
        judge(&check, &observe(&SOLUTION_1)),
        "line 45 has \"INFO: Print Ray cluster resources\", which must not appear",
    );
    assert_ends_with!(
        finding.found.unwrap(),
        ">  45 | INFO: Print Ray cluster resources"
    );
}

#[rstest]
#[case::wrong_number(json!({ "CPU": 2 }), "CPU: 1 instead of CPU: 2", "CPU: 2", "CPU: 1")]
#[case::wrong_quantity(json!({ "memory": "2Gi" }), "memory: 5368709120 instead of memory: 2147483648 (2Gi)", "memory: 2147483648 (2Gi)", "memory: 5368709120")]
#[case::absent(json!({ "GPU": "present" }), "no GPU instead of GPU: present", "GPU: present, above 0", "no GPU")]
#[case::other_address(json!({ "node:10.0.0.1": 1 }), "no node:10.0.0.1", "node:10.0.0.1: 1", "no node:10.0.0.1")]
fn wrong_resources_fail(
    #[case] wrong: Value,
    #[case] message: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    let verdict = judge(&logs(&["job"], &script(&wrong)), &observe(&SOLUTION_1));
    let finding = fails(verdict, &format!("line 44 has {message}"));
    assert_eq!(finding.expected.unwrap(), expected);
    let text = finding.found.unwrap();
    assert!(text.starts_with(found), "{text}");
    assert!(
        text.contains(">  44 | {'node:__internal_head__': 1.0"),
        "{text}"
    );
}

/// What a script prints that can't import Ray: its last line is the same.
const NO_MODULE: &str = "\
Traceback (most recent call last):
  File \"<string>\", line 1, in <module>
ModuleNotFoundError: No module named 'ray'
INFO: Print Ray cluster resources
";

#[test]
fn a_script_that_fails_but_prints_its_last_line_fails() {
    let observation = with_log(NO_MODULE);
    fails(
        judge(&solution_1(), &observation),
        "line 1 has \"Traceback\", which must not appear",
    );
    // Even without `not` lines, the order tells.
    let order = logs(&[], &script(&resources())[..6]);
    fails(
        judge(&order, &observation),
        "line 4 has \"INFO: Print Ray cluster resources\" before \"Using address 127.0.0.1:6379",
    );
}

const LINES: [&str; 3] = ["first", "second", "third"];

fn musts() -> Vec<Value> {
    LINES.iter().map(|text| json!({ "must": text })).collect()
}

#[rstest]
#[case::order(
    "first\nthird\nsecond",
    "line 2 has \"third\" before \"second\", which must come first"
)]
#[case::twice(
    "first\nfirst",
    "line 2 has \"first\" a second time; it must appear once"
)]
#[case::twice_later(
    "first\nother\nsecond\nx first",
    "line 4 has \"first\" a second time, after \"second\""
)]
fn wrong_order_fails(#[case] log: &str, #[case] message: &str) {
    let finding = fails(judge(&logs(&[], &musts()), &with_log(log)), message);
    assert_eq!(
        finding.expected.unwrap(),
        "must: first\nmust: second\nmust: third"
    );
    assert_contains!(finding.found.unwrap(), "   1 | first");
}

#[rstest]
#[case::before(json!({ "may": "hello" }), "hello\nfirst", None)]
#[case::absent(json!({ "may": "hello" }), "first", None)]
#[case::twice(json!({ "may": "hello" }), "hello\nhello\nfirst", Some("line 2 has \"hello\" a second time"))]
#[case::repeated(json!({ "may": "hello", "repeat": true }), "hello\nother\nhello\nfirst", None)]
#[case::too_late(json!({ "may": "hello", "repeat": true }), "hello\nfirst\nhello", Some("line 3 has \"hello\" after \"first\"; its place is before"))]
#[case::repeated_must(json!({ "must": "hello", "repeat": true }), "hello\nhello\nfirst", None)]
#[case::repeat_does_not_take_the_next(json!({ "may": "/./", "repeat": true }), "a\nb\nfirst", None)]
fn lines_that_may_come(#[case] line: Value, #[case] log: &str, #[case] fault: Option<&str>) {
    let verdict = judge(
        &logs(&[], &[line, json!({ "must": "first" })]),
        &with_log(log),
    );
    match fault {
        Some(message) => drop(fails(verdict, message)),
        None => drop(passes(verdict)),
    }
}

#[test]
fn an_absent_line_is_waited_for_while_the_container_runs() {
    let verdict = judge(
        &logs(&["job"], &musts()),
        &with_log("first\n\u{1b}[32mlast\u{1b}[39m"),
    );
    let finding = waits(
        verdict,
        "waits for a line with \"second\" in the log of container ray-head",
    );
    assert!(
        finding
            .message
            .ends_with("line 2, the last so far, is \"last\""),
        "{}",
        finding.message
    );
    waits(
        judge(&logs(&[], &musts()), &with_log("")),
        "waits for a line with \"first\"",
    );
}

#[test]
fn an_absent_line_fails_once_the_container_ended_and_all_was_read() {
    let mut observation = with_log("first");
    set_status(&mut observation, 0, &exited(1), &json!({}));
    let line = "waits for a line with \"second\"";
    waits(judge(&logs(&[], &musts()), &observation), line);
    let log = key(&observation, false);
    observation.logs.get_mut(&log).unwrap().ended = true;
    let ended = "has no line with \"second\", and its container ended";
    fails(judge(&logs(&[], &musts()), &observation), ended);
    // It is over, too, while the container waits to be started again; what then runs may still
    // write the line.
    set_status(
        &mut observation,
        1,
        &waiting("CrashLoopBackOff", ""),
        &exited(1),
    );
    fails(judge(&logs(&[], &musts()), &observation), ended);
    set_status(&mut observation, 1, &json!({ "running": {} }), &exited(1));
    waits(judge(&logs(&[], &musts()), &observation), line);
}

#[test]
fn a_container_beside_ray_may_write_the_line_after_a_crash() {
    let mut observation = with_log("first");
    let spec = observation.pods[0].spec.as_mut().unwrap();
    let mut ray = spec.containers[0].clone();
    ray.name = "ray".into();
    spec.containers.insert(0, ray);
    let log = key(&observation, false);
    observation.logs.get_mut(&log).unwrap().ended = true;
    let check =
        check(json!({ "logs": { "role": "head", "container": "ray-head", "lines": musts() } }));
    set_status(
        &mut observation,
        1,
        &waiting("CrashLoopBackOff", ""),
        &exited(1),
    );
    waits(
        judge(&check, &observation),
        "waits for a line with \"second\"",
    );
}

/// What a container did that was started again at once, as the log of each instance.
#[test]
fn after_its_end_a_log_is_that_of_the_instance_that_ended_last() {
    let not_started = [
        json!({ "must": "first" }),
        json!({ "not": "Ray runtime started" }),
    ];
    let check = logs(&["ended"], &not_started);
    let mut observation = with_log("first");
    waits(
        judge(&check, &observation),
        "all lines are in the log of container ray-head of Pod raycluster-head-command-head-r4jlx; waits for the milestone \
         `ended`; container ray-head of Pod raycluster-head-command-head-r4jlx runs",
    );
    set_status(&mut observation, 0, &exited(3), &json!({}));
    let now = key(&observation, false);
    assert_eq!(
        needed_logs(&check, &observation),
        std::slice::from_ref(&now)
    );
    waits(
        judge(&check, &observation),
        "waits for the milestone `ended`",
    );
    observation.logs.get_mut(&now).unwrap().ended = true;
    passes(judge(&check, &observation));
    fails(
        judge(&logs(&["ended"], &musts()), &observation),
        "has no line with \"second\", and its container ended",
    );

    // Started again: what runs now has written nothing yet.
    set_log(&mut observation, false, "");
    set_status(&mut observation, 1, &json!({ "running": {} }), &exited(3));
    let before = key(&observation, true);
    assert_eq!(
        needed_logs(&check, &observation),
        std::slice::from_ref(&before)
    );
    waits(judge(&check, &observation), "waits for the previous log");
    for (text, good) in [
        ("first", true),
        ("first\nRay runtime started.", false),
        ("", false),
    ] {
        set_log(&mut observation, true, text);
        match (good, text) {
            (true, _) => drop(passes(judge(&check, &observation))),
            (_, "") => drop(fails(
                judge(&check, &observation),
                "has no line with \"first\"",
            )),
            _ => drop(fails(
                judge(&check, &observation),
                "has \"Ray runtime started\", which must not",
            )),
        }
    }
}

#[test]
fn ray_that_starts_fails_at_once_where_it_must_not() {
    let check = logs(&["ended"], &[json!({ "not": "Ray runtime started" })]);
    fails(
        judge(&check, &observe(&SOLUTION_1)),
        "has \"Ray runtime started\", which must not appear",
    );
}

#[test]
fn nothing_is_judged_before_its_milestone() {
    let check = logs(&["ready", "job"], &[json!({ "not": "Traceback" })]);
    let mut observation = with_log("");
    passes(judge(&check, &observation));
    let log = key(&observation, false);
    observation.logs.get_mut(&log).unwrap().complete_as_of =
        Some(observation.milestones[&Milestone::Job] - 1.second());
    waits(
        judge(&check, &observation),
        "waits for the log to be read whole after the milestone",
    );
    observation.logs.get_mut(&log).unwrap().complete_as_of = None;
    waits(judge(&check, &observation), "read whole");
    observation.milestones.remove(&Milestone::Job);
    waits(judge(&check, &observation), "waits for the milestone `job`");
    // What must not come fails at once.
    set_log(&mut observation, false, "Traceback");
    fails(judge(&check, &observation), "line 1 has \"Traceback\"");
}

#[test]
fn a_vacuous_not_fails() {
    let check = logs(&[], &[json!({ "not": "Traceback" })]);
    fails(
        judge(&check, &Observation::default()),
        "a `not` line needs `after`",
    );
}

#[test]
fn without_a_log_it_waits_and_unknown_containers_fail() {
    let check = logs(&["ready"], &musts());
    waits(judge(&check, &Observation::default()), "no head Pod yet");
    let mut observation = observe(&SOLUTION_1);
    observation.logs.clear();
    pod_event(
        &mut observation,
        "FailedMount",
        "configmap \"ray-example\" not found",
        3,
    );
    waits(
        judge(&check, &observation),
        "runs; last warning: FailedMount: configmap \"ray-example\" not found",
    );
    let other: Check = super::check(
        json!({ "logs": { "role": "head", "container": "sidecar", "lines": musts() } }),
    );
    fails(
        judge(&other, &observation),
        "has no container sidecar; it has ray-head",
    );
    let wrong = logs(&[], &[json!({ "must": "/(/" })]);
    fails(
        judge(&wrong, &observe(&SOLUTION_1)),
        "/(/ is not a valid regular expression",
    );
    let mut unaddressed = observe(&SOLUTION_1);
    unaddressed.pods[0].status.as_mut().unwrap().pod_ip = None;
    waits(judge(&solution_1(), &unaddressed), "to have an address");
}

#[test]
fn only_logs_of_containers_that_started_are_needed() {
    let check = logs(&["ready"], &musts());
    let mut observation = observe(&POST_START);
    let log = key(&observation, false);
    assert_eq!(
        needed_logs(&check, &observation),
        std::slice::from_ref(&log)
    );
    // The kubelet says nothing of a container whose hook runs, but an event tells.
    set_status(
        &mut observation,
        0,
        &waiting("ContainerCreating", ""),
        &json!({}),
    );
    assert_eq!(needed_logs(&check, &observation), []);
    pod_event(&mut observation, "Created", "Created container ray-head", 1);
    pod_event(&mut observation, "Started", "Started container beside", 1);
    observation.events[1].involved_object.field_path = Some("spec.containers{beside}".into());
    assert_eq!(
        needed_logs(&check, &observation),
        [],
        "of another, or not started"
    );
    pod_event(&mut observation, "Started", "Started container ray-head", 1);
    assert_eq!(needed_logs(&check, &observation), [log]);
    assert_eq!(needed_logs(&check, &Observation::default()), []);
    let previous = Check::Logs(LogsCheck {
        role: Role::Head,
        group: None,
        container: None,
        previous: true,
        after: vec![],
        lines: vec![LineExpectation {
            must: Some("bye".into()),
            ..LineExpectation::default()
        }],
        within: None,
    });
    assert_eq!(needed_logs(&previous, &observation), []);
    waits(
        judge(&previous, &observation),
        "waits for the previous log of container ray-head",
    );
    set_status(&mut observation, 1, &json!({ "running": {} }), &exited(1));
    assert_eq!(
        needed_logs(&previous, &observation),
        [key(&observation, true)]
    );
    set_log(&mut observation, true, "bye");
    passes(judge(&previous, &observation));
    set_log(&mut observation, true, "hello");
    fails(
        judge(&previous, &observation),
        "previous log of container ray-head of Pod raycluster-head-command-head-6kh8l has no line with \"bye\"",
    );
}

/// Bounds that a few thousand lines exceed.
const SMALL: Bounds = Bounds {
    head: 64 << 10,
    tail: 128 << 10,
};

fn add(lines: &mut Lines, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        lines.push(&Line { text, cut: 0 });
    }
}

fn noise(lines: usize) -> impl Iterator<Item = String> {
    (0..lines).map(|number| format!("{number:>100}"))
}

/// What a check makes of a log in which more comes with each part.
fn in_parts(check: &Check, bounds: Bounds, parts: Vec<Vec<String>>) -> Verdict {
    let (mut memory, mut observation) = (Memory::default(), observe(&SOLUTION_1));
    let log = key(&observation, false);
    observation.logs.get_mut(&log).unwrap().lines = Lines::new(bounds);
    let mut verdict = None;
    for part in parts {
        add(&mut observation.logs.get_mut(&log).unwrap().lines, part);
        loop {
            verdict = Some(memory.evaluate(0, check, &observation, &Snapshots(vec![])));
            if !memory.is_behind(&[(0, check)]) {
                break;
            }
        }
    }
    verdict.unwrap()
}

#[test]
fn a_line_that_is_not_kept_any_more_was_judged_when_it_came() {
    let first = ["first".to_owned()];
    let rest = ["second".to_owned(), "third".to_owned()];
    let mut parts: Vec<Vec<String>> = vec![first.into()];
    parts.extend((0..20).map(|_| noise(500).collect()));
    parts.push(rest.into());
    parts.extend((0..20).map(|_| noise(500).collect()));
    passes(in_parts(&logs(&["ready"], &musts()), SMALL, parts.clone()));
    parts[5].push("Traceback".into());
    let not = [musts(), vec![json!({ "not": "Traceback" })]].concat();
    let finding = fails(
        in_parts(&logs(&["ready"], &not), SMALL, parts.clone()),
        "has \"Traceback\"",
    );
    assert_contains!(finding.found.unwrap(), ">2502 | Traceback");
    assert!(
        finding.message.contains("lines ("),
        "what is cut is said: {}",
        finding.message
    );
}

#[test]
fn lines_that_were_dropped_before_they_were_judged_leave_no_verdict() {
    let flood = noise(5000).chain(LINES.map(str::to_owned)).collect();
    match in_parts(&logs(&["ready"], &musts()), SMALL, vec![flood]) {
        Verdict::Lost(finding) => {
            let words = "were dropped before they could be judged (of a log, its first 64.0 KiB and its last 128.0 KiB \
                         are read)";
            assert!(finding.message.contains(words), "{}", finding.message);
        }
        other => panic!("{other:#?}"),
    }
    let whole = noise(5000).chain(LINES.map(str::to_owned)).collect();
    passes(in_parts(
        &logs(&["ready"], &musts()),
        Bounds::CHECKS,
        vec![whole],
    ));
}

#[test]
fn a_long_log_is_judged_a_part_at_a_time() {
    let mut observation = observe(&SOLUTION_1);
    let log = key(&observation, false);
    let lines = &mut observation.logs.get_mut(&log).unwrap().lines;
    *lines = Lines::default();
    add(lines, noise(40_000).chain(LINES.map(str::to_owned)));
    let (mut memory, check) = (Memory::default(), logs(&["ready"], &musts()));
    let mut calls = 0;
    let verdict = loop {
        let verdict = memory.evaluate(0, &check, &observation, &Snapshots(vec![]));
        if !memory.is_behind(&[(0, &check)]) {
            break verdict;
        }
        waits(verdict, "of its 40003 lines are judged so far");
        calls += 1;
    };
    assert_eq!(calls, 3, "each takes 1 MiB");
    passes(verdict);
}

#[test]
fn what_stands_behind_the_last_line_end_counts_as_a_line_once_the_container_has_ended() {
    let check = logs(
        &["ready"],
        &[json!({ "must": "first" }), json!({ "not": "/^bad$/" })],
    );
    let mut observation = with_log("first");
    let log = key(&observation, false);
    let partial = |text: &str| {
        Some(Line {
            text: text.into(),
            cut: 0,
        })
    };
    observation
        .logs
        .get_mut(&log)
        .unwrap()
        .lines
        .set_partial(partial("bad"));
    passes(judge(&check, &observation));
    observation.logs.get_mut(&log).unwrap().ended = true;
    fails(judge(&check, &observation), "line 2 has \"/^bad$/\"");
    let mut observation = with_log("");
    observation
        .logs
        .get_mut(&log)
        .unwrap()
        .lines
        .set_partial(partial("first"));
    passes(judge(&check, &observation));
}
