//! Commands that wait for what never comes end on the first Ctrl-C, and when their terminal goes.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::Signal;

use crate::support::processes::{children, signal};
use crate::support::running::{PATIENCE, Running};
use crate::support::{program, scenarios};

const CONTEXT: &str = "kind-silent";
/// Far less than any limit of a request or a program.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A server that accepts connections and says nothing, and a kubeconfig that leads to it.
fn silent_server(folder: &Path) -> (TcpListener, PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    (listener, kubeconfig(folder, &server, "{token: t}"))
}

fn kubeconfig(folder: &Path, server: &str, user: &str) -> PathBuf {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- {{name: c, cluster: {{server: '{server}'}}}}\n\
         contexts:\n- {{name: {CONTEXT}, context: {{cluster: c, user: u}}}}\n\
         users:\n- {{name: u, user: {user}}}\n"
    );
    let path = folder.join("kubeconfig");
    std::fs::write(&path, text).unwrap();
    path
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .args(arguments)
        .env("KUBERAY_CONFORMANCE_CACHE", folder.join("cache"))
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy");
    command
}

fn in_context(folder: &Path, arguments: &[&str], kubeconfig: &Path) -> Command {
    let mut command = command(folder, arguments);
    command
        .args(["--context", CONTEXT, "--kubeconfig"])
        .arg(kubeconfig);
    command
}

/// Sends the signal, and sees that the command ends with 3 and says why.
fn ends_on(running: Running, sent: Signal) {
    let began = Instant::now();
    signal(running.id(), sent);
    let (status, said) = running.end();
    assert!(began.elapsed() < AT_ONCE, "{:?}: {said}", began.elapsed());
    assert_eq!(status.code(), Some(3), "{status}: {said}");
    assert!(said.contains("interrupted"), "{said}");
}

#[rstest]
#[case::down(&["cluster", "down"])]
#[case::status(&["cluster", "status"])]
#[case::submit(&["job", "submit", "--image", "harness:1"])]
#[case::collect(&["job", "collect"])]
#[case::doctor(&["doctor", "-A"])]
fn a_command_that_asks_a_silent_server_ends_on_the_first_signal(
    #[case] arguments: &[&str],
    #[values(Signal::INT, Signal::HUP)] sent: Signal,
) {
    let folder = tempfile::tempdir().unwrap();
    let (server, kubeconfig) = silent_server(folder.path());
    let mut command = in_context(folder.path(), arguments, &kubeconfig);
    if arguments.contains(&"submit") {
        command.arg("--scenarios").arg(scenarios());
    }
    let running = Running::start(command);
    // It asks.
    let connection = server.accept().unwrap();
    ends_on(running, sent);
    drop(connection);
}

/// A container engine that never answers.
#[rstest]
#[case::down(&["cluster", "down", "--target", "kind", "--engine", "podman"])]
#[case::status(&["cluster", "status", "--target", "kind", "--engine", "podman"])]
#[case::up(&["cluster", "up", "--target", "kind", "--engine", "podman"])]
#[case::image(&["job", "image", "--engine", "podman"])]
fn a_command_that_waits_for_a_container_engine_ends_on_the_first_signal(
    #[case] arguments: &[&str],
    #[values(Signal::INT, Signal::HUP)] sent: Signal,
) {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    let podman = programs.join("podman");
    std::fs::write(&podman, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&podman, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = command(folder.path(), arguments);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", programs.display()));
    if arguments.contains(&"image") {
        command.arg("--scenarios").arg(scenarios());
    }
    let mut running = Running::start(command);
    let began = Instant::now();
    let engine = loop {
        let sleeps = |(_, name): &(u32, String)| name == "sleep";
        if let Some((id, _)) = children(running.id()).into_iter().find(sleeps) {
            break id;
        }
        let ended = running.child.try_wait().unwrap();
        assert!(ended.is_none(), "it asks no engine: {ended:?}");
        assert!(began.elapsed() < PATIENCE, "it asks no engine: {ended:?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    ends_on(running, sent);
    let runs = Path::new("/proc").join(engine.to_string()).join("cmdline");
    let line = std::fs::read(runs).unwrap_or_default();
    assert!(
        !line.starts_with(b"sleep"),
        "the engine's program still runs"
    );
}

/// kube runs it and waits for it.
#[test]
fn a_program_for_credentials_that_does_not_end_does_not_keep_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, \
                args: ['60'], interactiveMode: Never}}";
    let kubeconfig = kubeconfig(folder.path(), "http://127.0.0.1:1", user);
    let command = in_context(folder.path(), &["cluster", "status"], &kubeconfig);
    let running = Running::start(command);
    let began = Instant::now();
    while children(running.id()).is_empty() {
        assert!(
            began.elapsed() < AT_ONCE,
            "the program for credentials does not start"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = children(running.id());
    ends_on(running, Signal::INT);
    for (id, _) in left {
        signal(id, Signal::KILL);
    }
}
