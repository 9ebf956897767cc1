//! Offline `check` and `explain` open no socket.

use std::process::Command;

use rstest::rstest;

use super::{support, text};

/// The calls about sockets that a program and its children make.
fn calls(program: &Command) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let output = Command::new("strace")
        .args([
            "--follow-forks",
            "--quiet=all",
            "--trace=%network",
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
    let calls = trace.lines().filter(|line| line.contains("socket("));
    calls.map(Into::into).collect()
}

#[rstest]
#[case::check(&["check", "scenarios/block/raycluster.yaml", "--operator", "1.3.2,1.7.0"])]
#[case::check_sarif(&["check", "scenarios/block/raycluster.yaml", "--format", "sarif"])]
#[case::explain(&["explain", "scenarios/block/raycluster.yaml", "--operator", "1.3.2,1.7.0"])]
#[ignore = "needs strace"]
fn offline_commands_open_no_socket(#[case] arguments: &[&str]) {
    let mut program = support::program();
    program.args(arguments);
    assert_eq!(calls(&program), [""; 0]);
}

/// The trace shows a socket where there is one.
#[test]
#[ignore = "needs strace"]
fn a_socket_shows() {
    let mut program = Command::new("bash");
    program.args(["-c", "exec 3<>/dev/tcp/127.0.0.1/9"]);
    assert!(!calls(&program).is_empty());
}
