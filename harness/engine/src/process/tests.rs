use std::time::Instant;

use super::*;

/// Returns whether a process runs: there is one of this id, and it has not only ended.
fn is_there(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim()));
    stat.is_ok_and(|text| !text.contains(") Z "))
}

fn sleep(seconds: &str) -> Command {
    let mut sleep = command("sleep");
    sleep.arg(seconds);
    sleep
}

const SHORT: Duration = Duration::from_millis(200);
/// Long enough for a script to begin on a busy machine.
const BEGUN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_program_ends_at_its_limit_and_the_error_names_it() {
    let began = Instant::now();
    let error = output(sleep("61"), "waiting for nothing", SHORT)
        .await
        .unwrap_err();
    assert!(
        began.elapsed() < GRACE,
        "it ended after {:?}",
        began.elapsed()
    );
    assert_eq!(
        error.to_string(),
        "waiting for nothing: `sleep 61` was ended, because it ran for more than 200 ms"
    );
}

#[tokio::test]
async fn a_limit_ends_a_logged_program_and_shows_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut program = command("sh");
    program.args(["-c", "echo $$; exec sleep 62"]);
    let error = logged(program, "building", &log, BEGUN)
        .await
        .unwrap_err()
        .to_string();
    let id = std::fs::read_to_string(&log).unwrap();
    assert!(
        error.contains(&format!("more than 2 s\n  | {}", id.trim())),
        "{error}"
    );
    assert!(
        error.contains(&format!("all of its output: {}", log.display())),
        "{error}"
    );
    assert!(!is_there(&id), "process {id} still runs");
}

#[tokio::test]
async fn a_program_that_ignores_the_request_to_end_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut program = command("sh");
    program.args(["-c", "trap '' TERM; echo $$; exec sleep 63"]);
    let error = logged(program, "building", &log, BEGUN).await.unwrap_err();
    assert!(matches!(error, ProcessError::Late { .. }), "{error}");
    let id = std::fs::read_to_string(&log).unwrap();
    assert!(!is_there(&id), "process {id} still runs");
}

#[tokio::test]
async fn a_program_ends_with_its_dropped_future() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut program = command("sh");
    program.args(["-c", "echo $$; exec sleep 64"]);
    let running = logged(program, "building", &log, BUILD);
    assert!(tokio::time::timeout(BEGUN, running).await.is_err());
    let id = std::fs::read_to_string(&log).unwrap();
    let began = Instant::now();
    while is_there(&id) {
        assert!(began.elapsed() < GRACE, "process {id} still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_written_in_time_is_returned_whole() {
    let mut program = command("sh");
    program.args(["-c", "head -c 300000 /dev/zero; echo told >&2; exit 3"]);
    let done = run(program, "writing", INSPECTION).await.unwrap();
    assert_eq!(done.stdout.len(), 300_000);
    assert_eq!(done.status.code(), Some(3));
    assert_eq!(done.stderr.as_slice(), b"told\n".as_slice());
}

#[test]
fn limits_are_written_in_the_unit_that_fits() {
    for (limit, expected) in [
        (Duration::from_mins(1), "60 s"),
        (BUILD, "60 min"),
        (SHORT, "200 ms"),
    ] {
        assert_eq!(minutes(limit), expected);
    }
}

#[tokio::test]
async fn a_program_reads_its_input_and_may_leave_some_of_it() {
    let limit = Duration::from_secs(10);
    let read = with_input(command("cat"), b"text", "reading", limit).await;
    assert_eq!(read.unwrap().stdout, b"text");
    let input = vec![b'x'; 1 << 20];
    let left = with_input(command("true"), &input, "leaving", limit).await;
    assert!(
        left.as_ref().is_ok_and(|output| output.status.success()),
        "{left:?}"
    );
}
