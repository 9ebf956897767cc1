//! A run with one case of each kind of ending, for the tests of the crates above.

use std::collections::BTreeMap;

use super::{
    CaseResult, CheckResult, Environment, ImageRecord, Origin, Outcome, Phase, RESULTS_VERSION,
    RunResult, ScenarioRecord,
};
use crate::{Level, Location, TargetKind};
use kuberay_contract::Layer;

fn case(
    scenario: &str,
    outcome: Outcome,
    level: Level,
    rules: &[&str],
    reason: Option<&str>,
) -> CaseResult {
    CaseResult {
        id: format!("kind::1.6.2::2.52.0::{scenario}"),
        scenario: scenario.into(),
        file: format!("scenarios/{scenario}/scenario.yaml"),
        rules: rules.iter().map(|&rule| rule.into()).collect(),
        layers: vec![Layer::Spec],
        level,
        target: TargetKind::Kind,
        operator: "1.6.2".into(),
        ray: "2.52.0".into(),
        kubernetes: "v1.34.4".into(),
        images: vec!["quay.io/kuberay/operator:v1.6.2@sha256:1c2d".into()],
        outcome,
        reason: reason.map(str::to_owned),
        duration_seconds: if outcome == Outcome::Skipped {
            0.0
        } else {
            22.44
        },
        applied: None,
        milestones: BTreeMap::new(),
        slot: None,
        checks: Vec::new(),
        evidence: outcome
            .is_bad()
            .then(|| format!("evidence/kind-1.6.2-2.52.0-{scenario}")),
        steps: Vec::new(),
        operator_settings: BTreeMap::new(),
        namespace: (outcome != Outcome::Skipped).then(|| format!("kc-{scenario}")),
        resumed: false,
        no_capacity: false,
        unavailable: false,
        interrupted: false,
    }
}

fn record(name: &str, rules: &[&str], operator: &str) -> ScenarioRecord {
    ScenarioRecord {
        name: name.into(),
        rules: rules.iter().map(|&rule| rule.into()).collect(),
        level: Level::Core,
        target: TargetKind::Kind,
        operator: operator.into(),
        ray: ">=2.0.0".into(),
    }
}

fn check(name: &str, line: usize, outcome: Outcome, message: &str) -> CheckResult {
    CheckResult {
        name: name.into(),
        location: Location { line, column: 7 },
        source: None,
        outcome,
        message: message.into(),
        expected: None,
        found: None,
        diff: None,
        new_snapshots: 0,
        seconds: 2.25,
    }
}

fn flaky() -> CaseResult {
    let reason = "passed when tried again; at first making the namespace kc-1: connection refused";
    case(
        "overwrite-annotation",
        Outcome::Flaky,
        Level::Core,
        &["C07"],
        Some(reason),
    )
}

/// Returns the run.
pub fn run() -> RunResult {
    let mut passed = case(
        "before-ray-start",
        Outcome::Passed,
        Level::Core,
        &["C01", "C02"],
        None,
    );
    passed.checks.push(check(
        "pod head",
        14,
        Outcome::Passed,
        "head.command and head.args are as in their snapshots",
    ));

    let mut failed = case(
        "solution-2-post-start",
        Outcome::Failed,
        Level::Core,
        &["C02"],
        None,
    );
    failed.checks = vec![
        CheckResult {
            expected: Some("[\n  \"echo 123 \",\n]".into()),
            found: Some("[\n  \"echo 123\",\n]".into()),
            diff: Some("@@ -1,3 +1,3 @@\n [\n-  \"echo 123 \",\n+  \"echo 123\",\n ]\n".into()),
            ..check(
                "pod head",
                14,
                Outcome::Failed,
                "head.args differs from head.args@ge-1.4.0.snap in 1 line",
            )
        },
        CheckResult {
            expected: Some("SUCCEEDED".into()),
            found: Some("```\n\x1b[31mFAILED\x1b[0m at 100%, <b>::add-path::/x</b>\r\0 |".into()),
            ..check(
                "job",
                20,
                Outcome::Failed,
                "the job ended with FAILED:\nexit code 2, see_its *log*",
            )
        },
        check("logs head", 23, Outcome::Skipped, "not judged"),
    ];

    let mut provisional = case(
        "init-order",
        Outcome::Failed,
        Level::Provisional,
        &["C14"],
        None,
    );
    provisional.checks.push(check(
        "pod worker",
        9,
        Outcome::Failed,
        "no worker Pod was created",
    ));

    provisional.steps = vec!["the harness, not a kubelet, marked the Pods as ready".into()];
    provisional.operator_settings = BTreeMap::from([("ENABLE_LOGIN_SHELL".into(), "true".into())]);

    let skipped = Some("the operator 1.6.2 is not in the range >=1.7");
    let broken = Some("the image quay.io/kuberay/operator:v1.6.2 could not be pulled: not found");
    RunResult {
        version: RESULTS_VERSION.into(),
        run_id: "20261102-101500-4f2a".into(),
        started: "2026-11-02T10:15:00Z".into(),
        duration_seconds: 95.2,
        harness: "0.1.0".into(),
        command: Some("kuberay-conformance run --target kind".into()),
        phases: vec![
            Phase {
                name: "cluster".into(),
                seconds: 37.0,
            },
            Phase {
                name: "cases".into(),
                seconds: 58.2,
            },
        ],
        environment: Environment {
            kubernetes: "v1.34.4".into(),
            engine: "podman 4.3.1".into(),
            images: vec![
                ImageRecord {
                    name: "docker.io/rayproject/ray:2.52.0".into(),
                    origin: Origin::Built,
                    source: "PyPI ray[default]==2.52.0".into(),
                    digest: "sha256:0f3a".into(),
                    pinned: true,
                },
                ImageRecord {
                    name: "quay.io/kuberay/operator:v1.6.2".into(),
                    origin: Origin::Pulled,
                    source: "quay.io".into(),
                    digest: "sha256:77aa".into(),
                    pinned: false,
                },
            ],
        },
        shard: None,
        planned: Vec::new(),
        selected_rules: Vec::new(),
        scenarios: vec![
            record("before-ray-start", &["C01", "C02"], ">=1.0.0"),
            record("solution-2-post-start", &["C02"], ">=1.0.0"),
            record("init-order", &["C14"], ">=1.0.0"),
            record("overwrite-annotation", &["C07"], ">=1.4.0"),
            record("ulimit-variable", &["C09"], ">=1.7.0"),
            record("head-command-sample", &["C01"], ">=1.0.0"),
        ],
        missing: Vec::new(),
        cases: vec![
            passed,
            failed,
            provisional,
            flaky(),
            case(
                "ulimit-variable",
                Outcome::Skipped,
                Level::Extended,
                &["C09"],
                skipped,
            ),
            case(
                "head-command-sample",
                Outcome::Error,
                Level::Core,
                &["C01"],
                broken,
            ),
        ],
        interrupted: None,
    }
}
