use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use semver::{Version, VersionReq};

use super::{Filter, Pair, Plan, cases, parse_version};
use crate::{
    Changes, Level, Metadata, OperatorSettings, Scenario, ScenarioFile, Spec, Steps, TargetKind,
};

/// A scenario that runs on a target, because it needs one or two nodes.
pub(super) fn scenario(name: &str, target: TargetKind, operator: &str, ray: &str) -> Arc<Scenario> {
    Arc::new(Scenario {
        dir: PathBuf::new(),
        path: PathBuf::new(),
        check_locations: Vec::new(),
        check_texts: Vec::new(),
        operator: VersionReq::parse(operator).unwrap(),
        ray: VersionReq::parse(ray).unwrap(),
        upgrade_from: None,
        timeout: Duration::from_secs(1),
        file: ScenarioFile {
            api_version: String::new(),
            kind: String::new(),
            metadata: Metadata { name: name.into() },
            spec: Spec {
                description: String::new(),
                rules: vec![format!("C{:02}", name.len())],
                level: if name == "bb" {
                    Level::Extended
                } else {
                    Level::Core
                },
                issues: Vec::new(),
                nodes: if target == TargetKind::Kind { 2 } else { 1 },
                operator: operator.into(),
                ray: ray.into(),
                manifests: Vec::new(),
                changes: Changes {
                    image: false,
                    ray_version: false,
                    requests: BTreeMap::new(),
                },
                steps: Steps::default(),
                upgrade_from: None,
                operator_settings: OperatorSettings::default(),
                timeout: None,
                checks: Vec::new(),
            },
        },
    })
}

fn plan(filter: &Filter) -> Plan {
    let scenarios = [
        scenario("a", TargetKind::Kind, "*", "*"),
        scenario("bb", TargetKind::Envtest, ">=1.4.0", ">=2.50.0"),
    ];
    let versions = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.parse().unwrap())
            .collect::<Vec<Version>>()
    };
    let pairs = Pair::crossed(&versions(&["1.3.2", "1.6.2"]), &versions(&["2.52.0"]));
    cases(
        &scenarios,
        &[
            (TargetKind::Kind, pairs.clone()),
            (TargetKind::Envtest, pairs),
        ],
        filter,
    )
}

fn ids(plan: &Plan) -> Vec<String> {
    plan.cases.iter().map(super::TestCase::id).collect()
}

#[test]
fn targets_and_ranges_leave_cases_out_and_say_why() {
    let plan = plan(&Filter::default());
    assert_eq!(
        ids(&plan),
        [
            "kind::1.3.2::2.52.0::a",
            "kind::1.6.2::2.52.0::a",
            "envtest::1.6.2::bb",
        ]
    );
    let skipped: Vec<String> = plan.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        ["envtest::1.3.2::bb: the scenario needs a KubeRay operator >=1.4.0",]
    );
}

#[rstest]
#[case(Filter { names: vec!["b".into()], ..Filter::default() }, "its name contains none of b")]
#[case(Filter { rules: vec!["c02".into(), "C09".into()], ..Filter::default() }, "it proves none of c02, C09")]
#[case(Filter { levels: vec![Level::Extended], ..Filter::default() }, "its level is core")]
fn filters_leave_scenarios_out_and_say_why(#[case] filter: Filter, #[case] reason: &str) {
    let plan = plan(&filter);
    assert_eq!(ids(&plan), ["envtest::1.6.2::bb"]);
    assert_eq!(plan.skipped[0].to_string(), format!("a: {reason}"));
}

#[test]
fn a_scenario_that_needs_another_target_is_left_out_with_the_reason() {
    let scenarios = [
        scenario("a", TargetKind::Kind, "*", "*"),
        scenario("b", TargetKind::Envtest, "*", "*"),
    ];
    let pairs = Pair::crossed(&[Version::new(1, 6, 2)], &[Version::new(2, 52, 0)]);
    for (target, reason) in [
        (
            TargetKind::Envtest,
            "envtest::1.6.2::a: it runs on kind (add `--target kind`): it needs 2 nodes",
        ),
        (
            TargetKind::Kind,
            "kind::1.6.2::2.52.0::b: it runs on envtest (add `--target envtest`): no check needs a kubelet",
        ),
    ] {
        let plan = cases(&scenarios, &[(target, pairs.clone())], &Filter::default());
        assert_eq!(plan.cases.len(), 1, "{target}");
        assert_eq!(plan.skipped[0].to_string(), reason);
    }
}

#[rstest]
#[case::cheapest_alone(false, &["envtest::1.6.2::b", "kind::1.6.2::2.52.0::a"])]
#[case::all(true, &["envtest::1.6.2::b", "kind::1.6.2::2.52.0::a", "kind::1.6.2::2.52.0::b"])]
fn all_adds_what_a_cheaper_target_serves(#[case] all: bool, #[case] expected: &[&str]) {
    let scenarios = [
        scenario("a", TargetKind::Kind, "*", "*"),
        scenario("b", TargetKind::Envtest, "*", "*"),
    ];
    let pairs = Pair::crossed(&[Version::new(1, 6, 2)], &[Version::new(2, 52, 0)]);
    let targets = [TargetKind::Envtest, TargetKind::Kind].map(|target| (target, pairs.clone()));
    let filter = Filter {
        all,
        ..Filter::default()
    };
    let plan = cases(&scenarios, &targets, &filter);
    assert_eq!(ids(&plan), expected);
    assert_eq!(plan.skipped, [], "the case of `a` on kind is enough");
    let added = plan
        .cases
        .iter()
        .filter(|case| !case.is_on_cheapest_target());
    let reasons: Vec<String> = added.map(super::TestCase::reason).collect();
    let expected = ["added by `--all`; no check needs a kubelet"].map(str::to_owned);
    assert_eq!(reasons, if all { expected.to_vec() } else { Vec::new() });
}

#[rstest]
#[case::mark_ready(Steps { mark_ready: true, ..Steps::default() }, "`markReady` needs a target without a kubelet")]
#[case::between(Steps { apply_between: Some("a".into()), ..Steps::default() }, "`applyBetween` needs a target where the operator is a process")]
fn all_adds_no_case_whose_requirements_a_target_does_not_meet(
    #[case] steps: Steps,
    #[case] reason: &str,
) {
    let mut scenario = scenario("a", TargetKind::Envtest, "*", "*");
    Arc::make_mut(&mut scenario).file.spec.steps = steps;
    let pairs = Pair::crossed(&[Version::new(1, 6, 2)], &[Version::new(2, 52, 0)]);
    let filter = Filter {
        all: true,
        ..Filter::default()
    };
    let plan = cases(&[scenario], &[(TargetKind::Kind, pairs)], &filter);
    assert_eq!(plan.cases, []);
    let expected =
        format!("kind::1.6.2::2.52.0::a: it runs on envtest (add `--target envtest`): {reason}");
    assert_eq!(plan.skipped[0].to_string(), expected);
}

#[test]
fn an_existing_cluster_takes_the_place_of_kind() {
    let scenarios = [
        scenario("a", TargetKind::Kind, "*", "*"),
        scenario("b", TargetKind::Envtest, "*", "*"),
    ];
    let pairs = Pair::crossed(&[Version::new(1, 6, 2)], &[Version::new(2, 52, 0)]);
    let targets = [(TargetKind::Existing, pairs)];
    let plan = cases(&scenarios, &targets, &Filter::default());
    assert_eq!(ids(&plan), ["existing::1.6.2::2.52.0::a"]);
    assert_eq!(
        plan.skipped[0].to_string(),
        "existing::1.6.2::2.52.0::b: it runs on envtest (leave --context out): no check needs a kubelet"
    );
    let seconds = [("kind::1.6.2::2.52.0::a".to_owned(), 3.0)];
    let durations: super::Durations = seconds.into_iter().collect();
    assert_eq!(
        durations.of_case(&plan.cases[0]),
        Some(Duration::from_secs(3))
    );
}

#[test]
fn a_release_candidate_lies_in_the_ranges_of_its_release() {
    let scenarios = [scenario("a", TargetKind::Kind, ">=1.4.0, <1.7.0", "*")];
    let operators = [
        parse_version("v1.6.0-rc.1").unwrap(),
        parse_version("1.7.0-rc.0").unwrap(),
    ];
    let rays = [Version::new(2, 52, 0)];
    let targets = [(TargetKind::Kind, Pair::crossed(&operators, &rays))];
    let plan = cases(&scenarios, &targets, &Filter::default());
    assert_eq!(ids(&plan), ["kind::1.6.0-rc.1::2.52.0::a"]);
}

#[test]
fn releases_are_read_with_and_without_a_v() {
    assert_eq!(parse_version("v1.6.2").unwrap(), Version::new(1, 6, 2));
    assert_eq!(parse_version("1.6.2").unwrap(), Version::new(1, 6, 2));
    let error = parse_version("1.6").unwrap_err().to_string();
    assert!(error.contains("write it whole, such as `1.6.2`"), "{error}");
}
