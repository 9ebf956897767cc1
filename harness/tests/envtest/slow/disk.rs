//! Disks that get full or have no inodes left while a run is under way: it exits 3 and names the
//! cause, and its reports claim no more than happened.
//!
//! They mount small file systems in memory, so they need root.

use std::path::Path;
use std::process::{Command, Output};

use kuberay_conformance::report::read_results;
use rstest::rstest;

use crate::ends::waits;
use crate::support::disk::{Disk, DiskFault};
use crate::support::exclusive;
use crate::support::kills::claims_no_more_than_happened;
use crate::support::own_cache::own_cache;
use crate::support::running::Running;
use crate::support::sandbox::text;
use crate::support::{program, scenarios};

const CASES: [&str; 2] = ["default-command", "probes-over-http"];

/// API servers in a cache of a test's own, which go when this is dropped.
struct Up<'a>(&'a Path);

impl<'a> Up<'a> {
    fn new(folder: &'a Path) -> Self {
        let up = Self(folder);
        let output = up.command(&["cluster", "up"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        up
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .args(["--target", "envtest"])
            .env("KUBERAY_CONFORMANCE_CACHE", own_cache(self.0));
        if arguments != ["cluster", "down"] {
            command.args(["--operator", "1.6.2"]);
        }
        command
    }

    fn run(&self, output: &Path) -> Command {
        let mut run = self.command(&["run"]);
        run.args(CASES)
            .arg("--scenarios")
            .arg(scenarios())
            .arg("--output")
            .arg(output);
        run
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["cluster", "down"]).output();
    }
}

/// The disk of `--output`: what a run writes there, file after file, is once the first without room.
#[rstest]
#[case::full(|round| DiskFault::Full(round * 16 * 1024))]
#[case::no_inodes(DiskFault::NoInodes)]
#[ignore = "needs envtest and root, takes minutes"]
fn a_run_whose_output_has_no_room(#[case] step: fn(u64) -> DiskFault) {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let up = Up::new(folder.path());
    let disk = Disk::mount().unwrap();
    let (output, mine) = (disk.file("output"), disk.file("mine.txt"));
    std::fs::write(&mine, "mine").unwrap();
    let begin = || {
        let _ = std::fs::remove_dir_all(&output);
    };
    let end = |ran: &Output| {
        let said = text(ran);
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine", "{said}");
        if ran.status.code() != Some(0) && output.join("results.json").exists() {
            claims_no_more_than_happened(&output, || {
                let mut merge = program();
                merge.args(["report", "merge"]).arg(&output);
                merge.arg("--output").arg(folder.path().join("merged"));
                merge.output().unwrap()
            });
        }
    };
    let (failures, last) = disk.sweep(step, begin, || up.run(&output), end);
    println!("{failures} runs had no room");
    assert!(failures > 1, "it needs no room: {}", text(&last));
    assert_eq!(last.status.code(), Some(0), "{}", text(&last));
}

/// The disk gets full while a case runs.
#[test]
#[ignore = "needs envtest and root, takes minutes"]
fn a_run_whose_output_gets_full() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let up = Up::new(folder.path());
    let disk = Disk::mount().unwrap();
    let output = disk.file("output");
    waits(folder.path(), "waits", "5s");
    let mut command = up.command(&["run"]);
    command
        .arg("--scenarios")
        .arg(folder.path().join("scenarios"));
    command.arg("--output").arg(&output);
    let mut running = Running::start(command);
    running.until("0/1 checks");
    disk.break_it(DiskFault::Full(0));
    let (status, said) = running.end();
    disk.mend();
    assert_eq!(status.code(), Some(3), "{said}");
    disk.is_named(DiskFault::Full(0), &said);
    let left = read_results(&output.join("results.json")).unwrap();
    assert!(left.interrupted.is_some(), "it has not ended: {said}");
}
