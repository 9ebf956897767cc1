//! Disks that are full, have no inodes or can't be written: commands exit 3, name the cause, and
//! leave earlier files intact.
//!
//! They mount small file systems in memory; where that is not allowed, they are ignored.

#![allow(missing_docs, reason = "an integration test has no public interface")]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/all.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use kuberay_conformance::report::{example, write_all};
use libtest_mimic::{Arguments, Completion, Trial};
use support::disk::{Disk, DiskFault};
use support::sandbox::text;
use support::{program, scenarios};

/// A page of a file system in memory.
const PAGE: u64 = 4096;

/// Prepares a command for a disk.
type Make = fn(&Disk) -> Subject;
/// The fault of a round.
type Step = fn(u64) -> DiskFault;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let commands: [(&str, Make); 4] = [
        ("merged_reports", merged_reports),
        ("a_page_that_compares", page_that_compares),
        ("a_new_scenario", new_scenario),
        ("man_pages", man_pages),
    ];
    let trials = commands.into_iter().flat_map(|(name, subject)| {
        let steps: [(&str, Step); 2] = [
            ("full", |round| DiskFault::Full(round * 2 * PAGE)),
            ("no_inodes", DiskFault::NoInodes),
        ];
        let sweeps = steps.map(|(fault, step)| {
            Trial::ignorable_test(format!("{name}::{fault}"), move || {
                Ok(on_a_disk(|disk| sweep(&subject(disk), disk, step)))
            })
        });
        let read_only = Trial::ignorable_test(format!("{name}::read_only"), move || {
            Ok(on_a_disk(|disk| read_only(&subject(disk), disk)))
        });
        sweeps.into_iter().chain([read_only])
    });
    // The first fails with every disk, and the others take no room.
    let others: [(&str, Make); 3] = [
        ("cache", cache),
        ("earlier_reports_of_a_run", reports_of_a_run),
        ("an_accepted_snapshot", accepted_snapshot),
    ];
    let others = others.map(|(name, subject)| {
        Trial::ignorable_test(format!("{name}::read_only"), move || {
            Ok(on_a_disk(|disk| read_only(&subject(disk), disk)))
        })
    });
    libtest_mimic::run(&arguments, trials.chain(others).collect()).exit_code()
}

fn on_a_disk(test: impl FnOnce(&Disk)) -> Completion {
    match Disk::mount() {
        Ok(disk) => {
            test(&disk);
            Completion::Completed
        }
        Err(why) => Completion::ignored_with(why),
    }
}

/// A command that writes onto a disk.
struct Subject {
    command: Box<dyn Fn() -> Command>,
    /// Its exit code where it has room.
    code: i32,
    /// What it must not write again to begin anew.
    made: Vec<PathBuf>,
    _files: tempfile::TempDir,
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every file on the disk, with its content.
fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn remove(paths: &[PathBuf]) {
    for path in paths {
        let _ = std::fs::remove_dir_all(path);
        let _ = std::fs::remove_file(path);
    }
}

fn sweep(subject: &Subject, disk: &Disk, step: Step) {
    let before = files(disk.path());
    // What it writes where it has room.
    let whole = (subject.command)().output().unwrap();
    assert_eq!(whole.status.code(), Some(subject.code), "{}", text(&whole));
    let after = files(disk.path());
    let begin = || {
        remove(&subject.made);
        for (path, content) in &before {
            std::fs::write(path, content).unwrap();
        }
    };
    let is_intact = |output: &Output| {
        for (path, content) in &before {
            let now = std::fs::read(path).unwrap_or_default();
            let is_whole = now == *content || output.status.code() != Some(3);
            // One that was replaced was replaced as a whole.
            let is_new = after.get(path).is_some_and(|new| new.len() == now.len());
            assert!(is_whole || is_new, "{}: {}", path.display(), text(output));
        }
        for path in files(disk.path()).keys() {
            let is_known = before.contains_key(path) || after.contains_key(path);
            assert!(is_known, "{} is left: {}", path.display(), text(output));
        }
    };
    let (failures, last) = disk.sweep(step, begin, || (subject.command)(), is_intact);
    assert!(failures > 0, "it needs no room: {}", text(&last));
    assert_eq!(last.status.code(), Some(subject.code), "{}", text(&last));
}

fn read_only(subject: &Subject, disk: &Disk) {
    let before = files(disk.path());
    let output = disk.with(DiskFault::ReadOnly, &mut (subject.command)());
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    disk.is_named(DiskFault::ReadOnly, &text(&output));
    assert!(files(disk.path()) == before, "{}", text(&output));
}

/// Results of one case that passed, with evidence.
fn folder_with_results() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut run = example::run();
    run.cases.truncate(1);
    let evidence = "evidence/envtest/a";
    run.cases[0].evidence = Some(evidence.into());
    run.planned = vec![run.cases[0].id.clone()];
    (run.missing, run.interrupted, run.shard) = (Vec::new(), None, None);
    write_all(&run, folder.path()).unwrap();
    let evidence = folder.path().join(evidence);
    std::fs::create_dir_all(&evidence).unwrap();
    std::fs::write(evidence.join("pods.yaml"), vec![b'x'; 20_000]).unwrap();
    folder
}

fn subject(
    files: tempfile::TempDir,
    code: i32,
    made: Vec<PathBuf>,
    arguments: impl Fn(&mut Command) + 'static,
) -> Subject {
    let here = files.path().to_path_buf();
    Subject {
        command: Box::new(move || {
            let mut command = program();
            command.current_dir(&here);
            arguments(&mut command);
            command
        }),
        code,
        made,
        _files: files,
    }
}

fn merged_reports(disk: &Disk) -> Subject {
    let (files, output) = (folder_with_results(), disk.file("merged"));
    let earlier = example::run();
    write_all(&earlier, &output).unwrap();
    let made = vec![output.join("evidence")];
    subject(files, 0, made, move |command| {
        command
            .args(["report", "merge", "."])
            .arg("--output")
            .arg(&output);
    })
}

fn page_that_compares(disk: &Disk) -> Subject {
    let page = disk.file("page.html");
    std::fs::write(&page, "an earlier page").unwrap();
    subject(folder_with_results(), 0, Vec::new(), move |command| {
        command
            .args(["report", "compare", ".", ".", "--html"])
            .arg(&page);
    })
}

fn new_scenario(disk: &Disk) -> Subject {
    let manifest = scenarios().join("default-command/raycluster.yaml");
    let root = disk.file("scenarios");
    subject(
        tempfile::tempdir().unwrap(),
        0,
        vec![root.clone()],
        move |command| {
            command.args(["scenario", "init", "mine"]).arg(&manifest);
            command.arg("--scenarios").arg(&root);
        },
    )
}

fn accepted_snapshot(disk: &Disk) -> Subject {
    let root = disk.file("scenarios");
    let folder = root.join("default-command");
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(scenarios().join("default-command")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "head.command@ge-1.4.0.snap" {
            let pending = folder.join(format!("{name}.new"));
            std::fs::copy(entry.path(), pending).unwrap();
        }
    }
    subject(
        tempfile::tempdir().unwrap(),
        0,
        Vec::new(),
        move |command| {
            command
                .args(["snapshot", "accept", "--partial", "--scenarios"])
                .arg(&root);
        },
    )
}

fn cache(disk: &Disk) -> Subject {
    let cache = disk.file("cache");
    subject(
        tempfile::tempdir().unwrap(),
        0,
        vec![cache.clone()],
        move |command| {
            command.args(["scenario", "list"]);
            command.env("KUBERAY_CONFORMANCE_CACHE", &cache);
        },
    )
}

fn man_pages(disk: &Disk) -> Subject {
    let folder = disk.file("man");
    subject(
        tempfile::tempdir().unwrap(),
        0,
        vec![folder.clone()],
        move |command| {
            command.arg("man").arg(&folder);
        },
    )
}

/// A run that can't begin, because its cluster does not answer; there are reports of an earlier
/// one.
fn reports_of_a_run(disk: &Disk) -> Subject {
    let output = disk.file("output");
    write_all(&example::run(), &output).unwrap();
    let files = tempfile::tempdir().unwrap();
    let kubeconfig = "apiVersion: v1\nkind: Config\n\
        clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        contexts: [{name: kind-c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n";
    std::fs::write(files.path().join("kubeconfig"), kubeconfig).unwrap();
    subject(files, 3, Vec::new(), move |command| {
        command.args(["run", "default-command", "--context", "kind-c"]);
        command.args(["--kubeconfig", "kubeconfig", "--scenarios"]);
        command.arg(scenarios()).arg("--output").arg(&output);
    })
}
