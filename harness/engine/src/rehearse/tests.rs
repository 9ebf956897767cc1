//! Fleets, prepared objects and comparisons, without operators.

use assert_matches::assert_matches;
use std::collections::BTreeSet;

use assertables::{assert_contains, assert_not_contains};
use k8s_openapi::api::core::v1::{Event, Pod};
use rstest::rstest;
use semver::Version;
use serde_json::{Value, json};

use super::compare::{at_once, changes, new_refusals, refusals, verdict};
use super::document::{
    ObjectVerdict, RehearsalReport, RehearsalTotals, RehearsedObject, StepReport,
};
use super::fleet::Fleet;
use super::prepare::{idle, lost, stand_ins, stripped, unknown_fields, with_one_replica};
use super::{RehearseError, RehearseOptions, mask, model};
use crate::check::Observation;
use crate::compare::observe;
use crate::contract::{EffectiveSettings, PodContract, PodRole, UNKNOWN_UID, predict};
use crate::explain::check::Impact;
use crate::live::Bundle;
use crate::live::bundle::OperatorDeployment;

fn cluster(name: &str) -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": "rayproject/ray:2.52.0",
            "resources": {"limits": {"cpu": "1", "memory": "2Gi"}}})
    };
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"rayVersion": "2.52.0",
            "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {
                "containers": [container("ray-head")]}}},
            "workerGroupSpecs": [{"groupName": "cpu", "replicas": 4, "minReplicas": 2,
                "maxReplicas": 8, "rayStartParams": {}, "template": {"spec": {
                    "containers": [container("ray-worker")]}}}]}})
}

fn release(text: &str) -> Version {
    text.parse().unwrap()
}

/// The Pods that the model says that a release makes.
fn seen(object: &Value, release: &Version) -> Observation {
    let pods = predict(release, &EffectiveSettings::default(), object).unwrap();
    let mut cluster = object.clone();
    cluster["metadata"]["uid"] = "uid-of-the-cluster".into();
    Observation {
        pods: pods.into_iter().map(|pod| pod_of(&pod, object)).collect(),
        ray_clusters: vec![cluster],
        ..Observation::default()
    }
}

fn pod_of(contract: &PodContract, object: &Value) -> Pod {
    let contract = contract.clone().with(UNKNOWN_UID, "uid-of-the-cluster");
    let role = if contract.role == PodRole::Head {
        "head"
    } else {
        "worker"
    };
    let name = object["metadata"]["name"].as_str().unwrap();
    let group = if contract.group.is_empty() {
        "headgroup"
    } else {
        &contract.group
    };
    serde_json::from_value(json!({
        "metadata": {"name": format!("{name}-{group}"), "namespace": "team",
            "uid": format!("uid-{name}-{group}"),
            "labels": {"ray.io/cluster": name, "ray.io/node-type": role, "ray.io/group": group}},
        "spec": contract.spec()}))
    .unwrap()
}

fn changes_of(object: &Value, from: &str, to: &str) -> Vec<super::document::PodChange> {
    let (from, to) = (release(from), release(to));
    let sides = [
        observe(&seen(object, &from), &[], &from),
        observe(&seen(object, &to), &[], &to),
    ];
    changes(&sides[0], &sides[1], [&from, &to], false)
}

#[rstest]
#[case::the_same("1.6.2", "1.6.2", Impact::None, None)]
#[case::its_name_alone("1.6.1", "1.6.2", Impact::None, Some("RAY_USAGE_STATS_EXTRA_TAGS"))]
#[case::another_text("1.5.2", "1.6.2", Impact::Cosmetic, Some("env-cluster-namespace"))]
#[case::another_shell("1.3.2", "1.4.2", Impact::Review, Some("login-shell"))]
fn a_change_has_the_impact_of_its_feature(
    #[case] from: &str,
    #[case] to: &str,
    #[case] impact: Impact,
    #[case] holds: Option<&str>,
) {
    let found = changes_of(&cluster("demo"), from, to);
    let largest = found.iter().map(|one| one.impact).max();
    assert_eq!(largest.unwrap_or(Impact::None), impact, "{found:#?}");
    match holds {
        None => assert_eq!(found, []),
        Some(word) => assert!(format!("{found:?}").contains(word), "{found:#?}"),
    }
}

#[test]
fn a_change_that_no_feature_explains_is_to_be_reviewed() {
    let release = release("1.6.2");
    let before = seen(&cluster("demo"), &release);
    let mut after = before.clone();
    let spec = after.pods[0].spec.as_mut().unwrap();
    spec.restart_policy = Some("Never".into());
    spec.containers[0].command = Some(vec!["/bin/sh".into(), "-c".into()]);
    let sides = [
        observe(&before, &[], &release),
        observe(&after, &[], &release),
    ];
    let found = changes(&sides[0], &sides[1], [&release, &release], false);
    for one in &found {
        assert_eq!(one.impact, Impact::Review, "{one:?}");
        assert!(one.features.is_empty(), "{one:?}");
    }
    assert!(
        found
            .iter()
            .any(|one| one.subject == "restartPolicy of the head Pod"),
        "{found:#?}"
    );
    // A Pod that does not come again is worse.
    after.pods.remove(1);
    let sides = [
        observe(&before, &[], &release),
        observe(&after, &[], &release),
    ];
    let found = changes(&sides[0], &sides[1], [&release, &release], false);
    assert_eq!(found[0].impact, Impact::Breaks);
}

fn event(uid: &str, reason: &str, message: &str) -> Event {
    serde_json::from_value(
        json!({"metadata": {"uid": uid}, "reason": reason, "message": message,
        "type": "Warning", "involvedObject": {"kind": "RayCluster", "name": "demo"}}),
    )
    .unwrap()
}

#[test]
fn a_refusal_is_new_where_the_same_reason_was_not_told_before() {
    let invalid = |uid: &str, number: u8| {
        event(
            uid,
            "InvalidRayClusterSpec",
            &format!("the spec of demo-{number} is invalid: a > b"),
        )
    };
    let before = Observation {
        events: vec![invalid("1", 1)],
        ..Observation::default()
    };
    let mut after = before.clone();
    after.events.push(invalid("2", 2));
    after
        .events
        .push(event("3", "FailedToFetch", "no dashboard"));
    let known = BTreeSet::from(["1".to_owned()]);
    let told = [
        refusals(&before, &BTreeSet::new()),
        refusals(&after, &known),
    ];
    assert_eq!(told[0].len(), 1, "{told:?}");
    assert_eq!(told[1].len(), 1, "{told:?}");
    assert_eq!(new_refusals(&told[0], &told[1], "the operator"), []);
    let new = new_refusals(&[], &told[1], "the operator");
    assert_eq!(new.len(), 1);
    assert_contains!(new[0].message, "a > b");
}

#[test]
fn what_went_and_came_without_being_asked_is_counted() {
    let before = seen(&cluster("demo"), &release("1.6.2"));
    let mut after = before.clone();
    assert_eq!(at_once(&before, &after), []);
    after.pods[1].metadata.uid = Some("another".into());
    after
        .events
        .push(event("9", "DeletedWorkerPod", "Deleted pod"));
    let found = at_once(&before, &after);
    let lines: Vec<(&str, bool, usize)> = found
        .iter()
        .map(|one| (one.what.as_str(), one.deleted, one.count))
        .collect();
    let what = "Pod of the worker group cpu";
    assert_eq!(lines, [(what, false, 1), (what, true, 1)]);
    assert_eq!(
        found[1].why.as_deref(),
        Some("DeletedWorkerPod: Deleted pod")
    );
}

#[test]
fn an_operator_that_does_something_else_than_the_model_is_a_finding() {
    let (object, release) = (cluster("demo"), release("1.6.2"));
    let settings = EffectiveSettings::default();
    let mut seen = seen(&object, &release);
    let found = |seen: &Observation| model::disagreements(&object, None, seen, &release, &settings);
    assert_eq!(found(&seen), []);
    let head = &mut seen.pods[0].spec.as_mut().unwrap().containers[0];
    let text = head.args.as_ref().unwrap()[0].replace("65536", "1");
    head.args = Some(vec![text]);
    let found = found(&seen);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].pod.as_str(), "head");
    assert_eq!(found[0].object.as_str(), "RayCluster team/demo");
    assert!(found[0].difference.starts_with("args"), "{found:?}");
}

#[test]
fn pods_of_groups_of_one_name_may_be_of_either() {
    let (mut object, release) = (cluster("demo"), release("1.6.2"));
    let groups = object["spec"]["workerGroupSpecs"].as_array_mut().unwrap();
    let mut second = groups[0].clone();
    second["template"]["spec"]["containers"][0]["name"] = "of-second".into();
    groups.push(second);
    let settings = EffectiveSettings::default();
    let found = |seen: &Observation| model::disagreements(&object, None, seen, &release, &settings);
    // The head, and a worker of each group.
    let mut all = seen(&object, &release);
    assert_eq!(all.pods.len(), 3, "{:#?}", all.pods);
    for place in [1, 2] {
        let mut one = all.clone();
        one.pods.remove(place);
        assert_eq!(found(&one), []);
    }
    for pod in &mut all.pods[1..] {
        pod.spec.as_mut().unwrap().containers[0].name = "of-none".into();
    }
    assert_eq!(found(&all).len(), 1);
}

#[test]
fn a_refusal_in_other_words_for_the_same_cause_is_not_new() {
    let told = [
        "InvalidRayJobSpec: The RayJob spec is invalid team/demo: failed to unmarshal: a: [b"
            .into(),
        "InvalidRayJobSpec: team/demo: failed to unmarshal: a: [b".into(),
        "InvalidRayJobSpec: team/demo: The RayJob spec is invalid: failed to unmarshal: a: [b"
            .into(),
        "InvalidRayJobSpec: team/demo: failed to unmarshal: c: [d".into(),
    ];
    assert_eq!(new_refusals(&told[..1], &told[1..3], "the operator"), []);
    let new = new_refusals(&told[..1], &told[3..], "the operator");
    assert_eq!(new.len(), 1, "another cause");

    // A path with a slash is no name of an object, and another Pod is another refusal.
    let field = "resources.limits[nvidia.com/gpu]: Invalid value: must be greater";
    let pods = [
        format!("FailedToCreateHeadPod: Pod is invalid: {field}"),
        format!("FailedToCreateWorkerPod: Pod is invalid: {field}"),
    ];
    let new = new_refusals(&pods[..1], &pods[1..], "the operator");
    assert_eq!(new.len(), 1, "another Pod");
}

#[test]
fn a_refusal_of_what_the_api_server_dropped_is_not_expected() {
    let releases = [&release("1.4.2"), &release("1.6.2")];
    let settings = EffectiveSettings::default();
    let stored = cluster("demo");
    let mut object = stored.clone();
    // 1.4 does not know the field, 1.6 refuses the value.
    object["spec"]["headGroupSpec"]["labels"] = json!({"zone": "a b"});
    let refused = |live: Option<&Value>| {
        model::outlook(&object, live, releases, &settings)
            .refused
            .is_some()
    };
    assert!(refused(None), "the object as its owner writes it");
    assert!(!refused(Some(&stored)), "the object as it is stored");
}

#[test]
fn the_model_is_asked_about_the_spec_that_the_api_server_holds() {
    let (stored, release) = (cluster("demo"), release("1.6.2"));
    let settings = EffectiveSettings::default();
    let seen = seen(&stored, &release);
    let mut object = stored.clone();
    object["spec"]["headGroupSpec"]["rayStartParams"] = json!({"num-cpus": "3"});
    let found = |live: Option<&Value>| {
        model::disagreements(&object, live, &seen, &release, &settings).len()
    };
    assert_ne!(found(None), 0, "the operator made Pods of another spec");
    assert_eq!(
        found(Some(&stored)),
        0,
        "and the API server holds that spec"
    );
}

#[test]
fn objects_lose_what_the_cluster_wrote_and_keep_what_the_user_wrote() {
    let mut object = cluster("demo");
    object["metadata"]["uid"] = "u".into();
    object["metadata"]["finalizers"] = json!(["f"]);
    object["metadata"]["annotations"] =
        json!({"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"});
    object["status"] = json!({"state": "ready"});
    let mut own = stripped(&object);
    assert_eq!(own["status"], Value::Null);
    assert_eq!(
        own["metadata"],
        json!({"name": "demo", "namespace": "team", "annotations": {"a": "b"}})
    );
    assert!(with_one_replica(&mut own));
    let group = &own["spec"]["workerGroupSpecs"][0];
    assert_eq!(&group["replicas"], &json!(1));
    assert_eq!(&group["minReplicas"], &json!(1));
    assert!(!with_one_replica(&mut own), "nothing is left to change");
    // What a release refuses must stay as it is.
    own["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(9);
    assert!(!with_one_replica(&mut own));
}

#[rstest]
#[case(json!({"kind": "RayJob", "status": {"jobDeploymentStatus": "Complete"}}), true)]
#[case(json!({"kind": "RayJob", "status": {"jobDeploymentStatus": "Running"}}), false)]
#[case(json!({"kind": "RayCluster", "spec": {"suspend": true}}), true)]
#[case(json!({"kind": "RayCronJob"}), true)]
fn what_makes_no_pods_says_why(#[case] object: Value, #[case] expected: bool) {
    assert_eq!(idle(&object).is_some(), expected);
}

#[test]
fn what_admission_looks_up_has_a_stand_in_unless_it_was_given() {
    let mut object = cluster("demo");
    object["spec"]["enableInTreeAutoscaling"] = true.into();
    let spec = &mut object["spec"]["headGroupSpec"]["template"]["spec"];
    spec["serviceAccountName"] = "scaler".into();
    spec["priorityClassName"] = "high".into();
    let made = stand_ins(std::slice::from_ref(&object), &[]);
    let kinds: Vec<&str> = made
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["PriorityClass", "ServiceAccount"]);
    let given =
        json!({"kind": "ServiceAccount", "metadata": {"name": "scaler", "namespace": "team"}});
    assert_eq!(stand_ins(&[object], &[given]).len(), 1);
}

#[test]
fn lost_fields_are_named_by_their_paths() {
    let before = json!({"a": 1, "b": {"c": [{"d": 1, "e": ""}, 2]}, "f": {}});
    let after = json!({"b": {"c": [{}]}});
    let mut found = Vec::new();
    lost(&before, &after, "spec", &mut found);
    assert_eq!(found, ["spec.a", "spec.b.c[0].d", "spec.b.c[1]"]);
    let message = r#"strict decoding error: unknown field "spec.x", unknown field "spec.y.z""#;
    assert_eq!(unknown_fields(message), ["spec.x", "spec.y.z"]);
}

/// A bundle with an operator of these arguments.
fn bundle(args: &[&str]) -> Bundle {
    let mut owned = cluster("owned");
    owned["metadata"]["ownerReferences"] = json!([{"kind": "RayService", "name": "serve"}]);
    let mut service = cluster("serve");
    service["kind"] = "RayService".into();
    Bundle {
        objects: vec![cluster("demo"), owned, service],
        operators: vec![OperatorDeployment {
            deployment: json!({"spec": {"template": {"spec": {"containers": [{
                "image": "quay.io/kuberay/operator:v1.5.2", "args": args,
                "env": [{"name": "ENABLE_LOGIN_SHELL", "value": "true"},
                    {"name": "POD_NAMESPACE", "value": "kuberay"},
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}}}}),
            pods: Vec::new(),
            configuration: Some(
                json!({"kind": "Configuration", "enableLeaderElection": true,
                "defaultPodLabels": {"a": "b"}}),
            ),
        }],
        ..Bundle::now()
    }
}

#[test]
fn no_bundle_says_what_the_operators_process_loads() {
    let mut bundle = bundle(&[]);
    let container =
        &mut bundle.operators[0].deployment["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{"name": "LD_PRELOAD", "value": "/tmp/evil.so"},
        {"name": "LD_AUDIT", "value": "/tmp/evil.so"}, {"name": "A", "value": "b"}]);
    let fleet = Fleet::of_bundle(&bundle, "bundle");
    let names: Vec<&String> = fleet.settings.env.keys().collect();
    assert_eq!(names, ["A"]);
    assert!(
        fleet.notes.iter().any(|note| note.contains("LD_AUDIT")),
        "{:?}",
        fleet.notes
    );
}

#[test]
fn a_bundle_names_release_settings_and_what_users_wrote() {
    let fleet = Fleet::of_bundle(
        &bundle(&["--feature-gates=A=true,B=false", "--enable-batch-scheduler"]),
        "bundle",
    );
    assert_eq!(fleet.from, Some(release("1.5.2")));
    let names: Vec<&str> = fleet
        .objects
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["demo", "serve"],
        "what an operator made is not a user's"
    );
    let listed = fleet.settings.listed();
    let listed: Vec<(&str, &str)> = listed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("ENABLE_LOGIN_SHELL", "true"),
            ("configuration.defaultPodLabels", r#"{"a":"b"}"#),
            ("featureGates.A", "true"),
            ("featureGates.B", "false"),
        ]
    );
    assert_eq!(fleet.notes.len(), 2, "{:?}", fleet.notes);
}

#[test]
fn an_object_that_no_operator_watches_is_left_out() {
    let fleet = Fleet::of_bundle(&bundle(&["--watch-namespace=other"]), "bundle");
    assert!(fleet.objects.is_empty());
    assert_eq!(fleet.left_out.len(), 3);
    assert_matches!(fleet.check(), Err(RehearseError::NoObjects));
    let files = Fleet::of_files(vec![
        cluster("a"),
        cluster("a"),
        json!({"kind": "ConfigMap",
        "apiVersion": "v1", "metadata": {"name": "c"}}),
    ]);
    assert_eq!(files.objects.len(), 1);
    assert_eq!(files.others.len(), 1);
    assert_eq!(files.others[0]["metadata"]["namespace"], "default");
    assert_matches!(files.check(), Err(RehearseError::NoRelease));
}

#[tokio::test]
async fn a_step_back_and_an_unknown_release_are_refused_before_anything_starts() {
    let mut fleet = Fleet::of_files(vec![cluster("a")]);
    fleet.from = Some(release("1.6.2"));
    for (to, expected) in [("1.5.2", "older than"), ("9.9.9", "9.9.9")] {
        let options = RehearseOptions {
            fleet: fleet.clone(),
            to: vec![release(to)],
            target: None,
            keep_crds: false,
            source: crate::artifact::SourcePolicy::Auto,
        };
        let progress = std::sync::Arc::new(crate::progress::Silent);
        let error = super::rehearse(
            &options,
            progress,
            tokio_util::sync::CancellationToken::new(),
        );
        let error = error.await.unwrap_err();
        assert!(error.is_bad_use(), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_most_urgent_class_counts_and_secrets_are_masked() {
    let mut object = RehearsedObject::default();
    assert_eq!(verdict(&object), ObjectVerdict::Unchanged);
    object.changes = changes_of(&cluster("demo"), "1.3.2", "1.4.2");
    assert_eq!(verdict(&object), ObjectVerdict::Changed);
    object.dropped.push("spec.x".into());
    assert_eq!(verdict(&object), ObjectVerdict::Dropped);
    object.verdict = verdict(&object);
    object.changes[0].after = Some("--redis-password=c4n4ry-V4lue-9".into());
    let mut report = RehearsalReport {
        steps: vec![StepReport {
            totals: RehearsalTotals::of(std::slice::from_ref(&object)),
            objects: vec![object],
            ..StepReport::default()
        }],
        ..RehearsalReport::default()
    };
    assert!(report.needs_review());
    let totals = &report.steps[0].totals;
    assert_eq!(totals.objects, 1);
    assert_eq!(totals.dropped, 1);
    assert_eq!(totals.changed, 1);
    assert_eq!(totals.unchanged, 0);
    let mut own = cluster("demo");
    own["spec"]["headGroupSpec"]["rayStartParams"]["redis-password"] = "c4n4ry-V4lue-9".into();
    mask(&mut report, &Fleet::of_files(vec![own]));
    assert_not_contains!(serde_json::to_string(&report).unwrap(), "c4n4ry");
}

#[test]
fn fleets_of_mutated_bundles() {
    use proptest::prelude::*;

    let original = serde_json::to_vec(&bundle(&["--feature-gates=A=true"])).unwrap();
    crate::mutated::try_texts(vec![original], |text| {
        let Ok(bundle) = serde_json::from_slice::<Bundle>(&text) else {
            return Ok(());
        };
        let fleet = Fleet::of_bundle(&bundle, "bundle");
        prop_assert!(fleet.objects.len() <= bundle.objects.len());
        prop_assert!(fleet.settings.args.is_empty(), "{:?}", fleet.settings.args);
        Ok(())
    });
}
