//! Offline `check` and `explain` open no socket and start no program.

use std::process::Command;

use rstest::rstest;

use super::{support, text};

/// The calls of a program and its children that open a socket or start a program; the first starts
/// the program itself.
fn calls(program: &Command) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let output = Command::new("strace")
        .args([
            "--follow-forks",
            "--quiet=all",
            "--trace=%network,execve,execveat",
            "--output",
        ])
        .arg(&log)
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(support::scenarios().parent().unwrap())
        .output()
        .expect("run strace");
    let trace = std::fs::read_to_string(&log).unwrap_or_default();
    let said = text(&output.stderr);
    assert!(
        !trace.is_empty() || output.status.code().is_some_and(|code| code < 2),
        "{said}"
    );
    let calls = trace
        .lines()
        .filter(|line| line.contains("socket(") || line.contains("execve"));
    calls.skip(1).map(Into::into).collect()
}

#[rstest]
#[case::check(&["check", "scenarios/block/raycluster.yaml", "--operator", "1.3.2,1.7.0"])]
#[case::check_sarif(&["check", "scenarios/block/raycluster.yaml", "--format", "sarif"])]
#[case::explain(&["explain", "scenarios/block/raycluster.yaml", "--operator", "1.3.2,1.7.0"])]
#[ignore = "needs strace"]
fn offline_commands_open_no_socket_and_start_no_program(#[case] arguments: &[&str]) {
    let mut program = support::program();
    program.args(arguments);
    assert_eq!(calls(&program), [""; 0]);
}

/// The trace shows a socket, and another program, where there is one.
#[rstest]
#[case::socket("exec 3<>/dev/tcp/127.0.0.1/9", "socket(")]
#[case::program("bash -n /dev/null; true", "execve")]
#[ignore = "needs strace"]
fn what_is_traced_shows(#[case] script: &str, #[case] expected: &str) {
    let mut program = Command::new("bash");
    program.args(["-c", script]);
    let calls = calls(&program);
    assert!(
        calls.iter().any(|call| call.contains(expected)),
        "{calls:?}"
    );
}
