//! The program without a cluster: what it prints, where it ends with which code, and that bad use says what to do.

#![allow(missing_docs, reason = "a test")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod support;

/// The program in the repository, with pipes.
fn program(arguments: &[&str]) -> Command {
    let mut program = support::program();
    program
        .current_dir(support::scenarios().parent().unwrap())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[rstest]
#[case::no_such_name(&["plan", "sample", "nosuchname"], "no scenario's name contains `nosuchname`")]
#[case::no_such_name_of_a_run(&["run", "nosuchname"], "no scenario's name contains `nosuchname`")]
#[case::no_such_rule(&["plan", "--rule", "C99"], "a rule is one of C01 to C23")]
#[case::no_such_folder(&["plan", "--scenarios", "nowhere"], "with --scenarios DIR")]
#[case::no_such_file(&["explain", "nowhere.yaml"], "cannot read nowhere.yaml")]
#[case::no_such_flag(&["run", "--lanes", "kind"], "--lane")]
#[case::a_pair_elsewhere(&["run", "--pair", "all"], "add `--lane kind`")]
fn bad_use_is_told_with_what_to_do(#[case] arguments: &[&str], #[case] expected: &str) {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(expected), "{said}");
    assert_eq!(text(&output.stdout), "");
}

#[rstest]
#[case::operator(&["plan", "--operator", "9.9.9"], "KubeRay 9.9.9 is not pinned")]
#[case::ray(&["plan", "--lane", "kind", "--pair", "1.6.2/9.9.9"], "Ray 9.9.9 is not pinned")]
fn a_plan_says_what_no_run_can_have(#[case] arguments: &[&str], #[case] expected: &str) {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(expected), "{said}");
    assert!(!text(&run(&arguments[..arguments.len() - 2]).stderr).contains("not pinned"));
}

#[test]
fn a_reader_that_has_seen_enough_stops_nothing() {
    let mut child = program(&["plan", "--operator", "all"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[rstest]
#[case("ENABLE_LOGIN_SHEL=true", true)]
#[case("ENABLE_LOGIN_SHELL=true", false)]
fn a_setting_of_the_operator_that_changes_nothing_is_told(#[case] setting: &str, #[case] told: bool) {
    let manifest = support::scenarios().join("before-ray-start/raycluster.yaml");
    let mut child = program(&["explain", "-", "--operator-env", setting]).spawn().unwrap();
    let manifest = std::fs::read(manifest).unwrap();
    child.stdin.take().unwrap().write_all(&manifest).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.contains("ENABLE_LOGIN_SHEL changes nothing"), told, "{said}");
}
