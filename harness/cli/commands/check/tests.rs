//! Tests of the releases that `check` looks at and of its exit codes.

use std::path::Path;

use rstest::rstest;

use super::*;
use crate::args::{Command, parsed};

fn options(line: &str) -> CheckArguments {
    match parsed(&format!("check f.yaml {line}")) {
        Command::Check(options) => *options,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::none("", None, &[])]
#[case::arguments("--operator 1.5.2", Some("1.6.2"), &["1.5.2"])]
#[case::configuration("", Some("1.6.2"), &["1.6.2"])]
#[case::upgrade("--from 1.3.2 --to 1.4.2", Some("1.6.2"), &["1.3.2", "1.4.2"])]
fn releases_come_from_the_arguments_and_then_from_the_configuration(
    #[case] line: &str,
    #[case] configured: Option<&str>,
    #[case] expected: &[&str],
) {
    let configured = configured.map(|text| text.parse().unwrap());
    let found = releases(&options(line), configured.as_ref()).unwrap();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_upgrade_to_an_older_release_is_bad_use() {
    let error = releases(&options("--from 1.4.2 --to 1.3.2"), None).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    assert_eq!(error.to_string(), "--from 1.4.2 is not before --to 1.3.2");
}

/// Returns the report of one file on KubeRay 1.6.2.
fn report(text: &str) -> check::CheckReport {
    let options = Options::new(vec!["1.6.2".parse().unwrap()]);
    check::check(&[Source::new(Path::new("f.yaml"), text)], &options).unwrap()
}

const WARNING: &str = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\nspec: \
    {headGroupSpec: {rayStartParams: {}, template: {spec: {containers: [{name: ray-head, image: ray, \
    args: ['run &'], resources: {limits: {cpu: 1}}}]}}}}\n";

#[rstest]
#[case::warning_fails(WARNING, FailOn::Warning, FAILED)]
#[case::warning_passes(WARNING, FailOn::Error, PASSED)]
#[case::nothing("kind: ConfigMap\n", FailOn::Warning, PASSED)]
#[case::no_yaml("a: [", FailOn::Warning, BAD_USE)]
fn the_exit_code_depends_on_the_worst_finding(
    #[case] text: &str,
    #[case] fail_on: FailOn,
    #[case] expected: u8,
) {
    assert_eq!(exit_code(&report(text), fail_on), expected);
}

#[rstest]
#[case("trailing-ampersands", "did you mean `trailing-ampersand`?")]
#[case("nonsense", "docs/reference/traps/README.md lists all")]
fn an_unknown_trap_is_bad_use_and_a_near_one_is_named(#[case] id: &str, #[case] help: &str) {
    let error = explain(id).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    let messages = error.messages().join("\n");
    assert!(messages.contains(help), "{messages}");
}

#[rstest]
#[case(0, "")]
#[case(1, "1 file does not mention ray.io and was left out\n")]
#[case(2, "2 files do not mention ray.io and were left out\n")]
fn files_that_were_left_out_are_counted(#[case] skipped: usize, #[case] expected: &str) {
    assert_eq!(left_out(skipped), expected);
}
