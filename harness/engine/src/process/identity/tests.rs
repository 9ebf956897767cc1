//! Tests of `identity`.

use std::process::{Command, Stdio};

use rstest::rstest;

use super::*;

/// The identity of a process that runs until its input ends.
fn of_child(pid: u32) -> ProcessIdentity {
    ProcessIdentity {
        pid,
        started: running_since(pid).expect("it runs"),
        ..ProcessIdentity::current().clone()
    }
}

#[test]
fn a_process_runs_until_it_has_ended_also_where_nobody_has_waited_for_it() {
    assert_eq!(ProcessIdentity::current().liveness(), Liveness::Runs);
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .spawn()
        .expect("cat");
    let identity = of_child(child.id());
    assert_eq!(identity.liveness(), Liveness::Runs);
    drop(child.stdin.take());
    // It becomes a zombie, because only `wait` below takes its end.
    while running_since(child.id()).is_some() {
        std::thread::yield_now();
    }
    assert_eq!(identity.liveness(), Liveness::Ended);
    child.wait().expect("its end");
    assert_eq!(identity.liveness(), Liveness::Ended);
}

#[test]
fn another_process_with_the_same_pid_is_not_the_recorded_one() {
    let now = ProcessIdentity::current();
    let earlier = ProcessIdentity {
        started: now.started - 1,
        ..now.clone()
    };
    assert_eq!(earlier.liveness(), Liveness::Ended);
    assert_ne!(earlier.short(), now.short());
}

#[test]
fn a_process_of_another_container_or_machine_can_not_be_judged() {
    let now = ProcessIdentity::current();
    let container = ProcessIdentity {
        namespace: "pid:[1]".into(),
        ..now.clone()
    };
    let machine = ProcessIdentity {
        boot: "another".into(),
        namespace: "pid:[1]".into(),
        ..now.clone()
    };
    let unreadable = ProcessIdentity {
        boot: String::new(),
        ..now.clone()
    };
    for identity in [&container, &machine, &unreadable] {
        assert_eq!(identity.liveness(), Liveness::Unknown, "{identity:?}");
    }
    let pid = now.pid;
    assert_eq!(now.to_string(), format!("process {pid}"));
    assert_eq!(
        container.to_string(),
        format!("process {pid} of another container")
    );
    assert_eq!(
        machine.to_string(),
        format!("process {pid} of another machine")
    );
}

#[rstest]
#[case(
    "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21",
    Some(4711)
)]
#[case(
    "7 (cat) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21",
    None
)]
#[case("7 (cat) S 1 2", None)]
#[case("", None)]
fn the_start_is_field_22_of_stat(#[case] stat: &str, #[case] expected: Option<u64>) {
    assert_eq!(since(stat), expected);
}
