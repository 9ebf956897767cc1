use rstest::rstest;

use super::*;
use crate::plan::Shard;
use crate::report::example;

const BYTES: &[u8] = b"the bytes of results.json";

fn run() -> RunResult {
    let mut run = example::run();
    run.command = Some("kuberay-conformance run --target kind".into());
    run
}

/// A run in which every scenario that it could choose from passed.
fn all_passed() -> RunResult {
    let mut run = run();
    run.cases.retain(|case| case.outcome.is_good());
    let named: Vec<String> = run.cases.iter().map(|case| case.scenario.clone()).collect();
    run.scenarios.retain(|record| named.contains(&record.name));
    run.planned = run.cases.iter().map(|case| case.id.clone()).collect();
    assert!(
        !run.scenarios.is_empty(),
        "the example has scenarios that passed"
    );
    run
}

fn report(run: &RunResult) -> ConformanceReport {
    ConformanceReport::of(run, BYTES, "acme", Profile::Core, None).unwrap()
}

#[test]
fn a_run_in_which_all_passed_is_conformant() {
    let report = report(&all_passed());
    assert_eq!(report.spec.result, ProgrammeResult::Conformant, "{report}");
    assert_eq!(report.path(), PathBuf::from("1.6.2/acme-kind.yaml"));
    assert!(
        report.spec.operator.builds[0].contains("@sha256:"),
        "{:?}",
        report.spec.operator
    );
}

#[test]
fn a_failed_case_fails_the_report() {
    let mut run = all_passed();
    run.cases[0].outcome = Outcome::Failed;
    let report = report(&run);
    assert_eq!(report.spec.result, ProgrammeResult::Failed);
    assert_eq!(report.spec.failed, [run.cases[0].id.clone()]);
}

#[rstest]
#[case::skipped(Some(Outcome::Skipped))]
#[case::new(Some(Outcome::New))]
#[case::broken(Some(Outcome::Error))]
#[case::without_a_case(None)]
fn a_scenario_without_a_verdict_makes_the_report_partial(#[case] outcome: Option<Outcome>) {
    let mut run = all_passed();
    // Another case says which build it was.
    let mut other = run.cases[0].clone();
    other.scenario = "of-no-profile".into();
    run.cases.push(other);
    match outcome {
        Some(outcome) => run.cases[0].outcome = outcome,
        None => drop(run.cases.remove(0)),
    }
    let report = report(&run);
    assert_eq!(report.spec.result, ProgrammeResult::Partial, "{report}");
    assert_eq!(report.spec.not_run.is_empty(), outcome.is_some());
}

#[rstest]
#[case::cut_short(|run: &mut RunResult| run.interrupted = Some("the run was interrupted".into()))]
#[case::missing(|run: &mut RunResult| run.missing = vec!["kind::1.6.2::2.52.0::a".into()])]
#[case::a_shard(|run: &mut RunResult| run.shard = Some(Shard { index: 1, count: 2 }))]
#[case::planned_alone(|run: &mut RunResult| run.planned.push("kind::1.6.2::2.52.0::a".into()))]
fn a_run_that_is_not_whole_makes_the_report_partial(#[case] change: fn(&mut RunResult)) {
    let mut run = all_passed();
    change(&mut run);
    let report = report(&run);
    assert_eq!(report.spec.result, ProgrammeResult::Partial, "{report}");
    assert_eq!(
        report.spec.scenarios.passed,
        report.spec.scenarios.of_profile
    );
}

#[test]
fn what_people_review_holds_nothing_that_nobody_sees() {
    let mut run = all_passed();
    run.environment.engine = "podman\u{202e}4".into();
    assert_eq!(report(&run).spec.engine, "podman\\u{202e}4");
    run.started = "2026\u{202e}-11-28".into();
    let error = ConformanceReport::of(&run, BYTES, "acme", Profile::Core, None).unwrap_err();
    assert!(matches!(error, ProgrammeError::NoDate(_)), "{error}");
}

#[test]
fn scenarios_above_the_profile_do_not_count() {
    let mut run = all_passed();
    let name = run.cases[0].scenario.clone();
    run.cases[0].outcome = Outcome::Failed;
    for record in &mut run.scenarios {
        if record.name == name {
            record.level = Level::Extended;
        }
    }
    let of = |profile| {
        let report = ConformanceReport::of(&run, BYTES, "acme", profile, None).unwrap();
        report.spec.result
    };
    assert_ne!(of(Profile::Core), ProgrammeResult::Failed);
    assert_eq!(of(Profile::Extended), ProgrammeResult::Failed);
}

#[test]
fn a_true_report_differs_in_nothing() {
    let run = all_passed();
    assert_eq!(
        report(&run).differs_from(&run, BYTES).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn every_changed_value_of_a_report_is_told() {
    let run = run();
    let real = report(&run);
    let mut paths = Vec::new();
    leaves("", &serde_json::json!(real), &mut paths);
    // The organization and the profile are for the publisher to choose.
    let fixed = [
        "spec.organization",
        "spec.profile",
        "spec.operator.release",
        "metadata.name",
    ];
    for (path, _) in paths {
        if fixed.contains(&path.as_str()) {
            continue;
        }
        let mut document = serde_json::json!(real);
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = document.pointer_mut(&pointer).unwrap();
        *value = match value.clone() {
            serde_json::Value::String(text) if path.ends_with("result") => {
                assert_ne!(text, "conformant");
                "conformant".into()
            }
            serde_json::Value::String(text) => format!("{text}0").into(),
            serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            serde_json::Value::Array(mut all) => {
                all.push("x".into());
                all.into()
            }
            other => panic!("{path} is {other}"),
        };
        let changed: ConformanceReport = serde_json::from_value(document).unwrap();
        let told = changed.differs_from(&run, BYTES).unwrap();
        assert!(
            told.iter().any(|one| one.starts_with(&path)),
            "{path}: {told:?}"
        );
    }
}

#[test]
fn other_bytes_of_results_are_told() {
    let run = all_passed();
    let told = report(&run).differs_from(&run, b"other").unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("spec.results.sha256: "), "{told:?}");
}

#[rstest]
#[case::path("../acme")]
#[case::empty("")]
#[case::capitals("Acme")]
fn a_name_that_is_no_part_of_a_path_is_refused(#[case] name: &str) {
    let refused = ConformanceReport::of(&all_passed(), BYTES, name, Profile::Core, None);
    assert!(
        matches!(refused, Err(ProgrammeError::Name(_))),
        "{refused:?}"
    );
}

#[rstest]
#[case::absolute("/tmp/escaped")]
#[case::above("../../up")]
#[case::part("1.6.2/../../up")]
#[case::nothing("")]
#[case::branch("master")]
fn a_release_that_is_no_version_is_refused(#[case] release: &str) {
    let mut run = all_passed();
    run.cases
        .iter_mut()
        .for_each(|case| case.operator = release.into());
    let refused = ConformanceReport::of(&run, BYTES, "acme", Profile::Core, None);
    assert!(
        matches!(refused, Err(ProgrammeError::NoRelease(_))),
        "{refused:?}"
    );
}

#[test]
fn results_that_do_not_identify_their_run_are_refused() {
    let of = |run: &RunResult| ConformanceReport::of(run, BYTES, "acme", Profile::Core, None);
    let mut run = all_passed();
    run.cases[0].images = vec!["quay.io/kuberay/operator:master".into()];
    let refused = of(&run);
    assert!(
        matches!(refused, Err(ProgrammeError::NoBuild(_))),
        "{refused:?}"
    );

    let mut run = all_passed();
    run.command = None;
    let refused = of(&run);
    assert!(
        matches!(refused, Err(ProgrammeError::NoCommand)),
        "{refused:?}"
    );

    let mut run = all_passed();
    let mut other = run.cases[0].clone();
    other.operator = "1.5.1".into();
    run.cases.push(other);
    let refused = of(&run);
    assert!(
        matches!(refused, Err(ProgrammeError::Releases(_))),
        "{refused:?}"
    );
}

#[test]
fn the_table_shows_the_newest_release_first_and_counts_old_reports_as_partial() {
    let entry = |release: &str, date: &str| {
        let mut report = report(&all_passed());
        report.spec.operator.release = release.into();
        report.spec.date = date.into();
        let path = report.path().display().to_string();
        ProgrammeEntry { path, report }
    };
    let page = render_programme(&[
        entry("1.3.2", "2024-01-05"),
        entry("1.5.2", "2025-11-05"),
        entry("1.10.0", "2026-11-28"),
    ]);
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| 1"))
        .collect();
    assert_eq!(
        rows.len(),
        2,
        "reports of more than two years ago are left out: {page}"
    );
    assert!(rows[0].starts_with("| 1.10.0 "), "{page}");
    assert!(rows[0].contains("| conformant |"), "{page}");
    assert!(rows[1].contains("| partial (for its age) |"), "{page}");
}

#[test]
fn the_command_does_not_say_where_reports_went() {
    let mut run = all_passed();
    run.command =
        Some("kuberay-conformance run 'a b' --output '/x y' --target all '--output=/y z'".into());
    let command = report(&run).spec.command;
    assert_eq!(command, "kuberay-conformance run 'a b' --target all");
}

#[test]
fn a_badge_says_what_the_report_says() {
    let badge: serde_json::Value = serde_json::from_str(&badge(&report(&all_passed()))).unwrap();
    assert_eq!(badge["label"], "KubeRay 1.6.2 core");
    assert_eq!(badge["message"], "conformant");
}

#[test]
fn the_schema_has_an_id_with_the_version_of_the_file() {
    let schema = crate::manifest::schema_of::<ConformanceReport>();
    let (name, version) = super::API_VERSION.split_once('/').unwrap();
    assert_eq!(
        schema["$id"],
        format!("urn:{name}:conformance-report:{version}")
    );
}
