//! The life of a snapshot: missing, pending, accepted, equal, different.

mod contract;

use assert_matches::assert_matches;
use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use rstest::rstest;
use semver::Version;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::check::{Comparison, Expectations, Subject};
use crate::{PodField, Role};

const ARGS: &str = " echo 123  456  && ulimit -n 65536; ray start --head  --block  --num-cpus=1 ";

fn subject(field: PodField) -> Subject {
    Subject::new(Role::Head, field)
}

/// A scenario's folder below one that stands for `scenarios`.
struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("scenarios/x")).unwrap();
        Fixture(root)
    }

    fn dir(&self) -> std::path::PathBuf {
        self.0.path().join("scenarios/x")
    }

    fn with(&self, operator: &str, write_pending: bool) -> SnapshotFolder {
        let verified = Verified {
            ray: Some("2.52.0".parse().unwrap()),
            images: vec!["ray@sha256:2".into(), "operator@sha256:1".into()],
            write_pending,
        };
        SnapshotFolder::new(self.dir(), operator.parse().unwrap(), "kc-7f3", verified)
    }

    fn compare(&self, operator: &str, found: &Value) -> Comparison {
        self.with(operator, true)
            .compare(&subject(PodField::Args), found)
    }

    /// Finds on each of the releases, then accepts what is pending.
    fn accepted(&self, operators: &[&str], found: &Value) {
        for operator in operators {
            self.compare(operator, found);
        }
        for pending in self.pending() {
            accept(&pending, false).unwrap();
        }
    }

    fn pending(&self) -> Vec<Pending> {
        pending(self.0.path()).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn releases(&self, file: &str) -> Vec<String> {
        let header = SnapshotFile::read(&self.dir().join(file)).unwrap().header;
        header.operator.iter().map(ToString::to_string).collect()
    }
}

fn is_equal(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Equal { .. })
}

fn is_different(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Different { .. })
}

#[test]
fn what_is_missing_is_pending_then_accepted_then_equal() {
    let fixture = Fixture::new();
    let Comparison::Missing { found, file } = fixture.compare("1.6.2", &json!([ARGS])) else {
        panic!("there is no snapshot yet");
    };
    assert_eq!(found, format!("- \"{ARGS}\""));
    assert_eq!(file, "head.args@ge-1.6.0.snap");
    assert_eq!(fixture.files(), ["head.args@ge-1.6.0.snap.new"]);

    let [pending] = &fixture.pending()[..] else {
        panic!()
    };
    assert_eq!(pending.diff(), format!("+- \"{ARGS}\""));
    assert_eq!(
        accept(pending, false).unwrap(),
        fixture.dir().join("head.args@ge-1.6.0.snap")
    );
    assert_eq!(fixture.files(), ["head.args@ge-1.6.0.snap"]);
    let text = fs::read_to_string(&pending.target).unwrap();
    assert_eq!(
        text,
        format!(
            "---\nsource: scenarios/x/scenario.yaml\nexpression: head.args\ninfo:\n  operator:\n    - 1.6.2\n  ray:\n    \
             - 2.52.0\n  images:\n    - \"operator@sha256:1\"\n    - \"ray@sha256:2\"\n---\n- \"{ARGS}\"\n"
        )
    );
    assert!(is_equal(&fixture.compare("1.6.2", &json!([ARGS]))));
}

#[rstest]
#[case::no_space_at_the_end(&ARGS[..ARGS.len() - 1])]
#[case::two_spaces_at_the_end(&format!("{ARGS} "))]
#[case::no_space_at_the_start(&ARGS[1..])]
#[case::one_space_between(&ARGS.replace("123  456", "123 456"))]
#[case::a_tab_between(&ARGS.replace("123  456", "123 \t456"))]
#[case::no_break_space(&ARGS.replace("123  456", "123 \u{a0}456"))]
#[case::a_newline_at_the_end(&format!("{ARGS}\n"))]
#[case::a_carriage_return_at_the_end(&format!("{ARGS}\r"))]
#[case::zero_width_space(&format!("{ARGS}\u{200b}"))]
#[case::another_order(&ARGS.replace("--block  --num-cpus=1", "--num-cpus=1  --block"))]
fn every_change_of_args_is_a_difference(#[case] changed: &str) {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2"], &json!([ARGS]));
    let comparison = fixture.compare("1.6.2", &json!([changed]));
    assert!(is_different(&comparison), "{comparison:?}");
    // The pending form holds the change too: accepted, it is what was found.
    accept(&fixture.pending()[0], false).unwrap();
    assert!(is_equal(&fixture.compare("1.6.2", &json!([changed]))));
    assert!(is_different(&fixture.compare("1.6.2", &json!([ARGS]))));
}

#[test]
fn two_arguments_are_not_one_with_a_space() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2"], &json!(["a b"]));
    assert!(is_different(&fixture.compare("1.6.2", &json!(["a", "b"]))));
    assert!(is_different(&fixture.compare("1.6.2", &json!(["a b", ""]))));
    assert!(is_different(&fixture.compare("1.6.2", &json!(null))));
}

#[rstest]
#[case::absent(json!(null))]
#[case::unicode(json!(["größer 値 🚀 \u{2028}"]))]
#[case::lines(json!(["\n\tif (( SECONDS <= 120 )); then\r\n---\n"]))]
#[case::long(json!([format!(" {} ", "größer  ".repeat(12_500))]))]
fn odd_values_survive_the_file(#[case] found: Value) {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2"], &found);
    assert!(is_equal(&fixture.compare("1.6.2", &found)));
    // A checkout with CRLF is the same snapshot.
    let path = fixture.dir().join("head.args@ge-1.6.0.snap");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    assert!(is_equal(&fixture.compare("1.6.2", &found)));
}

#[test]
fn the_message_shows_the_one_space_that_differs() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2"], &json!([ARGS]));
    let Comparison::Different {
        expected,
        found,
        diff,
        file,
        ..
    } = fixture.compare("1.6.2", &json!([ARGS.trim_end()]))
    else {
        panic!()
    };
    assert_eq!(expected.len(), found.len() + 1);
    assert_eq!(file.as_str(), "head.args@ge-1.6.0.snap");
    assert!(
        diff.contains("Only white space differs: 1 space too few."),
        "{diff}"
    );
    assert!(diff.contains("--num-cpus=1·\"\n"), "{diff}");
}

#[rstest]
#[case("1.3.2", None)]
#[case("1.4.0", Some("head.args@ge-1.4.0.snap"))]
#[case("1.5.1", Some("head.args@ge-1.4.0.snap"))]
#[case("1.6.2", Some("head.args@ge-1.6.0.snap"))]
#[case("1.7.0", Some("head.args@ge-1.6.0.snap"))]
fn the_greatest_bound_not_above_the_release_counts(
    #[case] operator: &str,
    #[case] file: Option<&str>,
) {
    let fixture = Fixture::new();
    fixture.accepted(&["1.4.2"], &json!(["four"]));
    fixture.accepted(&["1.6.2"], &json!(["six"]));
    let path = snapshot_path(
        &fixture.dir(),
        &subject(PodField::Args),
        &operator.parse().unwrap(),
    );
    assert_eq!(path, file.map(|file| fixture.dir().join(file)));
    let (four, six) = (
        fixture.compare(operator, &json!(["four"])),
        fixture.compare(operator, &json!(["six"])),
    );
    assert_eq!(
        is_equal(&four),
        file.is_some_and(|file| file.contains("1.4"))
    );
    assert_eq!(
        is_equal(&six),
        file.is_some_and(|file| file.contains("1.6"))
    );
}

#[test]
fn in_ci_nothing_is_written_or_removed() {
    let fixture = Fixture::new();
    let ci = fixture.with("1.6.2", false);
    assert_matches!(
        ci.compare(&subject(PodField::Args), &json!(["a"])),
        Comparison::Missing { .. }
    );
    assert!(fixture.files().is_empty());
    fixture.accepted(&["1.6.2"], &json!(["a"]));
    assert!(is_different(
        &ci.compare(&subject(PodField::Args), &json!(["b"]))
    ));
    fixture.compare("1.6.2", &json!(["b"]));
    assert!(is_equal(
        &ci.compare(&subject(PodField::Args), &json!(["a"]))
    ));
    assert_eq!(
        fixture.files(),
        ["head.args@ge-1.6.0.snap", "head.args@ge-1.6.0.snap.new"]
    );
}

#[rstest]
#[case(None, true)]
#[case(Some(""), true)]
#[case(Some("false"), true)]
#[case(Some("0"), true)]
#[case(Some("true"), false)]
#[case(Some("1"), false)]
fn ci_forbids_pending(#[case] ci: Option<&str>, #[case] allowed: bool) {
    assert_eq!(pending_allowed(ci), allowed);
}

#[test]
fn a_pending_snapshot_goes_when_its_release_is_equal_again() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.1"], &json!(["a"]));
    fixture.compare("1.6.1", &json!(["b"]));
    // Another release's result does not speak for this one's.
    fixture.compare("1.6.2", &json!(["a"]));
    assert_eq!(fixture.pending().len(), 1);
    fixture.compare("1.6.1", &json!(["a"]));
    assert_eq!(fixture.files(), ["head.args@ge-1.6.0.snap"]);
}

#[test]
fn releases_that_give_the_same_share_one_pending_snapshot() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2", "1.6.0", "1.6.2"], &json!(["a"]));
    assert_eq!(
        fixture.releases("head.args@ge-1.6.0.snap"),
        ["1.6.0", "1.6.2"]
    );
}

#[test]
fn releases_of_a_class_that_differ_are_reported() {
    let fixture = Fixture::new();
    fixture.compare("1.6.0", &json!(["a"]));
    let folder = fixture.with("1.6.2", true);
    folder.compare(&subject(PodField::Args), &json!(["b"]));
    folder.compare(&subject(PodField::Args), &json!(["b"]));
    let problems = folder.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("of KubeRay 1.6.0 was replaced by a different one of 1.6.2"),
        "{problems:?}"
    );
}

#[rstest]
#[case::class("head.args@ge-9.9.0.snap.new")]
#[case::subject("tail.args@ge-1.6.0.snap.new")]
fn a_pending_snapshot_of_an_unknown_name_is_an_error(#[case] name: &str) {
    let fixture = Fixture::new();
    fixture.compare("1.6.2", &json!([ARGS]));
    let path = fixture.dir().join(name);
    fs::copy(fixture.dir().join("head.args@ge-1.6.0.snap.new"), &path).unwrap();
    let found = pending(fixture.0.path());
    assert_matches!(found, Err(ExpectError::Malformed { path: of, .. }) if of == path);
}

#[test]
fn accepting_needs_partial_when_verified_releases_were_not_covered() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.0", "1.6.1", "1.6.2"], &json!(["a"]));
    fixture.compare("1.6.2", &json!(["b"]));
    let pending = &fixture.pending()[0];
    let error = accept(pending, false).unwrap_err().to_string();
    assert!(
        error.contains("verified on 1.6.0, 1.6.1, which this run did not cover"),
        "{error}"
    );
    assert!(error.contains("--operator 1.6.0,1.6.1"), "{error}");
    assert!(error.contains("--partial"), "{error}");
    assert_eq!(fixture.files().len(), 2, "nothing was accepted");
    accept(pending, true).unwrap();
    assert_eq!(fixture.releases("head.args@ge-1.6.0.snap"), ["1.6.2"]);
    assert!(is_equal(&fixture.compare("1.6.2", &json!(["b"]))));
}

#[test]
fn a_new_class_takes_its_releases_from_the_older_snapshot() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.4.2", "1.5.1"], &json!(["a"]));
    // Both releases of the range 1.4 … are equal, so 1.6.0 is recorded in the same file.
    let folder = fixture.with("1.6.0", true);
    folder.compare(&subject(PodField::Args), &json!(["a"]));
    folder.record_verified().unwrap();
    assert_eq!(
        fixture.releases("head.args@ge-1.4.0.snap"),
        ["1.4.2", "1.5.1", "1.6.0"]
    );

    fixture.compare("1.6.2", &json!(["b"]));
    let pending = &fixture.pending()[0];
    assert_eq!(pending.uncovered(), ["1.6.0".parse().unwrap()]);
    assert!(accept(pending, false).is_err());
    fixture.compare("1.6.0", &json!(["b"]));
    accept(&fixture.pending()[0], false).unwrap();
    assert_eq!(
        fixture.releases("head.args@ge-1.4.0.snap"),
        ["1.4.2", "1.5.1"]
    );
    assert_eq!(
        fixture.releases("head.args@ge-1.6.0.snap"),
        ["1.6.0", "1.6.2"]
    );
    assert!(is_equal(&fixture.compare("1.5.1", &json!(["a"]))));
}

#[test]
fn classes_that_are_alike_end_in_one_snapshot() {
    let fixture = Fixture::new();
    for operator in ["1.6.2", "1.4.2", "1.5.1"] {
        fixture.compare(operator, &json!(["a"]));
    }
    assert_eq!(fixture.pending().len(), 3);
    let (reviewed, _) = reviewed(&fixture, false, &[one(Decision::Accept); 3]);
    assert_eq!(reviewed.accepted.len(), 3);
    assert_eq!(fixture.files(), ["head.args@ge-1.4.0.snap"]);
    assert_eq!(
        fixture.releases("head.args@ge-1.4.0.snap"),
        ["1.4.2", "1.5.1", "1.6.2"]
    );
}

#[test]
fn verified_releases_are_recorded_only_for_what_was_equal() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.0"], &json!(["a"]));
    let folder = fixture.with("1.6.2", true);
    folder.compare(&subject(PodField::Args), &json!(["a"]));
    folder.compare(&subject(PodField::Args), &json!(["b"]));
    assert!(folder.record_verified().unwrap().is_empty());
    folder.compare(&subject(PodField::Args), &json!(["a"]));
    assert_eq!(
        folder.record_verified().unwrap(),
        [fixture.dir().join("head.args@ge-1.6.0.snap")]
    );
    assert!(
        folder.record_verified().unwrap().is_empty(),
        "nothing is new the second time"
    );
    assert_eq!(
        fixture.releases("head.args@ge-1.6.0.snap"),
        ["1.6.0", "1.6.2"]
    );
}

#[test]
fn rejecting_removes_the_pending_snapshot_alone() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.2"], &json!(["a"]));
    fixture.compare("1.6.2", &json!(["b"]));
    reject(&fixture.pending()[0]).unwrap();
    assert_eq!(fixture.files(), ["head.args@ge-1.6.0.snap"]);
    assert!(is_equal(&fixture.compare("1.6.2", &json!(["a"]))));
}

#[test]
fn only_our_own_pending_snapshots_are_found() {
    let fixture = Fixture::new();
    fixture.compare("1.6.2", &json!(["a"]));
    for folder in ["target", ".git"] {
        let folder = fixture.0.path().join(folder);
        fs::create_dir(&folder).unwrap();
        fs::copy(
            fixture.pending()[0].path.clone(),
            folder.join("head.args@ge-1.6.0.snap.new"),
        )
        .unwrap();
    }
    fs::write(
        fixture.dir().join("kuberay_conformance__x.snap.new"),
        "---\n---\nx\n",
    )
    .unwrap();
    assert_eq!(fixture.pending().len(), 1);
    assert_matches!(
        pending(Path::new("no/such/folder")),
        Err(ExpectError::Read { .. })
    );
}

#[test]
fn a_malformed_snapshot_is_different_and_stays() {
    let fixture = Fixture::new();
    let path = fixture.dir().join("head.args@ge-1.6.0.snap");
    fs::write(&path, "<<<<<<< ours\n").unwrap();
    let Comparison::Different { diff, .. } = fixture.compare("1.6.2", &json!(["a"])) else {
        panic!()
    };
    assert!(
        diff.contains("is not a snapshot: it has no header"),
        "{diff}"
    );
    assert_eq!(fixture.files(), ["head.args@ge-1.6.0.snap"]);
}

#[test]
fn a_malformed_pending_snapshot_is_an_error_of_review_and_replaced_by_a_run() {
    let fixture = Fixture::new();
    fs::write(fixture.dir().join("head.args@ge-1.6.0.snap.new"), "half").unwrap();
    let error = pending(fixture.0.path()).unwrap_err().to_string();
    assert!(
        error.contains("head.args@ge-1.6.0.snap.new is not a snapshot"),
        "{error}"
    );
    fixture.compare("1.6.2", &json!(["a"]));
    assert_eq!(fixture.pending().len(), 1);
}

/// `/proc/self` can't be written to even by root, whom permissions do not stop.
#[cfg(target_os = "linux")]
#[rstest]
#[case("/proc/self")]
#[case("/no/such/folder")]
fn a_folder_that_cannot_be_written_is_a_problem_and_the_verdict_stays(#[case] dir: &str) {
    let verified = Verified {
        ray: Some("2.52.0".parse().unwrap()),
        images: vec![],
        write_pending: true,
    };
    let folder = SnapshotFolder::new(dir, "1.6.2".parse().unwrap(), "default", verified);
    let comparison = folder.compare(&subject(PodField::Args), &json!(["a"]));
    assert_matches!(comparison, Comparison::Missing { .. });
    let problems = folder.problems();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("head.args@ge-1.6.0.snap.new can't be written"),
        "{problems:?}"
    );
}

#[test]
fn flags_in_any_order_are_equal_before_1_3_and_different_from_then_on() {
    let found = "ulimit -n 65536; ray start --head  --num-cpus=1  --block ";
    let other = "ulimit -n 65536; ray start --head  --block  --num-cpus=1 ";
    let fixture = Fixture::new();
    fixture.accepted(&["1.2.2"], &json!([found]));
    assert!(is_equal(&fixture.compare("1.2.2", &json!([other]))));
    assert!(is_different(
        &fixture.compare("1.2.2", &json!([other.trim_end()]))
    ));
    fixture.accepted(&["1.3.2"], &json!([found]));
    assert!(is_different(&fixture.compare("1.3.2", &json!([other]))));
}

/// Answers in turn, then ends the review. It keeps what it was shown.
#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    /// File names, with how many others have the same change.
    shown: Vec<(String, usize)>,
    asked: usize,
    refused: Vec<String>,
}

impl Reviewer for Script {
    fn show(&mut self, question: &Question<'_>) -> std::io::Result<()> {
        let name = question.pending.target.file_name().unwrap();
        let name = name.to_str().unwrap().to_owned();
        self.shown.push((name, question.alike));
        Ok(())
    }

    fn ask(&mut self, _: &Question<'_>) -> std::io::Result<Option<Answer>> {
        self.asked += 1;
        Ok(self.answers.pop_front())
    }

    fn refused(&mut self, refusal: &ExpectError) -> std::io::Result<()> {
        self.refused.push(refusal.to_string());
        Ok(())
    }
}

fn one(decision: Decision) -> Answer {
    Answer {
        decision,
        for_all_alike: false,
    }
}

fn all(decision: Decision) -> Answer {
    Answer {
        decision,
        for_all_alike: true,
    }
}

fn reviewed(fixture: &Fixture, partial: bool, answers: &[Answer]) -> (Reviewed, Script) {
    let mut script = Script {
        answers: answers.iter().copied().collect(),
        ..Script::default()
    };
    let reviewed = review(&fixture.pending(), partial, &mut script).unwrap();
    (reviewed, script)
}

#[test]
fn a_review_does_what_is_answered() {
    let fixture = Fixture::new();
    let folder = fixture.with("1.6.2", true);
    for field in [
        PodField::Args,
        PodField::Command,
        PodField::Env,
        PodField::Probes,
    ] {
        folder.compare(&subject(field), &json!(["a"]));
    }
    let decisions = [Decision::Accept, Decision::Reject, Decision::Skip].map(one);
    let (reviewed, script) = reviewed(&fixture, false, &decisions);
    let dir = fixture.dir();
    assert_eq!(reviewed.accepted, [dir.join("head.args@ge-1.6.0.snap")]);
    assert_eq!(
        reviewed.rejected,
        [dir.join("head.command@ge-1.6.0.snap.new")]
    );
    assert_eq!(reviewed.skipped.len(), 2);
    assert_eq!(
        fixture.files(),
        [
            "head.args@ge-1.6.0.snap",
            "head.env@ge-1.6.0.snap.new",
            "head.probes@ge-1.6.0.snap.new"
        ]
    );
    assert_eq!(script.asked, 4, "the fourth ends the review");
}

#[test]
fn one_answer_does_for_all_with_the_same_change() {
    let fixture = Fixture::new();
    let fields = [PodField::Args, PodField::Command, PodField::Env];
    let folder = fixture.with("1.6.2", true);
    for (field, text) in fields.iter().zip(["x a", "x a b", "x c"]) {
        folder.compare(&subject(*field), &json!([text]));
    }
    for pending in fixture.pending() {
        accept(&pending, false).unwrap();
    }
    // Two have the same change in different texts; the third has another one.
    for (field, text) in fields.iter().zip(["y a", "y a b", "x d"]) {
        folder.compare(&subject(*field), &json!([text]));
    }
    let answers = [all(Decision::Accept), one(Decision::Reject)];
    let (reviewed, script) = reviewed(&fixture, false, &answers);
    assert_eq!(
        script.shown,
        [
            ("head.args@ge-1.6.0.snap".to_owned(), 1),
            ("head.env@ge-1.6.0.snap".to_owned(), 0)
        ]
    );
    let dir = fixture.dir();
    assert_eq!(
        reviewed.accepted,
        [
            dir.join("head.args@ge-1.6.0.snap"),
            dir.join("head.command@ge-1.6.0.snap")
        ]
    );
    assert_eq!(reviewed.rejected, [dir.join("head.env@ge-1.6.0.snap.new")]);
}

#[test]
fn new_snapshots_are_never_alike() {
    let fixture = Fixture::new();
    let folder = fixture.with("1.6.2", true);
    for field in [PodField::Args, PodField::Command] {
        folder.compare(&subject(field), &json!(["a"]));
    }
    let (reviewed, script) = reviewed(&fixture, false, &[all(Decision::Accept)]);
    let shown = script.shown;
    assert_eq!(reviewed.accepted.len(), 1, "{shown:?}");
    assert_eq!(reviewed.skipped.len(), 1, "{shown:?}");
}

#[test]
fn a_snapshot_that_splits_a_file_names_who_keeps_it() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.4.2", "1.6.2"], &json!(["a"]));
    fixture.compare("1.6.2", &json!(["b"]));
    let pending = &fixture.pending()[0];
    let (path, kept) = pending.splits().expect("the file speaks for 1.4.2, too");
    assert!(path.ends_with("head.args@ge-1.4.0.snap"), "{path:?}");
    assert_eq!(kept, [&"1.4.2".parse::<Version>().unwrap()]);
    accept(pending, false).unwrap();
    fixture.compare("1.6.2", &json!(["c"]));
    assert_eq!(
        fixture.pending()[0].splits(),
        None,
        "it has a file of its own now"
    );
}

#[test]
fn a_file_that_no_other_release_keeps_is_not_split() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.4.2", "1.6.2"], &json!(["a"]));
    // Of the two classes that the file speaks for, only the newer one keeps a release.
    let file = fixture.dir().join("head.args@ge-1.4.0.snap");
    let text = fs::read_to_string(&file).unwrap();
    let alone: String = text
        .lines()
        .filter(|line| !line.contains("1.4.2"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_ne!(alone, text, "the header names 1.4.2 in a line of its own");
    fs::write(&file, alone).unwrap();
    fixture.compare("1.6.2", &json!(["b"]));
    assert_eq!(fixture.pending()[0].splits(), None);
}

#[test]
fn a_pending_snapshot_of_another_release_is_no_leftover() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.1", "1.6.2"], &json!(["a"]));
    // 1.6.1 differs; 1.6.2 does not, and has written nothing that it could take back.
    fixture.compare("1.6.1", &json!(["b"]));
    fixture.compare("1.6.2", &json!(["a"]));
    assert_eq!(fixture.pending().len(), 1);
    fixture.compare("1.6.1", &json!(["a"]));
    assert!(fixture.pending().is_empty());
}

#[test]
fn where_no_ray_runs_no_release_of_ray_is_recorded() {
    let fixture = Fixture::new();
    let verified = Verified {
        ray: None,
        images: vec!["operator@sha256:1".into()],
        write_pending: true,
    };
    let folder = SnapshotFolder::new(fixture.dir(), "1.6.2".parse().unwrap(), "kc-7f3", verified);
    folder.compare(&subject(PodField::Args), &json!(["a"]));
    let text = fs::read_to_string(&fixture.pending()[0].path).unwrap();
    assert!(!text.contains("ray:"), "{text}");
}

#[test]
fn a_review_that_ends_leaves_the_rest() {
    let fixture = Fixture::new();
    fixture.compare("1.6.2", &json!(["a"]));
    assert_eq!(reviewed(&fixture, false, &[]).0.skipped.len(), 1);
    assert_eq!(fixture.pending().len(), 1);
}

#[test]
fn a_review_refuses_what_needs_partial_and_asks_again() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.6.0", "1.6.2"], &json!(["a"]));
    fixture.compare("1.6.2", &json!(["b"]));
    let decisions = [Decision::Accept, Decision::Skip].map(one);
    let (result, script) = reviewed(&fixture, false, &decisions);
    assert_eq!(result.accepted, [] as [std::path::PathBuf; 0]);
    assert_eq!(result.skipped.len(), 1);
    let [refusal] = &script.refused[..] else {
        panic!("one was refused: {:?}", script.refused)
    };
    assert!(refusal.contains("verified on 1.6.0,"), "{refusal}");
    let (result, _) = reviewed(&fixture, true, &[one(Decision::Accept)]);
    assert_eq!(result.accepted.len(), 1);
}

#[test]
fn a_release_that_is_not_recorded_is_compared_with_the_nearest() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.3.2"], &json!([" -lc"]));
    let Comparison::Different {
        unrecorded, diff, ..
    } = fixture.compare("1.5.1", &json!([" -c"]))
    else {
        panic!("they differ");
    };
    let note = unrecorded.unwrap();
    assert!(
        note.starts_with("KubeRay 1.5.1 is not recorded; nearest: 1.3.2\n"),
        "{note}"
    );
    let classes: Vec<_> = note
        .lines()
        .skip(1)
        .map(|line| line.split(" on: ").next().unwrap())
        .collect();
    assert_eq!(classes, ["from 1.4.0", "from 1.5.0", "from 1.5.1"]);
    assert!(diff.contains("-lc"), "{diff}");
    let Comparison::Different { unrecorded, .. } = fixture.compare("1.3.2", &json!([" -c"])) else {
        panic!("they differ");
    };
    assert_eq!(unrecorded, None);
}

#[test]
fn the_nearest_recorded_release_is_the_newest_older_one() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.3.2", "1.4.2", "1.6.2"], &json!(["old"]));
    let Comparison::Different { unrecorded, .. } = fixture.compare("1.5.1", &json!(["new"])) else {
        panic!("they differ");
    };
    let note = unrecorded.unwrap();
    assert!(note.contains("nearest: 1.4.2\n"), "{note}");
}

#[test]
fn a_run_covers_the_releases_of_all_pending_snapshots_of_a_subject() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.3.2", "1.6.2"], &json!(["old"]));
    for release in ["1.5.2", "1.6.2"] {
        fixture.compare(release, &json!(["new"]));
    }
    let pending = fixture.pending();
    assert_eq!(pending.len(), 2);
    let accepted: Vec<_> = pending
        .iter()
        .map(|one| accept(one, false).unwrap())
        .collect();
    assert_eq!(accepted[0], accepted[1], "one file for both");
    assert_eq!(
        fixture.files(),
        ["head.args@ge-1.3.2.snap", "head.args@ge-1.5.1.snap"]
    );
    let header = |file: &str| {
        SnapshotFile::read(&fixture.dir().join(file))
            .unwrap()
            .header
            .operator
    };
    assert_eq!(
        header("head.args@ge-1.3.2.snap"),
        ["1.3.2".parse().unwrap()]
    );
    assert_eq!(
        header("head.args@ge-1.5.1.snap"),
        ["1.5.2".parse().unwrap(), "1.6.2".parse().unwrap()]
    );
}

#[test]
fn a_newer_file_that_says_the_same_is_joined() {
    let fixture = Fixture::new();
    fixture.accepted(&["1.3.2"], &json!(["old"]));
    fixture.accepted(&["1.6.2"], &json!(["new"]));
    fixture.accepted(&["1.5.2"], &json!(["new"]));
    assert_eq!(
        fixture.files(),
        ["head.args@ge-1.3.2.snap", "head.args@ge-1.5.1.snap"]
    );
}
