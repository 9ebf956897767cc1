//! What a person sees, and what the typed answers mean.

use rstest::rstest;
use semver::Version;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::check::{Expectations as _, Subject};
use crate::expect::{Pending, Reviewed, SnapshotFolder, Verified, accept, pending, review};
use crate::scenario::{PodField, Role};

/// A scenario's folder below one that stands for `scenarios`.
struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("scenarios/x")).expect("a folder");
        Self(root)
    }

    /// Finds the values as fields of the head's Pod on a release.
    fn found(&self, operator: &str, ray: Option<&str>, values: &[(PodField, &str)]) {
        let verified = Verified {
            ray: ray.map(|ray| ray.parse().expect("a version")),
            images: vec![],
            write_pending: true,
        };
        let folder = self.0.path().join("scenarios/x");
        let operator: Version = operator.parse().expect("a version");
        let folder = SnapshotFolder::new(folder, operator, "kc-7f3", verified);
        for (field, value) in values {
            folder.compare(&Subject::new(Role::Head, *field), &json!([value]));
        }
    }

    fn pending(&self) -> Vec<Pending> {
        pending(self.0.path()).expect("pending snapshots")
    }

    fn accepted(&self) {
        for pending in self.pending() {
            accept(&pending, false).expect("accepts");
        }
    }

    fn reviewed(&self, typed: &str) -> (Reviewed, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let mut terminal = Terminal {
            input: &mut input,
            output: &mut output,
        };
        let reviewed = review(&self.pending(), false, &mut terminal).expect("a review");
        (reviewed, String::from_utf8(output).expect("text"))
    }
}

#[test]
fn a_new_snapshot_is_shown_with_what_it_was_found_on() {
    let fixture = Fixture::new();
    fixture.found("1.6.2", Some("2.52.0"), &[(PodField::Args, "a")]);
    let (_, shown) = fixture.reviewed("s\n");
    assert!(shown.contains("[1/1] "), "{shown}");
    let found_on = "found on KubeRay 1.6.2, Ray 2.52.0\nclass 1.6.0: ";
    assert!(shown.contains(found_on), "{shown}");
    let change = "there is no snapshot yet\n\n+- \"a\"\n";
    assert!(shown.contains(change), "{shown}");
}

#[test]
fn where_no_ray_runs_none_is_named() {
    let fixture = Fixture::new();
    fixture.found("1.6.2", None, &[(PodField::Args, "a")]);
    let (_, shown) = fixture.reviewed("s\n");
    assert!(shown.contains("found on KubeRay 1.6.2\nclass "), "{shown}");
}

#[test]
fn a_change_is_shown_with_the_file_that_spoke_for_the_release_and_a_refusal_with_its_reason() {
    let fixture = Fixture::new();
    fixture.found("1.6.0", None, &[(PodField::Args, "a")]);
    fixture.found("1.6.2", None, &[(PodField::Args, "a")]);
    fixture.accepted();
    fixture.found("1.6.2", None, &[(PodField::Args, "b")]);
    let (reviewed, shown) = fixture.reviewed("a\ns\n");
    assert!(shown.contains("-- \"a\"\n+- \"b\""), "{shown}");
    assert!(shown.contains("not accepted: "), "{shown}");
    assert!(shown.contains("verified on 1.6.0,"), "{shown}");
    assert_eq!(reviewed.skipped.len(), 1, "{shown}");
}

#[test]
fn a_value_that_another_release_has_only_adds_to_the_header() {
    let fixture = Fixture::new();
    fixture.found("1.4.2", None, &[(PodField::Args, "a")]);
    fixture.found("1.6.2", None, &[(PodField::Args, "a")]);
    let (_, shown) = fixture.reviewed("a\na\n");
    let says = "is unchanged; accepting adds these releases";
    assert!(shown.contains(says), "{shown}");
}

#[rstest]
#[case("a\n", [1, 0, 1])]
#[case(" what?\naccept\n", [1, 0, 1])]
#[case("r\nskip\n", [0, 1, 1])]
#[case("q\na\n", [0, 0, 2])]
#[case("", [0, 0, 2])]
fn typed_answers_are_read(#[case] typed: &str, #[case] counts: [usize; 3]) {
    let fixture = Fixture::new();
    let values = [(PodField::Args, "a"), (PodField::Command, "b")];
    fixture.found("1.6.2", None, &values);
    let (reviewed, shown) = fixture.reviewed(typed);
    let (accepted, rejected) = (reviewed.accepted.len(), reviewed.rejected.len());
    let [accept, reject, skip] = counts;
    assert_eq!(accepted, accept, "accepted; {shown}");
    assert_eq!(rejected, reject, "rejected; {shown}");
    assert_eq!(reviewed.skipped.len(), skip, "skipped; {shown}");
}

#[rstest]
#[case("A\n", 2)]
#[case("a\n", 1)]
fn a_capital_letter_answers_for_all_with_the_same_change(
    #[case] typed: &str,
    #[case] accepted: usize,
) {
    let fixture = Fixture::new();
    let fields = [PodField::Args, PodField::Command];
    fixture.found("1.6.2", None, &[(fields[0], "x a"), (fields[1], "x a b")]);
    fixture.accepted();
    fixture.found("1.6.2", None, &[(fields[0], "y a"), (fields[1], "y a b")]);
    let (reviewed, shown) = fixture.reviewed(typed);
    let question = "One more has the same change; [A], [R] and [S] answer for both.";
    assert!(shown.contains(question), "{shown}");
    assert_eq!(reviewed.accepted.len(), accepted, "{shown}");
}
