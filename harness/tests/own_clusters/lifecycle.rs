//! A run that is interrupted or killed leaves nothing behind, or what `cluster down` then removes;
//! two runs get along.
//!
//! They make clusters of their own beside the one that other tests use.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::Store;
use kuberay_conformance::container::Engine;
use kuberay_conformance::report::RunResult;
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::running::Running;
use crate::support::{exclusive, program, scenarios};

pub const CLUSTER: &str = "kuberay-conformance-lifecycle";
/// Part of one name only, with one Ray: two Rays at once are slow on two cores.
const SCENARIO: &str = "script-in-words";

/// Ends a run as a terminal would: all of its process group.
fn signal(running: &Running, signal: Signal) {
    let group = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    kill_process_group(group, signal).unwrap();
}

/// `run` of one scenario on the cluster of these tests.
pub fn run(output: &Path) -> Command {
    let mut command = program();
    command
        .process_group(0)
        .args([
            "run",
            SCENARIO,
            "--target",
            "kind",
            "--cluster",
            CLUSTER,
            "--scenarios",
        ])
        .arg(scenarios())
        .arg("--output")
        .arg(output);
    command
}

pub fn down() -> String {
    let output = program()
        .args(["cluster", "down", "--target", "kind", "--cluster", CLUSTER])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn up() {
    let output = program()
        .args([
            "cluster",
            "up",
            "--target",
            "kind",
            "--nodes",
            "1",
            "--cluster",
            CLUSTER,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn engine() -> (tokio::runtime::Runtime, Engine) {
    let store = Store::open().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime
        .block_on(Engine::detect(None, store.root()))
        .unwrap();
    (runtime, engine)
}

/// What is left with the cluster's name; a process that podman has beside a container ends a moment
/// after it.
pub fn leftovers() -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let found = found();
        if found.is_empty() || Instant::now() > until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Containers, networks and processes with the cluster's name.
fn found() -> Vec<String> {
    let (runtime, engine) = engine();
    let mut found = Vec::new();
    for arguments in [
        ["ps", "--all", "--format", "{{.Names}}"],
        ["network", "ls", "--format", "{{.Name}}"],
    ] {
        let mut list = engine.command();
        list.args(arguments);
        let names = runtime
            .block_on(kuberay_conformance::process::output(
                list,
                "looking for leftovers",
                kuberay_conformance::process::TRANSFER,
            ))
            .unwrap();
        found.extend(
            names
                .lines()
                .filter(|line| line.contains(CLUSTER))
                .map(str::to_owned),
        );
    }
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    for process in processes {
        let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(CLUSTER) {
            found.push(arguments);
        }
    }
    found
}

fn results(output: &Path) -> RunResult {
    let text = std::fs::read_to_string(output.join("results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[rstest]
#[case::while_kind_works("kind makes")]
#[case::while_the_operator_starts("to be available")]
#[ignore = "needs kind"]
fn one_ctrl_c_ends_the_run_and_cleans_up(#[case] moment: &str) {
    let _exclusive = exclusive();
    down();
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(run(folder.path()));
    running.until(moment);
    signal(&running, Signal::INT);
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(3), "{said}");
    assert_eq!(
        results(folder.path()).interrupted.as_deref(),
        Some("the run was interrupted"),
        "{said}"
    );
    assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
}

/// Killed while its case runs; then `cluster down`, then a run that needs no network.
#[test]
#[ignore = "needs kind"]
fn after_a_kill_down_removes_everything_and_the_next_run_works() {
    let _exclusive = exclusive();
    down();
    let folder = tempfile::tempdir().unwrap();
    // What the user has set up for kubectl is nobody else's.
    let kubeconfig = folder.path().join("kubeconfig");
    let users_own = "apiVersion: v1\nkind: Config\ncurrent-context: production\n";
    std::fs::write(&kubeconfig, users_own).unwrap();
    let home = std::env::home_dir().map(|home| home.join(".kube/config"));
    let before = home.as_ref().map(|path| std::fs::read(path).ok());

    let mut command = run(folder.path());
    command.env("KUBECONFIG", &kubeconfig);
    let mut running = Running::start(command);
    running.until("container ray-head of Pod");
    running.child.kill().unwrap();
    running.end();
    let left = leftovers();
    assert!(
        left.iter().any(|name| name.ends_with("control-plane")),
        "{left:?}"
    );
    let removed = down();
    assert!(removed.contains("control-plane"), "{removed}");
    assert!(removed.contains("registry"), "{removed}");
    assert_eq!(leftovers(), Vec::<String>::new());

    let nowhere = "http://127.0.0.1:9";
    let output = run(folder.path())
        .env("KUBECONFIG", &kubeconfig)
        .env("GOPROXY", "off")
        .envs(["HTTP_PROXY", "HTTPS_PROXY"].map(|name| (name, nowhere)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(leftovers(), Vec::<String>::new());
    assert_eq!(std::fs::read_to_string(&kubeconfig).unwrap(), users_own);
    assert_eq!(home.as_ref().map(|path| std::fs::read(path).ok()), before);
}

/// The first brings the cluster up, the second uses it; whoever ends last takes it down.
#[test]
#[ignore = "needs kind"]
fn two_runs_at_once_share_a_cluster_of_the_same_releases() {
    let _exclusive = exclusive();
    down();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut first = Running::start(run(folders[0].path()));
    first.until("container ray-head of Pod");
    let second = Running::start(run(folders[1].path()));
    let (status, said) = first.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let (status, said) = second.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
}

mod slow {
    use super::*;

    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn ctrl_c_while_a_case_runs_keeps_its_evidence() {
        let _exclusive = exclusive();
        down();
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start(run(folder.path()));
        running.until("container ray-head of Pod");
        signal(&running, Signal::INT);
        let (status, said) = running.end();
        assert_eq!(status.code(), Some(3), "{said}");
        let result = results(folder.path());
        assert!(result.interrupted.is_some(), "{said}");
        let evidence = result.cases[0].evidence.as_ref().expect("evidence");
        let pods = folder.path().join(evidence).join("pods");
        assert_eq!(std::fs::read_dir(pods).unwrap().count(), 1);
        assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
    }

    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn a_second_ctrl_c_ends_it_at_once_and_down_removes_the_rest() {
        let _exclusive = exclusive();
        down();
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start(run(folder.path()));
        running.until("kind makes");
        signal(&running, Signal::INT);
        running.until("press Ctrl-C again");
        signal(&running, Signal::INT);
        let (status, said) = running.end();
        assert_eq!(status.code(), Some(130), "{said}");
        down();
        assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
    }

    /// After a crash of the machine podman takes containers for running whose processes are gone.
    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn containers_that_only_seem_to_run_are_made_anew() {
        let _exclusive = exclusive();
        let (runtime, engine) = engine();
        if engine.kind.program() != "podman" {
            println!("left out: Docker itself sees the end of a container's process");
            return;
        }
        let podman = |arguments: &[&str]| {
            let mut command = engine.command();
            command.args(arguments);
            runtime
                .block_on(kuberay_conformance::process::output(
                    command,
                    "asking podman",
                    kuberay_conformance::process::TRANSFER,
                ))
                .unwrap()
        };
        let name = format!("name={CLUSTER}");
        let ids = ["ps", "--quiet", "--filter", &name];
        down();
        up();
        let before = podman(&ids);
        assert!(before.lines().count() > 1, "{before}");
        for id in before.lines() {
            // First who looks after it, or its end would be told.
            let processes = podman(&[
                "container",
                "inspect",
                "--format",
                "{{.State.ConmonPid}} {{.State.Pid}}",
                id,
            ]);
            for process in processes.split_whitespace() {
                kill_process(
                    Pid::from_raw(process.parse().unwrap()).unwrap(),
                    Signal::KILL,
                )
                .unwrap();
            }
        }
        assert_eq!(podman(&ids), before, "podman takes them for running");
        up();
        let after = podman(&ids);
        assert!(after.lines().count() > 1, "{after}");
        assert!(after.lines().all(|id| !before.contains(id)), "{after}");
        down();
        assert_eq!(leftovers(), Vec::<String>::new());
    }
}
