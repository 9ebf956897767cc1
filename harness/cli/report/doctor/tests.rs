use assertables::assert_contains;
use serde_json::json;

use super::*;
use crate::live::doctor::{PodReport, Proof, ProofKind};
use crate::report::text::SCREEN;

fn finding(rank: usize, cause: &str, severity: Severity) -> DoctorFinding {
    DoctorFinding {
        rank,
        cause: cause.into(),
        severity,
        message: format!("The cause {cause}."),
        pod: Some("demo-head-x".into()),
        container: Some("ray-head".into()),
        proof: vec![Proof {
            kind: ProofKind::ExitCode,
            text: "2 (Error)".into(),
        }],
        rule: Some("C04".into()),
        scenarios: vec!["trailing-ampersand".into()],
        help: "Change it.".into(),
        patch: None,
    }
}

fn report() -> DoctorReport {
    let mut first = finding(1, "trailing-ampersand", Severity::Error);
    first.patch = Some(Patch {
        kind: "RayCluster".into(),
        namespace: "team".into(),
        name: "demo".into(),
        operations: vec![json!({"op": "replace", "path": "/spec/a", "value": "(it's &)"})],
    });
    let second = finding(2, "stale-pod", Severity::Error);
    DoctorReport {
        objects: vec![
            DoctorObject {
                kind: "RayCluster".into(),
                namespace: "team".into(),
                name: "demo".into(),
                state: ObjectState::Broken,
                findings: vec![first, second],
                pods: vec![PodReport {
                    name: "demo-head-x".into(),
                    role: "head".into(),
                    origin: PodOrigin::OlderOperator,
                    releases: vec!["1.3.2".into()],
                    when_recreated: vec!["command of ray-head: KubeRay 1.7.0".into()],
                    ..PodReport::default()
                }],
            },
            DoctorObject {
                kind: "RayJob".into(),
                name: "well".into(),
                ..DoctorObject::default()
            },
        ],
        ..DoctorReport::default()
    }
}

#[test]
fn text_says_what_why_and_what_to_do() {
    insta::assert_snapshot!(doctor_text(&report(), false, false));
}

#[test]
fn a_screen_is_enough_for_an_object() {
    let mut report = report();
    for rank in 3..60 {
        let cause = format!("cause-{rank}");
        report.objects[0]
            .findings
            .push(finding(rank, &cause, Severity::Error));
    }
    let text = doctor_text(&report, false, false);
    assert!(text.lines().count() <= SCREEN + 3, "{text}");
    assert!(text.contains("more with --verbose"), "{text}");
    assert_contains!(doctor_text(&report, true, false), "cause-59");
}

#[test]
fn names_from_a_cluster_cannot_reach_the_terminal() {
    let mut report = report();
    report.objects[0].name = "a\u{1b}[31m\n::error::b".into();
    report.objects[0].findings[0].proof[0].text = "x\n::set-output\u{202e}".into();
    let text = doctor_text(&report, true, false);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(!text.contains('\u{202e}'), "{text}");
    assert!(!text.contains("\n::"), "{text}");
}

#[test]
fn junit_fails_for_what_is_broken_alone() {
    let text = doctor_junit(&report()).unwrap();
    assert_eq!(text.matches("<failure").count(), 1, "{text}");
    assert!(text.contains(r#"tests="3""#), "{text}");
}
