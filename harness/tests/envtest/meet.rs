//! Processes that bring API servers up, take them down and begin to use them at once. One is
//! stopped where the other meets it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::provider::daemon::DAEMON;

use crate::support::own_cache::own_cache;
use crate::support::processes::{STOP_AT, children, go_on, until_stopped};
use crate::support::running::{PATIENCE, Running};
use crate::support::{exclusive, program, scenarios};

/// A command in a cache of the test's own, which stops itself at a point.
fn command(folder: &Path, arguments: &[&str], stop_at: Option<&str>) -> Command {
    let mut command = program();
    command.args(arguments).args(["--target", "envtest"]);
    command.env("KUBERAY_CONFORMANCE_CACHE", own_cache(folder));
    command.envs(stop_at.map(|point| (STOP_AT, point)));
    command
}

fn run(folder: &Path) -> Command {
    let mut command = command(folder, &["run", "default-command"], None);
    command.arg("--scenarios").arg(scenarios());
    command.arg("--output").arg(folder.join("output"));
    command
}

/// Runs a command to its end, and returns its exit code and all that it said.
fn done(command: Command) -> (Option<i32>, String) {
    let (status, said) = Running::start(command).end();
    (status.code(), said)
}

/// Takes the API servers down, whatever the test found.
struct Down<'a>(&'a Path);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        let _ = command(self.0, &["cluster", "down"], None).output();
    }
}

/// The process that `cluster up` has started to keep API servers.
fn daemon_of(up: &Running) -> u32 {
    let began = Instant::now();
    loop {
        // It has other children before, such as `go version`.
        let keeps = |id: &u32| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0)
                .any(|argument| argument == DAEMON.as_bytes())
        };
        if let Some(id) = children(up.id()).into_iter().map(|(id, _)| id).find(keeps) {
            return id;
        }
        assert!(began.elapsed() < PATIENCE, "it starts no daemon");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[ignore = "needs envtest"]
fn two_that_bring_api_servers_up_at_once_share_them() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let _down = Down(folder.path());
    let first = Running::start(command(
        folder.path(),
        &["cluster", "up"],
        Some("daemon-locked"),
    ));
    let daemon = daemon_of(&first);
    until_stopped(daemon);
    let mut second = Running::start(command(folder.path(), &["cluster", "up"], None));
    second.until(&format!("waiting for process {} (up, ", first.id()));
    go_on(daemon);
    let (status, said) = first.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let (status, said) = second.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let shared = "API servers are up already: Kubernetes";
    assert!(said.contains(shared), "{said}");
    assert!(said.contains(&format!("daemon process {daemon}")), "{said}");
}

/// The other has seen that nobody uses them, and has not ended them yet.
#[test]
#[ignore = "needs envtest"]
fn a_run_does_not_begin_to_use_api_servers_that_another_process_takes_down() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let _down = Down(folder.path());
    let (code, said) = done(command(folder.path(), &["cluster", "up"], None));
    assert_eq!(code, Some(0), "{said}");
    let down = Running::start(command(
        folder.path(),
        &["cluster", "down"],
        Some("api-servers-unused"),
    ));
    until_stopped(down.id());
    let mut run = Running::start(run(folder.path()));
    run.until(&format!("waiting for process {} (down, ", down.id()));
    go_on(down.id());
    let (status, said) = down.end();
    assert_eq!(status.code(), Some(0), "{said}");
    // It brings up its own instead.
    let (status, said) = run.end();
    assert_eq!(status.code(), Some(0), "{said}");
}

/// The run has found them, and has not noted yet that it uses them.
#[test]
#[ignore = "needs envtest"]
fn api_servers_that_a_run_begins_to_use_are_not_taken_down() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let _down = Down(folder.path());
    let (code, said) = done(command(folder.path(), &["cluster", "up"], None));
    assert_eq!(code, Some(0), "{said}");
    let mut stopping = run(folder.path());
    stopping.env(STOP_AT, "api-servers-found");
    let run = Running::start(stopping);
    until_stopped(run.id());
    let mut down = Running::start(command(folder.path(), &["cluster", "down"], None));
    down.until(&format!("waiting for process {} (attach, ", run.id()));
    go_on(run.id());
    let (status, said) = run.end();
    assert_eq!(status.code(), Some(0), "{said}");
    // The run may have ended before the other could see it.
    let (status, said) = down.end();
    let refused = status.code() == Some(3) && said.contains("they stay up");
    assert!(refused || status.code() == Some(0), "{status}: {said}");
}

/// The other has the daemon's file locked, because it looks whether a daemon lives.
#[test]
#[ignore = "needs envtest"]
fn who_only_looks_at_api_servers_does_not_keep_them_from_coming_up() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let _down = Down(folder.path());
    let place = own_cache(folder.path()).join("envtest-daemon");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("daemon"), "").unwrap();
    let looks = Running::start(command(
        folder.path(),
        &["cluster", "status"],
        Some("daemon-probed"),
    ));
    until_stopped(looks.id());
    let mut up = Running::start(command(folder.path(), &["cluster", "up"], None));
    let log = place.join("daemon.log");
    let began = Instant::now();
    // The daemon meets it.
    while !std::fs::read_to_string(&log)
        .is_ok_and(|text| text.contains("another process is checking"))
    {
        let ended = up.child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", up.end().1);
        assert!(began.elapsed() < PATIENCE, "{ended:?}: {}", up.end().1);
        std::thread::sleep(Duration::from_millis(5));
    }
    go_on(looks.id());
    let (status, said) = up.end();
    assert_eq!(status.code(), Some(0), "{said}");
    looks.end();
}
