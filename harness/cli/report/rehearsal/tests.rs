//! The texts of a constructed report.

use serde_json::json;

use super::super::rehearsal_markdown;
use super::*;
use crate::rehearse::document::RehearsalTotals;

fn report() -> RehearsalReport {
    let change = json!({"impact": "review", "subject": "options of the shell", "rule": "C09",
        "features": [{"name": "plain-shell", "comes": true, "at": "1.4.0",
            "says": "Commands run with bash -c.", "source": "#3100"}],
        "before": "lc", "after": "c"});
    let changed = |name: &str| {
        json!({"kind": "RayCluster", "namespace": "team", "name": name, "verdict": "changed",
            "changes": [change]})
    };
    let objects: Vec<RehearsedObject> = serde_json::from_value(json!([
        {"kind": "RayCluster", "namespace": "team", "name": "bounds", "verdict": "refused",
            "refusals": [{"by": "the operator", "message": "min > max\u{1b}[31m"}]},
        {"kind": "RayJob", "namespace": "team", "name": "old", "verdict": "dropped",
            "dropped": ["spec.deletionPolicy"]},
        {"kind": "RayCluster", "namespace": "team", "name": "hosts", "verdict": "at-once",
            "atOnce": [{"what": "Pod of the worker group tpu", "deleted": true, "count": 2,
                "why": "DeletedWorkerPod: replaced"}]},
        changed("a"), changed("b"),
        {"kind": "RayCluster", "namespace": "team", "name": "same", "verdict": "unchanged"},
    ]))
    .unwrap();
    RehearsalReport {
        steps: vec![StepReport {
            from: "1.3.2".into(),
            to: "1.6.2".into(),
            totals: RehearsalTotals::of(&objects),
            objects,
            model: serde_json::from_value(json!([{"object": "RayCluster team/a",
                "release": "1.6.2", "pod": "head", "difference": "args"}]))
            .unwrap(),
            ..StepReport::default()
        }],
        notes: vec!["no container ran".into()],
        ..RehearsalReport::default()
    }
}

#[test]
fn the_total_comes_first_and_objects_with_the_same_to_say_share_a_paragraph() {
    let text = rehearsal_text(&report(), false, false);
    assert!(!text.contains('\u{1b}'), "{text}");
    let expected = [
        "KubeRay 1.3.2 → 1.6.2: 5 of 6 objects need review",
        "    1 refused by the new CRDs or the new operator",
        "    2 behave differently when their Pods are recreated",
        "RayCluster team/bounds: refused",
        "  the operator refuses it: min > max",
        "  dropped: spec.deletionPolicy",
        "  at once: deleted 2 Pods of the worker group tpu (DeletedWorkerPod: replaced)",
        "RayCluster team/a, team/b: changes when Pods are recreated",
        "  review: options of the shell: `lc` → `c`",
        "    plain-shell (since 1.4.0): Commands run with bash -c.",
        "the model is wrong: RayCluster team/a, head on KubeRay 1.6.2: args",
        "rehearsal: no container ran",
    ];
    let mut rest = text.as_str();
    for line in expected {
        let at = rest.find(line);
        let at = at.unwrap_or_else(|| panic!("`{line}` is not in its place:\n{text}"));
        rest = &rest[at + line.len()..];
    }
    assert!(!text.contains("team/same"), "{text}");
}

#[test]
fn details_and_unchanged_objects_are_shown_on_request() {
    let text = rehearsal_text(&report(), true, false);
    assert!(text.contains("source: #3100"), "{text}");
    assert!(text.contains("team/same"), "{text}");
}

#[test]
fn markdown_is_for_a_ticket_and_breaks_at_nothing() {
    let text = rehearsal_markdown(&report());
    for part in [
        "### KubeRay 1.3.2 → 1.6.2: 5 of 6 objects need review",
        "| 1 | lose fields |",
        "#### refused: RayCluster team/bounds",
        "- loses `spec.deletionPolicy`",
        "- **review**: options of the shell: `lc` → `c`",
        "- **finding about the model**: RayCluster team/a head on KubeRay 1.6.2: args",
    ] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    let mut long = report();
    let object = long.steps[0].objects[1].clone();
    for index in 0..5000 {
        let mut other = object.clone();
        other.dropped = vec![format!("spec.field{index}")];
        long.steps[0].objects.push(other);
    }
    let text = rehearsal_markdown(&long);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("do not fit"), "{}", text.len());
}

#[test]
fn nothing_to_do_is_said_in_the_first_line() {
    let mut report = report();
    report.steps[0].objects.truncate(0);
    report.steps[0].model.clear();
    let text = rehearsal_text(&report, false, false);
    assert!(
        text.starts_with("KubeRay 1.3.2 → 1.6.2: nothing to do\n"),
        "{text}"
    );
}
