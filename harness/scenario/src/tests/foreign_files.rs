//! What lies in a scenario's folder and is none of its files.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use miette::GraphicalReportHandler;

use super::{CLUSTER, GOOD, folder, lines};
use crate::expect::SnapshotFile;
use crate::{Diagnostic, lint, load, load_all};

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

/// What a function returns, which must not wait for anything.
fn at_once<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(function()));
    let result = receiver.recv_timeout(Duration::from_secs(20));
    result.expect("it ends, although nobody writes into the pipe")
}

/// Everything that a terminal would show.
fn shown(problems: &[Diagnostic]) -> String {
    let mut text = String::new();
    for problem in problems {
        GraphicalReportHandler::new()
            .render_report(&mut text, problem)
            .unwrap();
    }
    text
}

#[test]
fn a_link_to_a_scenario_folder_does_not_make_a_second_scenario() {
    let (root, _folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    symlink("demo", root.path().join("other")).unwrap();
    let error = load_all(root.path()).expect_err("one id would stand for two cases");
    assert_eq!(
        lines(error.diagnostics())[0],
        "other:1:1 the scenario folder is a link (put the folder itself here, or remove the link)"
    );
    assert_eq!(lines(&lint(root.path())), lines(error.diagnostics()));
}

#[test]
fn a_pipe_in_place_of_a_scenario_file_is_refused_at_once() {
    let (root, folder) = folder(&[]);
    fifo(&folder.join("scenario.yaml"));
    let path = root.path().to_owned();
    let found = at_once(move || lint(&path));
    assert!(
        lines(&found)[0].ends_with("scenario.yaml is not a regular file"),
        "{found:#?}"
    );
    let error = at_once(move || load(&folder).unwrap_err().to_string());
    assert!(error.contains("is not a regular file"), "{error}");
}

#[test]
fn a_pipe_in_place_of_a_manifest_or_a_snapshot_is_refused_at_once() {
    let (root, folder) = folder(&[("scenario.yaml", GOOD)]);
    fifo(&folder.join("raycluster.yaml"));
    let snapshot = folder.join("head.args@ge-1.4.0.snap");
    fifo(&snapshot);
    let path = root.path().to_owned();
    let found = lines(&at_once(move || lint(&path))).join("\n");
    assert!(
        found.contains("12:7 the manifest `raycluster.yaml` is not a regular file"),
        "{found}"
    );
    let read = at_once(move || SnapshotFile::read(&snapshot));
    let error = read.unwrap_err().to_string();
    assert!(error.contains("it is not a regular file"), "{error}");
}

#[test]
fn a_manifest_that_is_a_link_to_elsewhere_is_reported_without_its_content() {
    let (root, folder) = folder(&[("scenario.yaml", GOOD)]);
    std::fs::write(root.path().join("private.txt"), "password: [hunter2\n").unwrap();
    symlink("../private.txt", folder.join("raycluster.yaml")).unwrap();
    let found = lint(root.path());
    assert!(
        lines(&found)
            .join("\n")
            .contains("is a link that leaves the scenario's folder"),
        "{found:#?}"
    );
    assert!(!shown(&found).contains("hunter2"), "{}", shown(&found));
}

#[test]
fn a_scenario_file_that_is_a_link_to_elsewhere_is_reported_without_its_content() {
    let (root, folder) = folder(&[("raycluster.yaml", CLUSTER)]);
    std::fs::write(root.path().join("private.txt"), "password: [hunter2\n").unwrap();
    symlink("../private.txt", folder.join("scenario.yaml")).unwrap();
    let found = lint(root.path());
    assert!(
        lines(&found)[0].contains("is a link that leaves the scenario's folder"),
        "{found:#?}"
    );
    assert!(!shown(&found).contains("hunter2"), "{}", shown(&found));
}

#[test]
fn a_file_beyond_all_measure_is_refused_unread() {
    let (root, folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    let file = std::fs::File::options()
        .write(true)
        .open(folder.join("raycluster.yaml"))
        .unwrap();
    // A hole: it has the length, but no blocks.
    file.set_len(1 << 40).unwrap();
    let found = lines(&lint(root.path())).join("\n");
    assert!(
        found.contains("the manifest `raycluster.yaml` has more than 4 MiB"),
        "{found}"
    );
}

#[test]
fn what_is_wrong_in_a_file_is_shown_without_effect_on_the_terminal() {
    let text = GOOD
        .replace("issues: []", "issues: []\n  \"le\\e[31mvel\\u202e\": core")
        .replace("A demonstration.", "A \u{202e}demonstration\u{a0}.")
        .replace(
            "status: SUCCEEDED",
            "status: \"\\e]0;title\\a\\n::error::x\"",
        );
    let (root, _folder) = folder(&[("scenario.yaml", &text), ("raycluster.yaml", CLUSTER)]);
    let found = lint(root.path());
    let mut all = String::new();
    for problem in &found {
        let handler = GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut all, problem).unwrap();
    }
    all.push_str(&load_all(root.path()).unwrap_err().to_string());
    assert!(all.contains("unknown key"), "{all}");
    assert!(all.contains("can't be"), "{all}");
    let acts = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{a0}');
    assert!(!all.contains(acts), "{all:?}");
    assert!(
        !all.lines().any(|line| line.trim_start().starts_with("::")),
        "{all}"
    );
}
