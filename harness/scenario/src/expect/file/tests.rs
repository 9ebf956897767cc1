//! Tests of `file`.

use rstest::rstest;

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn snapshot(body: &str) -> SnapshotFile {
    SnapshotFile {
        header: Header {
            source: "scenarios/before-ray-start/scenario.yaml".into(),
            expression: "head.args".into(),
            operator: vec![version("1.6.0"), version("1.6.2")],
            ray: vec![version("2.52.0")],
            images: vec!["docker.io/rayproject/ray:2.52.0@sha256:0f3a".into()],
        },
        body: body.into(),
    }
}

const TEXT: &str = r#"---
source: scenarios/before-ray-start/scenario.yaml
expression: head.args
info:
  operator:
    - 1.6.0
    - 1.6.2
  ray:
    - 2.52.0
  images:
    - "docker.io/rayproject/ray:2.52.0@sha256:0f3a"
---
- " echo 123  456 "
"#;

#[test]
fn a_file_has_a_header_and_a_body() {
    let snapshot = snapshot("- \" echo 123  456 \"");
    assert_eq!(snapshot.to_text(), TEXT);
    assert_eq!(SnapshotFile::parse(TEXT).unwrap(), snapshot);
}

#[test]
fn a_checkout_with_crlf_is_the_same() {
    let snapshot = snapshot("- \"a\\r\\n\"\n- \"b\"");
    let text = snapshot.to_text().replace('\n', "\r\n");
    assert_eq!(SnapshotFile::parse(&text).unwrap(), snapshot);
}

#[rstest]
#[case::plain("- \"a \"\n- \" b\"")]
#[case::absent("absent")]
#[case::escapes(r#"- "a\nb\r\n\tc \\ \" ---""#)]
#[case::unicode("- \"größer 値 🚀\"")]
#[case::nested("a:\n  b:\n    - \"c\"\nd: {}")]
fn insta_reads_our_files_and_writes_the_same_bytes(#[case] body: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        folder.path().join("head.args@ge-1.6.0.snap.new"),
        folder.path().join("theirs.snap"),
    );
    let snapshot = snapshot(body);
    snapshot.write(&ours).unwrap();
    // `cargo insta accept` does just this.
    let read = insta::Snapshot::from_file(&ours).unwrap();
    assert_eq!(read.as_text().unwrap().to_string(), body);
    assert_eq!(read.metadata().expression(), Some("head.args"));
    assert_eq!(
        read.metadata().source(),
        Some("scenarios/before-ray-start/scenario.yaml")
    );
    read.save(&theirs).unwrap();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), snapshot.to_text());
    assert_eq!(SnapshotFile::read(&theirs).unwrap(), snapshot);
}

#[rstest]
#[case("1.6")]
#[case("")]
#[case("- x")]
#[case("a: b")]
#[case("No")]
#[case("~")]
#[case("@a")]
#[case(".a")]
#[case("scenarios/größer/scenario.yaml")]
#[case("nan")]
fn odd_texts_survive_in_the_header(#[case] text: &str) {
    let mut snapshot = snapshot("absent");
    snapshot.header.source = text.into();
    snapshot.header.images = vec![text.into()];
    assert_eq!(SnapshotFile::parse(&snapshot.to_text()).unwrap(), snapshot);
}

#[test]
fn empty_lists_and_unknown_or_absent_keys_are_tolerated() {
    let empty = SnapshotFile {
        header: Header::default(),
        body: "absent".into(),
    };
    assert_eq!(SnapshotFile::parse(&empty.to_text()).unwrap(), empty);
    let text = "---\nsnapshot_kind: text\nassertion_line: 3\ninfo:\n  operator: [1.6.2, 1.6.0, 1.6.2]\n  x: y\n---\nabsent\n";
    let read = SnapshotFile::parse(text).unwrap();
    assert_eq!(read.header.operator, [version("1.6.0"), version("1.6.2")]);
}

#[rstest]
#[case::empty("", "no header")]
#[case::no_header("- \"a\"\n", "no header")]
#[case::no_end("---\nsource: x\n", "no header")]
#[case::not_yaml("---\nsource: [\n---\nabsent\n", "its header")]
#[case::not_a_release("---\ninfo:\n  operator: [latest]\n---\nabsent\n", "its header")]
fn other_texts_are_errors(#[case] text: &str, #[case] reason: &str) {
    let error = SnapshotFile::parse(text).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn bytes_that_are_no_text_are_an_error_and_no_file_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.snap");
    assert_eq!(SnapshotFile::read_if_there(&path).unwrap(), None);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    let error = SnapshotFile::read_if_there(&path).unwrap_err().to_string();
    assert!(
        error.contains("x.snap is not a snapshot: invalid utf-8"),
        "{error}"
    );
}

#[test]
fn merging_adds_what_is_new() {
    let mut header = snapshot("").header;
    assert!(!header.merge(&snapshot("").header));
    let other = Header {
        operator: vec![version("1.6.1")],
        ..Header::default()
    };
    assert!(header.merge(&other));
    assert_eq!(
        header.operator,
        [version("1.6.0"), version("1.6.1"), version("1.6.2")]
    );
}

#[rstest]
#[case::nothing("")]
#[case::garbage("garbage")]
#[case::conflict("<<<<<<< HEAD\n- \"a\"\n=======\n- \"b\"\n>>>>>>> other")]
#[case::conflict_inside("- \"a\"\n=======\n- \"b\"")]
#[case::plain_yaml("- a\n- b")]
#[case::flow_style("[\"a\"]")]
#[case::other_indentation("a:\n   - \"b\"")]
#[case::no_indentation("a:\n- \"b\"")]
#[case::order_of_keys("b: 1\na: 2")]
#[case::twice("a: 1\na: 1")]
#[case::unseen_space("- \"a\u{a0}b\"")]
#[case::other_escape("- \"\\u0061\"")]
#[case::space_at_the_end_of_a_line("- \"a\" \n- \"b\"")]
#[case::empty_line("- \"a\"\n\n- \"b\"")]
#[case::null("null")]
#[case::endless(&("- ".repeat(1_000_000) + "1"))]
fn a_body_that_no_run_writes_is_an_error(#[case] body: &str) {
    let error = SnapshotFile::parse(&snapshot(body).to_text()).expect_err("no body");
    assert!(error.contains("body"), "{error}");
}

#[rstest]
#[case("absent")]
#[case("- - \"a\"\n  - \"b\"\n- []\n- c: []")]
#[case("\"\": true\n\"a b\": 1\napp.kubernetes.io/name: 2.5")]
#[case(
    "- name: \"B\"\n  value: \"1\"\n- name: \"A\"\n  valueFrom:\n    fieldRef:\n      fieldPath: \"x\""
)]
#[case(
    "livenessProbe: absent\nreadinessProbe:\n  exec:\n    command:\n      - \"a\"\n      - \"b\"\n  periodSeconds: 5"
)]
fn a_body_that_a_run_writes_is_read(#[case] body: &str) {
    assert_eq!(
        SnapshotFile::parse(&snapshot(body).to_text()),
        Ok(snapshot(body))
    );
}

#[test]
fn what_can_not_be_read_is_not_absent() {
    let folder = tempfile::tempdir().unwrap();
    let none = SnapshotFile::read_if_there(&folder.path().join("none.snap"));
    assert!(matches!(none, Ok(None)), "{none:?}");
    let no_file = folder.path().join("a.snap");
    std::fs::create_dir(&no_file).unwrap();
    let read = SnapshotFile::read_if_there(&no_file);
    assert!(matches!(read, Err(ExpectError::Read { .. })), "{read:?}");
}
