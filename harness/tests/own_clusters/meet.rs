//! Processes that bring a kind cluster up, use it and take it down at once. One is stopped where
//! the other meets it.

use std::process::Command;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::Store;
use rustix::process::Signal;

use crate::lifecycle::{CLUSTER, down, leftovers, run};
use crate::support::processes::{STOP_AT, go_on, signal, until_stopped};
use crate::support::running::{PATIENCE, Running};
use crate::support::{exclusive, program};

fn command(name: &str) -> Command {
    let mut command = program();
    command
        .args(name.split(' '))
        .args(["--target", "kind", "--cluster", CLUSTER]);
    command
}

/// Stops a process as soon as it has the cluster's lock, which it has for seconds when it brings
/// the cluster up.
fn stop_in_up(running: &Running) {
    let lock = Store::open()
        .unwrap()
        .root()
        .join("clusters")
        .join(CLUSTER)
        .join("lock");
    let began = Instant::now();
    let own = format!("\"pid\":{},", running.id());
    let has_it = || std::fs::read_to_string(&lock).is_ok_and(|text| text.contains(&own));
    while !has_it() {
        assert!(
            began.elapsed() < PATIENCE,
            "it never got the cluster's lock"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(running.id(), Signal::STOP);
    until_stopped(running.id());
    let file = std::fs::File::open(&lock).unwrap();
    assert!(file.try_lock().is_err(), "it was stopped too late");
}

mod slow {
    use super::*;

    /// The first ends while the second still brings up its part: the cluster is the second's to
    /// remove.
    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn a_run_ends_well_while_another_brings_up_the_cluster_that_they_share() {
        let _exclusive = exclusive();
        down();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut first = Running::start(run(folders[0].path()));
        first.until("container ray-head of Pod");
        signal(first.id(), Signal::STOP);
        let second = Running::start(run(folders[1].path()));
        stop_in_up(&second);
        signal(first.id(), Signal::CONT);
        let (status, said) = first.end();
        signal(second.id(), Signal::CONT);
        assert_eq!(status.code(), Some(0), "{said}");
        let told = format!("stays up for process {} (up, ", second.id());
        assert!(said.contains(&told), "{said}");
        let (status, said) = second.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
    }

    /// Whoever brings a cluster up by `cluster up` wants it to stay.
    #[test]
    #[ignore = "needs kind, takes minutes"]
    fn a_run_leaves_the_cluster_up_that_another_process_brought_up_meanwhile() {
        let _exclusive = exclusive();
        down();
        let folder = tempfile::tempdir().unwrap();
        let up = Running::start(command("cluster up"));
        stop_in_up(&up);
        let mut run = Running::start(run(folder.path()));
        run.until(&format!("waiting for process {} (up, ", up.id()));
        signal(up.id(), Signal::CONT);
        let (status, said) = up.end();
        assert_eq!(status.code(), Some(0), "{said}");
        let (status, said) = run.end();
        assert_eq!(status.code(), Some(0), "{said}");
        let status = command("cluster status").output().unwrap();
        let text = String::from_utf8_lossy(&status.stdout);
        assert!(
            text.contains(&format!("{CLUSTER} is up since")),
            "{text}\n{said}"
        );
        down();
    }
}

/// The second has seen that nobody uses the cluster with other releases before the first brings it
/// up.
#[test]
#[ignore = "needs kind"]
fn a_run_of_other_releases_is_refused_also_when_both_begin_at_once() {
    let _exclusive = exclusive();
    down();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut other = run(folders[1].path());
    other.args(["--operator-image", "quay.io/kuberay/operator:v0.0.0-none"]);
    let second = Running::start({
        other.env(STOP_AT, "releases-compared");
        other
    });
    until_stopped(second.id());
    let mut first = Running::start(run(folders[0].path()));
    first.until("container ray-head of Pod");
    signal(first.id(), Signal::STOP);
    go_on(second.id());
    let (status, said) = second.end();
    signal(first.id(), Signal::CONT);
    let refused = format!("for process {} (run, ", first.id());
    assert!(status.code() == Some(3), "{status}: {said}");
    assert!(said.contains(&refused), "{status}: {said}");
    let (status, said) = first.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(leftovers(), Vec::<String>::new(), "{said}");
}

/// `cluster down` has removed a cluster when another process makes the next.
#[test]
#[ignore = "needs kind"]
fn what_is_noted_of_a_new_cluster_stays_when_the_end_of_the_former_is_late() {
    let _exclusive = exclusive();
    down();
    let up = || {
        let done = command("cluster up")
            .args(["--nodes", "1"])
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    up();
    let late = Running::start({
        let mut late = command("cluster down");
        late.env(STOP_AT, "cluster-removed");
        late
    });
    until_stopped(late.id());
    up();
    go_on(late.id());
    let (status, said) = late.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let status = command("cluster status").output().unwrap();
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(text.contains("\nKubeRay "), "{text}");
    down();
}
