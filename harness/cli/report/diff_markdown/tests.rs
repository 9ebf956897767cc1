use assertables::{assert_contains, assert_ends_with, assert_lt};
use serde_json::json;

use super::super::{diff_junit, diff_text};
use super::*;
use crate::scenario::diff::{DIFF_VERSION, DiffSide, OperatorDifference};

fn side(name: &str) -> DiffSide {
    DiffSide {
        name: name.into(),
        release: "1.6.2".into(),
        digest: "sha256:0".into(),
    }
}

fn entry(title: &str) -> DiffEntry {
    DiffEntry {
        id: "D01".into(),
        rule: Some("C11".into()),
        features: vec!["ulimit-from-env".into()],
        touches: vec!["user-command-first".into()],
        title: title.into(),
        subject: "the limit of open files".into(),
        edits: vec![OperatorDifference {
            before: Some("ulimit -n 1".into()),
            after: Some("ulimit -n 2".into()),
            count: 3,
        }],
        more_edits: 0,
        cases: 3,
        containers: 3,
        examples: vec!["default-command".into()],
        smallest: Some(json!({"kind": "RayCluster"})),
    }
}

fn diff(entries: Vec<DiffEntry>) -> Diff {
    Diff {
        version: DIFF_VERSION.into(),
        base: side("KubeRay 1.6.2"),
        head: side("source head"),
        equal: entries.is_empty(),
        seed: 1,
        scenarios: 2,
        objects: 3,
        containers: 4,
        seconds: 5.0,
        entries,
        notes: vec!["one thing varies".into()],
    }
}

#[test]
fn a_comparison_without_differences_says_so() {
    let diff = diff(Vec::new());
    assert_contains!(diff_markdown(&diff), "### Command contract: no difference");
    assert_ends_with!(
        diff_text(&diff, false),
        "no difference in 4 containers of 2 scenarios and 3 generated objects (seed 1) in 5 s\n"
    );
}

#[test]
fn each_difference_is_a_row_with_details() {
    let diff = diff(vec![entry(
        "`ulimit -n 1` → `ulimit -n 2` in every Ray container",
    )]);
    let text = diff_markdown(&diff);
    let row = "| C11 | `ulimit -n 1` → `ulimit -n 2` in every Ray container | 3 |";
    assert_contains!(text, "### Command contract: changed");
    assert_contains!(text, row);
    assert!(text.contains("-ulimit -n 1\n+ulimit -n 2\n"), "{text}");
    assert!(
        text.contains("Shown by default-command and 2 more."),
        "{text}"
    );
    let text = diff_text(&diff, false);
    assert!(
        text.starts_with("C11 `ulimit -n 1` → `ulimit -n 2`"),
        "{text}"
    );
    assert_contains!(text, "features: ulimit-from-env");
    assert_contains!(text, "3 cases, such as");
    assert!(text.contains("note: one thing varies"), "{text}");
}

#[test]
fn each_difference_is_a_failed_test_case() {
    let title = "`ulimit -n 1` → `ulimit -n 2` in every Ray container";
    let text = diff_junit(&diff(vec![entry(title)])).unwrap();
    assert!(text.contains("failures=\"1\""), "{text}");
    let case = "<testcase name=\"the limit of open files\" classname=\"C11\">";
    assert!(text.contains(case), "{text}");
    assert!(text.contains("touches: user-command-first"), "{text}");
    let text = diff_junit(&diff(Vec::new())).unwrap();
    assert!(text.contains("failures=\"0\""), "{text}");
}

#[test]
fn texts_of_objects_are_no_markup() {
    let mut hostile = entry("<img src=x> @everyone | a\u{202e}b");
    hostile.edits[0].after = Some("```\n@team <b>".into());
    hostile.smallest = Some(json!({"a": "````\n</details>"}));
    let text = diff_markdown(&diff(vec![hostile]));
    assert!(!text.contains("<img"), "{text}");
    assert!(!text.contains('\u{202e}'), "{text}");
    assert!(text.contains("@\u{200b}everyone \\| a"), "{text}");
    // The fences are longer than those inside of them.
    assert!(text.contains("````diff"), "{text}");
    assert!(text.contains("`````yaml"), "{text}");
}

#[test]
fn a_comment_is_not_longer_than_github_takes() {
    let mut long = entry("t");
    long.edits[0].after = Some("x".repeat(20_000));
    let text = diff_markdown(&diff(vec![long.clone(), long.clone(), long.clone(), long]));
    assert_lt!(text.len(), 65_000);
    assert_contains!(text, "The details of 2 differences do not fit here.");
}
