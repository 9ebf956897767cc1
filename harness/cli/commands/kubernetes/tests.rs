//! Tests of the releases of Kubernetes that a run names.

use rstest::rstest;

use super::*;
use crate::args::{Command, parsed};
use crate::exit::BAD_USE;
use crate::report;

fn run_of(line: &str) -> Run {
    match parsed(&format!("run {line}")) {
        Command::Run(run) => *run,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::none("", &[])]
#[case::minor("--kubernetes 1.37", &["1.37.2"])]
#[case::range("--kubernetes 1.34.4..1.37.2", &["1.34.4", "1.37.2"])]
#[case::all("--target envtest --kubernetes all", &["1.34.4", "1.37.2"])]
fn a_run_has_the_releases_of_kubernetes_that_it_names(
    #[case] line: &str,
    #[case] expected: &[&str],
) {
    let releases = releases(&run_of(line)).unwrap();
    let releases: Vec<String> = releases.iter().map(ToString::to_string).collect();
    assert_eq!(releases, expected);
}

#[rstest]
#[case::kind("--target kind --kubernetes 1.36.3", "is for envtest alone")]
#[case::all("--target all --kubernetes 1.36.3", "is for envtest alone")]
#[case::context("--context test --kubernetes 1.36.3", "is for envtest alone")]
#[case::unknown("--kubernetes 1.20", "1.20")]
fn nodes_have_one_release_of_kubernetes(#[case] line: &str, #[case] problem: &str) {
    let error = releases(&run_of(line)).unwrap_err();
    assert_eq!(error.exit_code(), BAD_USE);
    assert!(error.to_string().contains(problem), "{error}");
}

#[rstest]
#[case::absent("run NAME", "run NAME --kubernetes 1.36.3 --output out/a")]
#[case::replaced(
    "run --kubernetes all NAME --output=out",
    "run NAME --kubernetes 1.36.3 --output out/a"
)]
#[case::names(
    "run --output out -- NAME",
    "run --kubernetes 1.36.3 --output out/a -- NAME"
)]
fn the_command_of_one_release_is_its_own(#[case] line: &str, #[case] expected: &str) {
    let own = [
        ("--kubernetes", "1.36.3".to_owned()),
        ("--output", "out/a".to_owned()),
    ];
    let words = line.split(' ').map(str::to_owned);
    let words: Vec<String> = with_options(words, &own).collect();
    assert_eq!(words.join(" "), expected);
}

#[test]
fn cases_that_end_otherwise_on_another_release_of_kubernetes_are_named() {
    let run = report::example::run();
    let mut other = run.clone();
    let old = other.cases[0].outcome.word();
    other.cases[0].outcome = report::Outcome::Error;
    let of = |minor: u64, run: &RunResult| (Version::new(1, minor, 0), run.clone());
    assert!(differences(&[of(34, &run), of(36, &run)]).is_empty());
    let id = &run.cases[0].id;
    let expected = format!("{id}: {old} on Kubernetes 1.34.0, ERROR on Kubernetes 1.36.0");
    assert_eq!(differences(&[of(34, &run), of(36, &other)]), [expected]);
}
