//! Parsers of foreign text return a value or an error for every input; they never panic or hang.
//!
//! `PROPTEST_CASES` sets how many texts each test tries, `KUBERAY_CONFORMANCE_MUTATE_SECONDS` for
//! how long.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use crate::check::{Bounds, Line, Lines};
use crate::expect::SnapshotFile;
use crate::generate::{Watch, try_texts};
use crate::results::RunResult;
use crate::{init, lint, parse_manifest};

/// Every file of the scenarios with one of these endings.
fn files(ending: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let folders = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = folders
        .filter(|path| path.is_dir())
        .flat_map(|path| fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths
        .iter()
        .step_by(5)
        .map(|path| fs::read(path).unwrap())
        .collect()
}

fn written(name: &str, text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    fs::create_dir(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    (root, path)
}

#[test]
fn scenario_files() {
    try_texts(files("scenario.yaml"), |text| {
        let (root, _) = written("scenario.yaml", &text);
        for problem in lint(root.path()) {
            prop_assert!(!problem.message.is_empty());
        }
        Ok(())
    });
}

#[test]
fn manifests() {
    try_texts(files("cluster.yaml"), |text| {
        let text = String::from_utf8_lossy(&text);
        if let Ok(objects) = parse_manifest(&text, "a.yaml") {
            prop_assert!(!objects.is_empty());
        }
        let source = kuberay_manifest::Source::new(Path::new("a.yaml"), &text);
        if let Ok(made) = init("mine", &[source]) {
            prop_assert!(made.iter().all(|one| one.saved.name.starts_with("mine")));
        }
        Ok(())
    });
}

#[test]
fn snapshots() {
    try_texts(files(".snap"), |text| {
        let (_root, path) = written("head.args@ge-1.0.0.snap", &text);
        if let Ok(snapshot) = SnapshotFile::read(&path) {
            // What is read is written in the same form.
            fs::write(&path, snapshot.to_text()).unwrap();
            prop_assert_eq!(SnapshotFile::read(&path).unwrap(), snapshot);
        }
        Ok(())
    });
}

#[test]
fn results() {
    let original = serde_json::to_vec(&crate::results::example::run()).unwrap();
    try_texts(vec![original], |text| {
        let read: Result<RunResult, _> = serde_json::from_slice(&text);
        if let Err(error) = read {
            prop_assert!(!error.to_string().is_empty());
        }
        Ok(())
    });
}

#[test]
fn log_lines() {
    let original =
        b"2026-01-01 INFO a.py:1 -- Ray runtime started.\nnext\r\n\x1b[31mred\n".to_vec();
    let bounds = Bounds {
        head: 200,
        tail: 200,
    };
    try_texts(vec![original], |text| {
        let mut lines = Lines::new(bounds);
        for line in text.split(|byte| *byte == b'\n') {
            lines.push(&Line {
                text: String::from_utf8_lossy(line).into_owned(),
                cut: 0,
            });
        }
        prop_assert_eq!(lines.count(), text.split(|byte| *byte == b'\n').count());
        prop_assert!(lines.iter().count() <= lines.count());
        Ok(())
    });
}

#[test]
fn a_text_that_takes_long_or_much_memory_is_found() {
    let mut short = Watch::start();
    short.longest = Duration::from_millis(20);
    let found = short.over(Vec::new(), |_| {
        std::thread::sleep(Duration::from_millis(40));
        Ok(())
    });
    let found = found.expect_err("it takes too long").to_string();
    assert!(found.contains("it took 0.0 s"), "{found}");
    let mut little = Watch::start();
    little.most_memory = 16 << 10;
    let takes_much = |_| {
        let bytes = vec![1_u8; 64 << 20];
        prop_assert!(bytes.iter().step_by(4096).all(|byte| *byte == 1));
        Ok(())
    };
    // The peak is that of the process: a test beside this one may begin it again.
    let found = (0..50).find_map(|_| little.over(Vec::new(), takes_much).err());
    let found = found.expect("it takes too much").to_string();
    assert!(found.contains("MiB"), "{found}");
}
