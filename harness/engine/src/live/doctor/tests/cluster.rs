//! Operators, definitions, quotas, and Pods of other releases.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::contract::EffectiveSettings;
use crate::live::doctor::{ObjectState, PodOrigin};

fn lonely() -> crate::live::bundle::Bundle {
    let mut bundle = healthy();
    bundle.pods.clear();
    bundle.objects[0].as_object_mut().unwrap().remove("status");
    bundle
}

#[test]
fn an_operator_that_is_absent_down_or_elsewhere_is_named() {
    let mut absent = lonely();
    absent.operators.clear();
    assert_eq!(absent.first(), "operator-absent");
    let mut down = lonely();
    down.operators[0].deployment["status"] = json!({});
    assert_eq!(down.first(), "operator-down");
    // One that was installed a moment ago is awaited, unless it fails already.
    let mut starting = down.clone();
    starting.operators[0].pods.clear();
    starting.operators[0].deployment["metadata"]["creationTimestamp"] =
        "2026-11-28T11:59:50Z".into();
    assert!(starting.causes().is_empty(), "{:?}", starting.causes());
    let report = starting.report();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let waits = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 1});
    starting.operators[0].pods = vec![json!({
        "metadata": {"creationTimestamp": "2026-11-28T11:59:50Z"},
        "status": {"containerStatuses": [waits]}})];
    assert_eq!(starting.first(), "operator-down");
    // It works as long as it runs, though a busy machine answers its probe late.
    let late = |since: &str| {
        json!({"metadata": {"creationTimestamp": CREATED},
            "status": {"containerStatuses": [{"state": {"running": {}}, "restartCount": 0}],
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": since}]}})
    };
    starting.operators[0].pods = vec![late("2026-11-28T11:59:50Z")];
    assert!(starting.causes().is_empty(), "{:?}", starting.causes());
    starting.operators[0].pods = vec![late(CREATED)];
    assert_eq!(starting.first(), "operator-down");
    let mut elsewhere = lonely();
    let container =
        &mut elsewhere.operators[0].deployment["spec"]["template"]["spec"]["containers"][0];
    container["args"] = json!(["--watch-namespace", "other,another"]);
    assert_eq!(elsewhere.first(), "namespace-not-watched");
    assert_eq!(lonely().first(), "operator-silent");
    // In its first moments nothing is wrong.
    let mut fresh = lonely();
    fresh.objects[0]["metadata"]["creationTimestamp"] = "2026-11-28T11:59:50Z".into();
    assert!(fresh.causes().is_empty(), "{:?}", fresh.causes());
}

#[test]
fn what_may_not_be_read_is_not_called_absent() {
    let mut bundle = lonely();
    bundle.operators.clear();
    bundle.miss("operators", "deployments.apps is forbidden");
    assert_eq!(bundle.first(), "unknown");
}

#[rstest]
#[case::quota(
    "pods \"x\" is forbidden: exceeded quota: small, requested: limits.cpu=1",
    "quota"
)]
#[case::webhook(
    "admission webhook \"v.example.com\" denied the request: no",
    "refused-by-webhook"
)]
#[case::invalid(
    "Pod \"x\" is invalid: spec.containers[1].name: Duplicate value",
    "refused-at-pod-creation"
)]
#[case::security(
    "pods \"x\" is forbidden: violates PodSecurity \"restricted\"",
    "refused-by-webhook"
)]
fn a_pod_that_is_not_created_says_why(#[case] message: &str, #[case] expected: &str) {
    let mut by_event = healthy();
    by_event.pods.clear();
    by_event.event("uid-demo", "FailedToCreateHeadPod", message);
    assert_eq!(by_event.first(), expected);
    // Releases that write a condition keep it when the event is gone.
    let mut by_status = healthy();
    by_status.without("worker");
    by_status.objects[0]["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True",
        "reason": "FailedCreateWorkerPod", "message": message}]);
    assert_eq!(by_status.first(), expected);
    // The same event about a RayCluster that has its Pods is history.
    let mut mended = healthy();
    mended.event("uid-demo", "FailedToCreateHeadPod", message);
    assert!(mended.causes().is_empty(), "{:?}", mended.causes());
}

#[test]
fn a_remark_of_old_operators_explains_no_missing_pod() {
    let mut bundle = healthy();
    bundle.without("worker");
    let before = bundle.causes();
    bundle.event(
        "uid-demo",
        "RayConfigError",
        "Cannot parse object-store-memory x as an integer: strconv.ParseInt: parsing \"x\": invalid syntax",
    );
    assert_eq!(bundle.causes(), before);
}

#[test]
fn definitions_that_helm_did_not_upgrade_are_named() {
    let mut older = healthy();
    older.crds = vec![crd("1.3.2")];
    let report = older.report();
    assert_eq!(report.findings[0].cause, "crds-older-than-operator");
    let proof = &report.findings[0].proof[0].text;
    assert!(proof.contains("rayclusters.ray.io lacks"), "{proof}");
    for release in ["1.6.2", "1.7.0"] {
        let mut fitting = healthy();
        fitting.crds = vec![crd(release)];
        assert!(fitting.causes().is_empty(), "{release}");
    }
}

#[test]
fn pods_of_an_older_operator_are_named_with_what_changes() {
    let mut upgraded = healthy();
    upgraded.pods = pods_of(&cluster(), "1.3.2", &EffectiveSettings::default());
    let report = upgraded.report();
    assert!(!report.has_problems(), "{report:#?}");
    assert_eq!(report.objects[0].state, ObjectState::Healthy);
    for pod in &report.objects[0].pods {
        assert_eq!(pod.origin, PodOrigin::OlderOperator);
        assert!(
            pod.releases.contains(&"1.3.2".to_owned()),
            "{:?}",
            pod.releases
        );
        assert!(
            !pod.releases.contains(&"1.6.2".to_owned()),
            "{:?}",
            pod.releases
        );
        let lines = pod.when_recreated.join("\n");
        assert!(lines.contains("command of ray-"), "{lines}");
        assert!(lines.contains("KubeRay 1.6.2 instead of 1.3.2"), "{lines}");
        assert!(lines.contains("plain-shell"), "{lines}");
    }
    // Nothing changes for the Pods of the present one.
    let report = healthy().report();
    let pods = &report.objects[0].pods;
    assert_eq!(pods.len(), 2);
    for pod in pods {
        assert!(pod.when_recreated.is_empty(), "{pod:#?}");
    }
}

#[test]
fn a_suspended_cluster_is_healthy() {
    let mut bundle = healthy();
    bundle.pods.clear();
    bundle.objects[0]["spec"]["suspend"] = true.into();
    assert_eq!(bundle.report().objects[0].state, ObjectState::Healthy);
}

#[test]
fn several_faults_are_several_objects_in_order() {
    let mut bundle = healthy();
    let mut second = bundle.objects[0].clone();
    second["metadata"]["name"] = "other".into();
    second["metadata"]["uid"] = "uid-other".into();
    bundle.objects.push(second);
    bundle.event(
        "uid-other",
        "FailedToCreateHeadPod",
        "exceeded quota: small",
    );
    let report = bundle.report();
    assert_eq!(report.objects.len(), 2);
    assert_eq!(report.objects[0].name, "other");
    assert_eq!(report.objects[0].findings[0].cause, "quota");
    assert_eq!(report.objects[1].state, ObjectState::Healthy);
}

#[test]
fn nothing_in_a_bundle_is_trusted() {
    let texts =
        json!({"kind": 3, "metadata": [], "spec": {"containers": {}}, "status": {"conditions": 1}});
    let mut bundle = crate::live::bundle::Bundle::now();
    for list in [
        &mut bundle.objects,
        &mut bundle.pods,
        &mut bundle.jobs,
        &mut bundle.events,
    ] {
        list.push(texts.clone());
        list.push(json!(null));
        list.push(json!({"kind": "RayCluster", "metadata": {"uid": "a", "name": "\u{1b}[31m",
            "ownerReferences": [{"uid": "a"}]}, "spec": {"headGroupSpec": 1, "workerGroupSpecs": [null, 2]}}));
    }
    bundle
        .operators
        .push(crate::live::bundle::OperatorDeployment::default());
    bundle.report();
}

#[test]
fn the_report_fits_its_schema() {
    let schema = crate::live::doctor::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut bundle = bundle(cluster_with("prepare &"), "1.6.2");
    bundle.ends("head", 2, "syntax error near unexpected token `&&'\n");
    let mut value = serde_json::to_value(bundle.report()).unwrap();
    assert!(validator.is_valid(&value));
    value["objects"][0]["findings"][0]["cause"] = 3.into();
    assert!(!validator.is_valid(&value));
}

#[test]
fn the_schema_is_as_committed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/schema/doctor.schema.json");
    let text = format!("{:#}\n", crate::live::doctor::schema());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/schema/doctor.schema.json is outdated; write it with UPDATE_SCHEMAS=1"
    );
}

#[test]
fn a_report_of_nothing_is_no_verdict() {
    let mut bundle = healthy();
    assert_eq!(bundle.report().is_verdict(), Ok(()));
    bundle.miss("Pods", "pods is forbidden");
    let why = bundle.report().is_verdict().unwrap_err();
    assert_eq!(why.to_string(), "Pods could not be read: pods is forbidden");
    let mut bundle = healthy();
    bundle.miss("events", "events is forbidden");
    assert_eq!(bundle.report().is_verdict(), Ok(()));
    bundle.objects.clear();
    bundle.pods.clear();
    let why = bundle.report().is_verdict().unwrap_err();
    assert_eq!(why.to_string(), "no Ray object was found");
}
