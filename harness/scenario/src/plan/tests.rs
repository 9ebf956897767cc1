use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use semver::{Version, VersionReq};

use super::{Filter, Pair, Plan, cells, parse_version};
use crate::{Changes, Lane, Level, Metadata, OperatorSettings, Scenario, ScenarioFile, Spec, Stimulus};

pub(super) fn scenario(name: &str, lanes: &[Lane], operator: &str, ray: &str) -> Arc<Scenario> {
    Arc::new(Scenario {
        dir: PathBuf::new(),
        path: PathBuf::new(),
        check_locations: Vec::new(),
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
                level: if name == "bb" { Level::Extended } else { Level::Core },
                issues: Vec::new(),
                lanes: lanes.into(),
                nodes: 1,
                operator: operator.into(),
                ray: ray.into(),
                manifests: Vec::new(),
                changes: Changes {
                    image: false,
                    ray_version: false,
                    requests: BTreeMap::new(),
                },
                stimulus: Stimulus::default(),
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
        scenario("a", &[Lane::Kind], "*", "*"),
        scenario("bb", &[Lane::Kind, Lane::ControlPlane], ">=1.4.0", ">=2.50.0"),
    ];
    let versions = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Version>>();
    let pairs = Pair::crossed(&versions(&["1.3.2", "1.6.2"]), &versions(&["2.52.0"]));
    cells(
        &scenarios,
        &[(Lane::Kind, pairs.clone()), (Lane::ControlPlane, pairs)],
        filter,
    )
}

fn ids(plan: &Plan) -> Vec<String> {
    plan.cells.iter().map(super::Cell::id).collect()
}

#[test]
fn lanes_and_ranges_leave_cells_out_and_say_why() {
    let plan = plan(&Filter::default());
    assert_eq!(
        ids(&plan),
        [
            "kind::1.3.2::2.52.0::a",
            "kind::1.6.2::2.52.0::a",
            "kind::1.6.2::2.52.0::bb",
            "control-plane::1.6.2::2.52.0::bb",
        ]
    );
    let skipped: Vec<String> = plan.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "kind::1.3.2::2.52.0::bb: the scenario needs a KubeRay operator >=1.4.0",
            "control-plane::1.3.2::2.52.0::a: the scenario does not list this lane",
            "control-plane::1.3.2::2.52.0::bb: the scenario needs a KubeRay operator >=1.4.0",
            "control-plane::1.6.2::2.52.0::a: the scenario does not list this lane",
        ]
    );
}

#[rstest]
#[case(Filter { names: vec!["b".into()], ..Filter::default() }, "its name holds none of b")]
#[case(Filter { rules: vec!["c02".into(), "C09".into()], ..Filter::default() }, "it proves none of c02, C09")]
#[case(Filter { levels: vec![Level::Extended], ..Filter::default() }, "its level is core")]
fn filters_leave_scenarios_out_and_say_why(#[case] filter: Filter, #[case] reason: &str) {
    let plan = plan(&filter);
    assert_eq!(
        ids(&plan),
        ["kind::1.6.2::2.52.0::bb", "control-plane::1.6.2::2.52.0::bb"]
    );
    assert_eq!(plan.skipped[0].to_string(), format!("a: {reason}"));
}

#[test]
fn a_release_candidate_lies_in_the_ranges_of_its_release() {
    let scenarios = [scenario("a", &[Lane::Kind], ">=1.4.0, <1.7.0", "*")];
    let operators = [
        parse_version("v1.6.0-rc.1").unwrap(),
        parse_version("1.7.0-rc.0").unwrap(),
    ];
    let rays = [Version::new(2, 52, 0)];
    let lanes = [(Lane::Kind, Pair::crossed(&operators, &rays))];
    let plan = cells(&scenarios, &lanes, &Filter::default());
    assert_eq!(ids(&plan), ["kind::1.6.0-rc.1::2.52.0::a"]);
}

#[test]
fn releases_are_read_with_and_without_a_v() {
    assert_eq!(parse_version("v1.6.2").unwrap(), Version::new(1, 6, 2));
    assert_eq!(parse_version("1.6.2").unwrap(), Version::new(1, 6, 2));
    let error = parse_version("1.6").unwrap_err().to_string();
    assert!(error.contains("write it whole, such as `1.6.2`"), "{error}");
}
