//! The pages that the browser opens, made of results as a run has them.

use std::path::Path;

use kuberay_conformance::contract::Layer;
use kuberay_conformance::report::{
    CaseResult, CheckResult, Environment, Outcome, RunResult, ScenarioRecord, compare, example,
    write_all, write_page,
};
use kuberay_conformance::scenario::{Level, TargetKind};

const RELEASES: [&str; 8] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.2", "1.4.2", "1.5.2", "1.6.2", "1.7.0",
];

/// Writes a folder for each page.
pub fn write(folder: &Path) {
    let mixed = mixed();
    let beside = folder.join("mixed");
    evidence(&beside, &mixed);
    write_all(&mixed, &beside).unwrap();
    write_all(&large(), &folder.join("large")).unwrap();
    write_all(&empty(), &folder.join("empty")).unwrap();
    write_all(&hostile(), &folder.join("hostile")).unwrap();
    let compared = folder.join("compared");
    std::fs::create_dir_all(&compared).unwrap();
    let mut old = mixed.clone();
    for case in &mut old.cases {
        case.outcome = match case.outcome {
            Outcome::Failed => Outcome::Passed,
            _ if case.scenario == "ulimit-variable" => Outcome::Failed,
            other => other,
        };
    }
    old.cases[0].id = "envtest::1.6.2::2.52.0::gone".into();
    old.started = "2026-11-01T10:15:00Z".into();
    let comparison = compare(&old, &mixed);
    write_page(&mixed, &comparison, None, &compared.join("index.html")).unwrap();
}

fn evidence(folder: &Path, run: &RunResult) {
    for path in run.cases.iter().filter_map(|case| case.evidence.as_ref()) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.join("logs/head")).unwrap();
        let log = "INFO reconciling RayCluster\nINFO created head Pod\n";
        std::fs::write(path.join("operator.log"), log).unwrap();
        std::fs::write(path.join("logs/head/ray-head.log"), "123 456\n").unwrap();
    }
}

fn blank(scenario: &str, operator: &str, place: usize) -> CaseResult {
    let mut case = example::run().cases[0].clone();
    case.id = format!("envtest::{operator}::2.52.0::{scenario}");
    case.scenario = scenario.into();
    case.file = format!("scenarios/{scenario}/scenario.yaml");
    case.operator = operator.into();
    case.target = TargetKind::Envtest;
    let began = place / 4 * 3;
    let time = format!(
        "2026-11-02T10:{:02}:{:02}.{:03}Z",
        15 + began / 60,
        began % 60,
        place % 4 * 250
    );
    case.applied = Some(time);
    case.slot = Some(place % 4);
    case.milestones = [
        ("running".into(), 0.8),
        ("ready".into(), 1.4),
        ("rayReady".into(), 1.9),
    ]
    .into();
    case.duration_seconds = 3.1;
    case
}

fn command(name: &str, ulimit: &str) -> String {
    format!(
        "- \" echo {name}  && ulimit -n {ulimit}; ray start --head  --block  \
         --dashboard-agent-listen-port=52365  --dashboard-host=0.0.0.0  --memory=2147483648  \
         --metrics-export-port=8080  --num-cpus=1 \""
    )
}

/// A check of a Pod that found what the release makes, against a snapshot of before 1.7.
fn check(scenario: &str, operator: &str) -> CheckResult {
    let (old, new) = ("65536", "${RAY_START_ULIMIT_OPEN_FILES:-65536}");
    let is_new = operator == "1.7.0";
    let (expected, found) = (
        command(scenario, old),
        command(scenario, if is_new { new } else { old }),
    );
    let mut check = example::run().cases[0].checks[0].clone();
    check.name = "pod head args".into();
    check.seconds = 2.6;
    if is_new {
        check.outcome = Outcome::Failed;
        check.message =
            format!("head Pod {scenario}-head-x7k2p: args differs from head.args@ge-1.6.0.snap");
        check.diff = Some(format!("-{expected}\n+{found}"));
        check.expected = Some(expected);
        check.source = Some("    - pod:\n        role: head\n        snapshot: [args]".into());
    }
    check.found = Some(found);
    check
}

/// Four scenarios on three releases: the newest fails, one case is new.
pub fn mixed() -> RunResult {
    let mut run = example::run();
    run.command = Some("kuberay-conformance run --operator 1.5.2,1.6.2,1.7.0".into());
    run.cases.clear();
    run.scenarios.clear();
    let scenarios = [
        (
            "before-ray-start",
            ["C01", "C02"],
            Level::Core,
            Layer::Runtime,
        ),
        (
            "solution-2-post-start",
            ["C02", "C05"],
            Level::Core,
            Layer::Spec,
        ),
        (
            "overwrite-annotation",
            ["C07", "C08"],
            Level::Extended,
            Layer::Spec,
        ),
        (
            "ulimit-variable",
            ["C01", "C09"],
            Level::Extended,
            Layer::Spec,
        ),
    ];
    for (name, rules, level, layer) in scenarios {
        let rules: Vec<String> = rules.iter().map(|&rule| rule.into()).collect();
        run.scenarios.push(ScenarioRecord {
            level: Level::Core,
            name: name.into(),
            rules: rules.clone(),
            target: TargetKind::Envtest,
            operator: ">=1.0.0".into(),
            ray: ">=2.0.0".into(),
        });
        for operator in ["1.5.2", "1.6.2", "1.7.0"] {
            let mut case = blank(name, operator, run.cases.len());
            case.rules.clone_from(&rules);
            case.level = level;
            case.layers = vec![Layer::Spec, layer];
            case.layers.dedup();
            case.checks = vec![check(name, operator)];
            if operator == "1.7.0" {
                case.outcome = Outcome::Failed;
                case.reason = Some(format!("pod head args: {}", case.checks[0].message));
                case.evidence = Some(format!("evidence/envtest-{operator}-{name}"));
            }
            if name == "ulimit-variable" && operator == "1.5.2" {
                case.outcome = Outcome::New;
                case.checks[0].outcome = Outcome::New;
                case.checks[0].new_snapshots = 1;
                case.checks[0].message = "no snapshot head.args@ge-1.5.1.snap for args".into();
                case.reason = Some(case.checks[0].message.clone());
            }
            run.cases.push(case);
        }
    }
    run
}

/// 75 scenarios on 8 releases, of which the newest fails everywhere.
fn large() -> RunResult {
    let mut run = mixed();
    run.cases.clear();
    for scenario in 0..75 {
        let name = format!("scenario-{scenario:02}-with-a-name-as-long-as-most");
        for operator in RELEASES {
            let mut case = blank(&name, operator, run.cases.len());
            case.rules = vec![format!("C{:02}", 1 + scenario % 23)];
            case.checks = vec![check(&name, operator), check(&name, operator)];
            if operator == "1.7.0" {
                case.outcome = Outcome::Failed;
                case.reason = Some(case.checks[0].message.clone());
            }
            run.cases.push(case);
        }
    }
    assert_eq!(run.cases.len(), 600);
    run
}

fn empty() -> RunResult {
    let mut run = mixed();
    run.cases.clear();
    run.phases.clear();
    run.environment = Environment::default();
    run
}

/// Data that tries to become a part of the page.
fn hostile() -> RunResult {
    let mut run = mixed();
    let evil = "\"'><script>hacked = true</script><img src=x onerror=hacked=true>{{ 7 * 7 }}\u{202e}\u{1b}[31m";
    run.command = Some(evil.into());
    run.environment.engine = evil.into();
    for case in &mut run.cases {
        case.file = "javascript:alert(1)".into();
        case.evidence = Some("../../etc".into());
        case.reason = Some(evil.into());
        case.steps = vec![evil.into()];
        case.checks[0].message = format!("{evil}\n{evil}");
        case.checks[0].source = Some(evil.into());
        case.checks[0].found = Some(evil.into());
    }
    run.cases[0].scenario = evil.into();
    run.cases[0].id = evil.into();
    run.cases[2].checks[0].name = evil.into();
    run.cases[2].operator = evil.into();
    run.cases[5].evidence = Some("javascript:alert(1)".into());
    run
}
