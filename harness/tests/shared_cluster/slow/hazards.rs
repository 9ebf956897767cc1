//! What the scenarios of hazards expect, changed once each: that Ray starts where it does not, that
//! it does not where it does, another exit code, another line. Each copy fails with the reason, and
//! none waits for its limit.
//!
//! All copies run in one run on the cluster that is up, so they need one (`kuberay-conformance
//! cluster up`).

use std::sync::OnceLock;

use kuberay_conformance::report::Outcome;
use rstest::rstest;

use crate::support::copies::{Ran, copy_scenario, replaced, run};
use crate::support::exclusive;

/// Heads whose container ends, with its exit code.
const ENDS: [(&str, i32); 13] = [
    ("exit-ends-the-container", 3),
    ("exec-replaces-the-shell", 7),
    ("errexit-before-the-last-command", 1),
    ("errexit-and-the-limit", 1),
    ("trailing-semicolon", 2),
    ("trailing-ampersand", 2),
    ("trailing-newline", 2),
    ("trailing-comment", 0),
    ("ray-start-only-mentioned", 0),
    ("ray-started-twice", 1),
    ("variables-before-the-shell", 5),
    ("parameters-are-shell-text", 2),
    ("path-set-by-a-profile", 127),
];

/// Heads whose Ray starts, with the checks of a copy.
const STARTS: [(&str, &str); 5] = [
    ("failing-command-is-swallowed", ULIMIT_FIRST),
    ("limit-that-cannot-be-raised", NO_COMPLAINT),
    ("script-in-words", HELLO_FIRST),
    ("path-reset-by-a-profile", FOUND_FIRST),
    ("state-before-ray-start", NOT_EXPORTED),
];

/// A job, because `ray-started-twice` does have a Ray for a moment.
const RAY_STARTS: &str =
    "    - job: {entrypoint: python, status: SUCCEEDED}\n    - ray: {nodes: 1}\n";

const GOES_ON: &str =
    "    - logs: {role: head, after: [ended], lines: [{must: a line that nobody writes}]}\n";

const NO_START: &str =
    "    - logs: {role: head, after: [ended], lines: [{not: Ray runtime started}]}\n";

const ULIMIT_FIRST: &str =
    "    - logs: {role: head, lines: [{must: cannot modify limit}, {must: Ray runtime started}]}\n";

const NO_COMPLAINT: &str =
    "    - logs: {role: head, after: [rayReady], lines: [{not: cannot modify limit}]}\n";

const HELLO_FIRST: &str =
    "    - logs: {role: head, lines: [{must: hello world}, {must: Ray runtime started}]}\n";

const FOUND_FIRST: &str =
    "    - logs: {role: head, lines: [{must: bin/ray}, {must: Ray runtime started}]}\n";

const NOT_EXPORTED: &str =
    "    - logs: {role: head, lines: [{must: task sees None}, {must: asked}]}\n";

fn broken() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let _exclusive = exclusive();
        let folder = tempfile::tempdir().unwrap();
        let copy = |of: &str, kind: &str, change: &dyn Fn(String) -> String| {
            copy_scenario(
                of,
                &format!("{kind}-{of}"),
                folder.path(),
                |file, text| match file {
                    "scenario.yaml" => change(text),
                    _ => text,
                },
            );
        };
        for (name, code) in ENDS {
            copy(name, "starts", &|text| checks(&text, RAY_STARTS));
            let code = format!("exitCode: {code}");
            copy(name, "code", &|text| {
                replaced(&text, &code, "exitCode: 42") + GOES_ON
            });
        }
        for (name, other) in STARTS {
            copy(name, "other", &|text| {
                checks(&text, &format!("{NO_START}{other}"))
            });
        }
        // More at once leave an operator on two cores too little to answer its probes.
        run(folder.path(), &["--jobs", "6"])
    })
}

/// The scenario with these checks instead of its own.
fn checks(text: &str, checks: &str) -> String {
    let (head, _) = text.split_once("  checks:\n").unwrap();
    format!("{head}  checks:\n{checks}")
}

/// A check of a copy failed, and so says these words, in less than a minute.
#[track_caller]
fn fails(ran: &Ran, scenario: &str, number: usize, words: &[&str]) {
    assert_eq!(ran.output.status.code(), Some(1), "{}", ran.text());
    let check = ran.check(scenario, number);
    assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
    for word in words {
        assert!(
            check.message.contains(word),
            "`{word}` is not in: {}",
            check.message
        );
    }
    assert!(!check.message.contains("given up"), "{}", check.message);
    let evidence = ran.case(scenario).evidence.as_ref().unwrap();
    assert!(ran.folder.path().join(evidence).is_dir(), "{evidence:?}");
}

#[rstest]
#[case::exit("exit-ends-the-container", "exited 3")]
#[case::exec("exec-replaces-the-shell", "exited 7")]
#[case::errexit("errexit-before-the-last-command", "exited 1")]
#[case::errexit_and_limit("errexit-and-the-limit", "exited 1")]
#[case::semicolon("trailing-semicolon", "exited 2")]
#[case::ampersand("trailing-ampersand", "exited 2")]
#[case::newline("trailing-newline", "exited 2")]
#[case::comment(
    "trailing-comment",
    "exited 0, without an error, but it should go on running"
)]
#[case::mentioned(
    "ray-start-only-mentioned",
    "exited 0, without an error, but it should go on running"
)]
#[case::twice("ray-started-twice", "exited 1")]
#[case::kubelet("variables-before-the-shell", "exited 5")]
#[case::parameters("parameters-are-shell-text", "exited 2")]
#[case::path(
    "path-set-by-a-profile",
    "exited 127: what it should run was not found"
)]
#[ignore = "needs kind, takes minutes"]
fn ray_does_not_start(#[case] scenario: &str, #[case] cause: &str) {
    let ran = broken();
    // What must not happen ends the case at once, with the cause.
    fails(ran, &format!("starts-{scenario}"), 0, &[cause]);

    // Another end than the one expected is final, and so is a line that an ended container did not
    // write.
    let (_, code) = ENDS.iter().find(|(name, _)| *name == scenario).unwrap();
    let copy = format!("code-{scenario}");
    fails(
        ran,
        &copy,
        0,
        &[&format!("exited {code} "), "instead of 42"],
    );
    let last = ran.case(&copy).checks.len() - 1;
    fails(
        ran,
        &copy,
        last,
        &["has no line with \"a line that nobody writes\", and its container ended"],
    );
    for check in &ran.case(&copy).checks[1..last] {
        assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
    }
}

#[rstest]
#[case::failing(
    "failing-command-is-swallowed",
    "before \"cannot modify limit\", which must come first"
)]
#[case::limit(
    "limit-that-cannot-be-raised",
    "has \"cannot modify limit\", which must not appear"
)]
#[case::script("script-in-words", "before \"hello world\", which must come first")]
#[case::path("path-reset-by-a-profile", "before \"bin/ray\", which must come first")]
#[case::state("state-before-ray-start", "has \"asked\" before \"task sees None\"")]
#[ignore = "needs kind, takes minutes"]
fn ray_starts(#[case] scenario: &str, #[case] other: &str) {
    let (ran, copy) = (broken(), format!("other-{scenario}"));
    fails(
        ran,
        &copy,
        0,
        &["has \"Ray runtime started\", which must not appear"],
    );
    fails(ran, &copy, 1, &[other]);
}
