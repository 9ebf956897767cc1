//! Tests of the releases and shards that arguments select.

use rstest::rstest;

use super::*;
use crate::args::{Command, parsed};
use crate::exit::BAD_USE;

fn selection(line: &str) -> Selection {
    match parsed(&format!("plan {line}")) {
        Command::Plan(selection) => selection,
        other => panic!("{other:?}"),
    }
}

fn spec(line: &str, targets: &[TargetKind]) -> Result<ReleaseSpec, CliError> {
    releases(&selection(line).releases, targets)
}

#[test]
fn without_arguments_the_releases_are_the_default_ones_and_none_is_asked_for() {
    let spec = spec("", &[TargetKind::Envtest]).unwrap();
    let default = ReleaseSpec::default();
    assert_eq!(spec.operators, default.operators);
    assert_eq!(spec.ray, default.ray);
    assert_eq!(spec.asked, None);
    assert_eq!(spec.named, []);
}

#[test]
fn releases_that_are_named_one_by_one_must_be_available() {
    let spec = spec(
        "--operator 1.3.2,1.6.2 --ray 2.46.0",
        &[TargetKind::Envtest],
    )
    .unwrap();
    let expected = [Version::new(1, 3, 2), Version::new(1, 6, 2)];
    assert_eq!(spec.operators, expected);
    assert_eq!(spec.named, expected);
    assert_eq!(spec.ray, Version::new(2, 46, 0));
}

#[test]
fn a_range_names_no_release() {
    let spec = spec("--operator 1.3.2..1.6.2", &[TargetKind::Envtest]).unwrap();
    assert_eq!(spec.named, []);
    let first = spec.operators.first();
    assert_eq!(first, Some(&Version::new(1, 3, 2)), "{:?}", spec.operators);
}

#[test]
fn a_pair_brings_its_operator_and_its_ray() {
    let spec = spec("--pair 1.0.0/2.7.0", &[TargetKind::Kind]).unwrap();
    assert_eq!(spec.operators, [Version::new(1, 0, 0)]);
    assert_eq!(spec.ray, Version::new(2, 7, 0));
    assert_eq!(spec.pairs.len(), 1);
    assert_eq!(spec.named, [Version::new(1, 0, 0)]);
}

#[test]
fn pairs_need_kind() {
    let error = spec("--pair 1.0.0/2.7.0", &[TargetKind::Envtest]).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    assert_eq!(error.to_string(), "--pair is for kind");
}

#[rstest]
#[case("", None)]
#[case("--shard 2/3", Some("2/3"))]
fn a_shard_is_divided_by_the_embedded_durations(
    #[case] line: &str,
    #[case] expected: Option<&str>,
) {
    let division = division(&selection(line).part).unwrap();
    let shard = division.map(|division| division.shard.to_string());
    assert_eq!(shard.as_deref(), expected);
}

#[test]
fn durations_that_cannot_be_read_are_bad_use() {
    let selection = selection("--shard 1/2 --durations absent.json");
    let Err(error) = division(&selection.part) else {
        panic!("an absent file was read")
    };
    assert_eq!(error.exit_code(), BAD_USE);
}

#[test]
fn a_name_that_no_scenario_has_is_bad_use_and_is_quoted() {
    let root = selection("").folder.root().unwrap();
    let scenarios = load(&root).unwrap();
    names_something(&selection("trailing"), &scenarios).unwrap();
    let error = names_something(&selection("no-such-scenario"), &scenarios).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    let text = error.to_string();
    assert!(text.contains("`no-such-scenario`"), "{text}");
}
