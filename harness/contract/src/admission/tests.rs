//! Refusals in the words of the API servers and operators that give them.
//!
//! The messages of the API server were taken from kube-apiserver 1.34.4 with the definitions of
//! 1.6.2.

mod old_releases;
mod operator;
mod pods;
mod submitter;

use assertables::{assert_contains, assert_gt};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::EffectiveSettings;

const RELEASES: [&str; 10] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.1", "1.3.2", "1.4.2", "1.5.0", "1.5.1", "1.6.2", "1.7.0",
];

fn release(text: &str) -> Version {
    text.parse().unwrap()
}

/// A RayCluster without faults, changed by `change`.
fn cluster(change: impl FnOnce(&mut Value)) -> Value {
    let template =
        json!({"spec": {"containers": [{"name": "ray", "image": "rayproject/ray:2.52.0"}]}});
    let mut cluster = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "team-a"},
        "spec": {
            "rayVersion": "2.52.0",
            "headGroupSpec": {"rayStartParams": {}, "template": template},
            "workerGroupSpecs": [{"groupName": "small", "rayStartParams": {}, "template": template}],
        },
    });
    change(&mut cluster);
    cluster
}

fn job(change: impl FnOnce(&mut Value)) -> Value {
    let mut job = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": "nightly"},
        "spec": {"entrypoint": "python main.py", "rayClusterSpec": cluster(|_| {})["spec"]},
    });
    change(&mut job["spec"]);
    job
}

fn service(change: impl FnOnce(&mut Value)) -> Value {
    let mut service = json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": "chat"},
        "spec": {"rayClusterConfig": cluster(|_| {})["spec"]},
    });
    change(&mut service["spec"]);
    service
}

/// Sets a field, which may be several levels deep.
fn set(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for part in pointer.split('/').skip(1) {
        at = match part.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[part],
        };
    }
    *at = value;
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write the changes in place"
)]
fn changed(changes: Value) -> Value {
    cluster(|cluster| {
        for (pointer, value) in changes.as_object().unwrap() {
            set(cluster, pointer, value.clone());
        }
    })
}

/// Stage, path and message of every refusal.
fn refusals(version: &str, object: &Value) -> Vec<(Stage, String, String)> {
    let found = admit(&release(version), object).refusals;
    found
        .into_iter()
        .map(|found| (found.stage, found.path, found.message))
        .collect()
}

const RAY: &str = "/spec/headGroupSpec/template/spec/containers/0";

#[test]
fn what_is_right_is_admitted_by_every_release() {
    for version in RELEASES {
        for object in [cluster(|_| {}), job(|_| {}), service(|_| {})] {
            assert_eq!(
                refusals(version, &object),
                [],
                "{version} {}",
                object["kind"]
            );
            let mut old = object.clone();
            old["apiVersion"] = json!("ray.io/v1alpha1");
            assert_eq!(refusals(version, &old), [], "{version} {}", object["kind"]);
        }
    }
}

#[rstest]
#[case(json!({format!("{RAY}/resources"): {"limits": {"cpu": 1.5}}}), ".resources.limits.cpu", "of type integer,string: \"number\"")]
#[case(json!({format!("{RAY}/resources"): {"limits": {"cpu": "2 Gi"}}}), ".resources.limits.cpu", "should match '^(")]
#[case(json!({format!("{RAY}/command"): [7]}), ".command[0]", "of type string: \"integer\"")]
#[case(json!({format!("{RAY}/args"): "run"}), ".args", "of type array: \"string\"")]
#[case(json!({format!("{RAY}/env"): [{"value": "x"}]}), ".env[0].name", "Required value")]
#[case(json!({format!("{RAY}/ports"): [{"containerPort": 1}, {"containerPort": 1}]}), ".ports[1]", "Duplicate value: {\"containerPort\":1,\"protocol\":\"TCP\"}")]
fn types_of_a_container(#[case] changes: Value, #[case] path: &str, #[case] message: &str) {
    for version in RELEASES {
        let found = refusals(version, &changed(changes.clone()));
        let [(stage, at, text)] = &found[..] else {
            panic!("{version} {found:?}")
        };
        assert_eq!(*stage, Stage::ApiServer, "{version}");
        assert_eq!(
            *at,
            format!("spec.headGroupSpec.template.spec.containers[0]{path}"),
            "{version}"
        );
        assert!(text.contains(message), "{version} {text}");
    }
}

#[rstest]
#[case(json!({"/spec/autoscalerOptions": {"upscalingMode": "Fast"}}), "spec.autoscalerOptions.upscalingMode", "Unsupported value: \"Fast\": supported values: \"Default\", \"Aggressive\", \"Conservative\"")]
#[case(json!({"/spec/managedBy": "me"}), "spec.managedBy", "Invalid value: \"string\": the managedBy field value must be either 'ray.io/kuberay-operator' or 'kueue.x-k8s.io/multikueue'")]
#[case(json!({"/metadata/name": "Team_A"}), "metadata.name", "Invalid value: \"Team_A\": a lowercase RFC 1123 subdomain must")]
#[case(json!({"/metadata/name": 5}), "metadata.name", "json: cannot unmarshal number into Go struct field ObjectMeta.name of type string")]
#[case(json!({"/metadata/labels": {"a": 1}}), "metadata.labels.a", "ObjectMeta.labels of type string")]
#[case(json!({"/spec/headGroupSpec": null}), "spec.headGroupSpec", "Required value")]
#[case(json!({"/metadata": {}}), "metadata.name", "name or generateName is required")]
fn the_api_server_in_1_6_2(#[case] changes: Value, #[case] path: &str, #[case] message: &str) {
    let found = refusals("1.6.2", &changed(changes));
    let found = found.iter().find(|(stage, at, text)| {
        *stage == Stage::ApiServer && at == path && text.contains(message)
    });
    assert!(found.is_some(), "{path}: {message}");
}

#[test]
fn required_fields_change_with_the_release() {
    let without_params = cluster(|cluster| {
        cluster["spec"]["workerGroupSpecs"][0]
            .as_object_mut()
            .unwrap()
            .remove("rayStartParams");
    });
    let required = (
        Stage::ApiServer,
        "spec.workerGroupSpecs[0].rayStartParams".into(),
        "Required value".into(),
    );
    assert_eq!(refusals("1.3.2", &without_params), [required]);
    assert_eq!(refusals("1.4.0", &without_params), []);

    let interactive = job(|spec| {
        spec["submissionMode"] = json!("InteractiveMode");
        spec.as_object_mut().unwrap().remove("entrypoint");
    });
    let required = (
        Stage::ApiServer,
        "spec.entrypoint".into(),
        "Required value".into(),
    );
    assert_eq!(refusals("1.2.1", &interactive)[0], required);
    assert_eq!(refusals("1.3.0", &interactive), []);
}

#[test]
fn each_client_treats_an_unknown_field_and_a_null_in_its_own_way() {
    let object = changed(json!({
        "/spec/colour": "blue",
        "/spec/gcsFaultToleranceOptions": {"redisAddress": "cache:6379"},
        format!("{RAY}/env"): null,
    }));
    let of = |version: &str| admit(&release(version), &object);
    let clients = |admission: &Admission| -> Vec<(String, Stage, Clients)> {
        let found = admission.refusals.iter();
        found
            .map(|found| (found.path.clone(), found.stage, found.clients))
            .collect()
    };
    let strict = Clients::StrictOrServerSideApply;
    let env = "spec.headGroupSpec.template.spec.containers[0].env";
    assert_eq!(
        clients(&of("1.3.0")),
        [
            ("spec.colour".into(), Stage::Client, strict),
            (env.into(), Stage::ApiServer, Clients::ServerSideApply)
        ]
    );
    let old = of("1.2.2");
    assert_eq!(old.refusals.len(), 3);
    assert_eq!(
        old.refusals[1].message,
        "strict decoding error: unknown field \"spec.gcsFaultToleranceOptions\""
    );
    assert!(old.stored["spec"].get("gcsFaultToleranceOptions").is_none());
    assert!(old.stored.pointer(&format!("{RAY}/env")).is_none());
    assert_eq!(old.stored["kind"], "RayCluster");
    assert!(strict.refuses(FieldValidation::Strict));
    assert!(!strict.refuses(FieldValidation::Warn));
}

#[rstest]
#[case("ray.io/v1", Served::Yes)]
#[case("ray.io/v1alpha1", Served::Yes)]
#[case("ray.io/v2", Served::NotByRelease)]
#[case("cluster.ray.io/v1", Served::Foreign)]
#[case("apps/v1", Served::Foreign)]
#[case("", Served::NotByRelease)]
fn api_versions(#[case] api_version: &str, #[case] expected: Served) {
    let object = changed(json!({"/apiVersion": api_version}));
    assert_eq!(served(&release("1.6.2"), &object), expected);
}

/// What becomes of an object on a release with its own settings.
fn forecast_on(version: &str, object: &Value) -> Forecast {
    let settings = EffectiveSettings::default();
    let strict = FieldValidation::Strict;
    forecast(&release(version), &settings, strict, object).unwrap()
}

/// How many Pods are left, and whether one of them submits.
fn pods(version: &str, object: &Value) -> (usize, bool) {
    let forecast = forecast_on(version, object);
    let submits = forecast
        .pods
        .iter()
        .any(|pod| pod.role == crate::PodRole::Submitter);
    (forecast.pods.len(), submits)
}

#[test]
fn a_job_that_never_gets_a_submitter() {
    let unnamed = job(|spec| {
        set(
            spec,
            "/rayClusterSpec/headGroupSpec/template/spec/containers/0/ports",
            json!([{"containerPort": 8265}]),
        );
    });
    let unversioned = job(|spec| {
        spec["metadata"] = json!({"owner": "me"});
        spec["rayClusterSpec"]
            .as_object_mut()
            .unwrap()
            .remove("rayVersion");
    });
    let selecting = job(|spec| {
        spec["metadata"] = json!({"owner": "me"});
        spec["clusterSelector"] = json!({"ray.io/cluster": "shared"});
        spec.as_object_mut().unwrap().remove("rayClusterSpec");
    });
    for version in RELEASES {
        let old = release(version) < release("1.7.0");
        assert_eq!(pods(version, &job(|_| {})), (3, true), "{version}");
        assert_eq!(pods(version, &unnamed), (2, false), "{version}");
        assert_eq!(
            pods(version, &unversioned),
            if old { (2, false) } else { (3, true) },
            "{version}"
        );
        let panics = release(version) < release("1.5.0");
        assert_eq!(
            pods(version, &selecting),
            if panics { (0, false) } else { (1, true) },
            "{version}"
        );
    }
}

#[test]
fn objects_that_wait_have_no_pods() {
    let suspended = changed(json!({"/spec/suspend": true}));
    let waits = forecast_on("1.1.1", &suspended);
    assert_eq!(waits.pods.len(), 0);
    assert_eq!(waits.refusals.len(), 0);
    assert_eq!(waits.wait_reason.unwrap().path, "spec.suspend");
    assert_eq!(
        forecast_on("1.0.0", &suspended).refusals[0].stage,
        Stage::Client
    );

    let managed = changed(json!({"/spec/managedBy": "kueue.x-k8s.io/multikueue"}));
    let left = forecast_on("1.6.2", &managed);
    assert!(left.pods.is_empty());
    assert_contains!(left.wait_reason.unwrap().message, "multikueue");
    let own = changed(json!({"/spec/managedBy": "ray.io/kuberay-operator"}));
    assert_eq!(forecast_on("1.6.2", &own).pods.len(), 2);
}

#[rstest]
#[case(json!({"/spec/workerGroupSpecs/0/groupName": "a b"}), "spec.workerGroupSpecs[0].groupName", "a valid label must", 1)]
#[case(json!({"/spec/workerGroupSpecs/0/template/spec/containers/0/image": ""}), "spec.workerGroupSpecs[0].template.spec.containers[0].image", "Required value", 1)]
#[case(json!({format!("{RAY}/resources"): {"limits": {"cpu": 1}, "requests": {"cpu": "1500m"}}}), "spec.headGroupSpec.template.spec.containers[0].resources.requests.cpu", "must be less than or equal to cpu limit of 1", 0)]
#[case(json!({format!("{RAY}/volumeMounts"): [{"name": "data", "mountPath": "/d"}]}), "spec.headGroupSpec.template.spec.containers[0].volumeMounts[0].name", "Not found: \"data\"", 0)]
#[case(json!({format!("{RAY}/name"): "Ray_Head"}), "spec.headGroupSpec.template.spec.containers[0].name", "a lowercase RFC 1123 label must", 0)]
#[case(json!({"/spec/headGroupSpec/serviceType": "Loadbalancer"}), "spec.headGroupSpec.serviceType", "Service: spec.type: Unsupported value: \"Loadbalancer\"", 0)]
#[case(json!({format!("{RAY}/imagePullPolicy"): "always"}), "spec.headGroupSpec.template.spec.containers[0].imagePullPolicy", "Unsupported value: \"always\": supported values: \"Always\"", 0)]
#[case(json!({"/spec/workerGroupSpecs/0/template/spec/restartPolicy": "never"}), "spec.workerGroupSpecs[0].template.spec.restartPolicy", "Unsupported value: \"never\"", 1)]
fn pods_that_are_refused(
    #[case] changes: Value,
    #[case] path: &str,
    #[case] message: &str,
    #[case] left: usize,
) {
    let object = changed(changes);
    let found = refusals("1.6.2", &object);
    let [(stage, at, text)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(*stage, Stage::PodCreation);
    assert_eq!(at.as_str(), path);
    assert!(text.contains(message), "{text}");
    assert_eq!(pods("1.6.2", &object).0, left);
}

#[rstest]
#[case(json!({"volumes": [{"name": "my_vol", "emptyDir": {}}]}), &[("volumes[0].name", "Invalid value: \"my_vol\": a lowercase RFC 1123 label must")])]
#[case(json!({"volumes": [{"emptyDir": {}, "name": ""}]}), &[("volumes[0].name", "Required value")])]
#[case(json!({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]}), &[("volumes[1].name", "Duplicate value: \"a\"")])]
#[case(json!({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}]}), &[])]
#[case(json!({"tolerations": [{"operator": "Exist"}]}), &[
    ("tolerations[0].operator", "Invalid value: \"Exist\": operator must be Exists when `key` is empty"),
    ("tolerations[0].operator", "Unsupported value: \"Exist\": supported values: \"Equal\", \"Exists\""),
])]
#[case(json!({"tolerations": [{"value": "a"}]}), &[("tolerations[0].operator", "Invalid value: \"\": operator must be Exists when")])]
#[case(json!({"tolerations": [{"key": "a", "operator": "exists"}]}), &[("tolerations[0].operator", "Unsupported value: \"exists\"")])]
#[case(json!({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}), &[("tolerations[0].operator", "Invalid value: \"b\": value must be empty when `operator` is 'Exists'")])]
#[case(json!({"tolerations": [{"key": "a", "value": "b c"}]}), &[("tolerations[0].operator", "Invalid value: \"b c\": a valid label must")])]
#[case(json!({"tolerations": [{"key": "a b", "operator": "Exists"}]}), &[("tolerations[0].key", "Invalid value: \"a b\": name part must consist")])]
#[case(json!({"tolerations": [{"operator": "Exists", "effect": "noSchedule"}]}), &[("tolerations[0].effect", "Unsupported value: \"noSchedule\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"")])]
#[case(json!({"tolerations": [{"operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}]}), &[("tolerations[0].effect", "Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set")])]
#[case(json!({"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 5}]}), &[])]
fn volumes_and_tolerations(#[case] spec: Value, #[case] expected: &[(&str, &str)]) {
    let object = cluster(|cluster| {
        let pod = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"];
        for (field, value) in spec.as_object().unwrap() {
            pod[field] = value.clone();
        }
    });
    let found = refusals("1.1.1", &object);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((stage, at, text), (path, message)) in found.iter().zip(expected) {
        assert_eq!(*stage, Stage::PodCreation);
        assert_eq!(
            *at,
            format!("spec.headGroupSpec.template.spec.{path}"),
            "{text}"
        );
        assert!(text.contains(message), "{text}");
    }
}

#[test]
fn two_mounts_at_one_path() {
    let object = changed(json!({
        "/spec/headGroupSpec/template/spec/volumes": [{"name": "a", "emptyDir": {}}],
        format!("{RAY}/volumeMounts"): [{"name": "a", "mountPath": "/d"}, {"name": "a", "mountPath": "/d"}],
    }));
    let path = "spec.headGroupSpec.template.spec.containers[0].volumeMounts[1]";
    let old = refusals("1.1.1", &object);
    let message = "Invalid value: \"/d\": must be unique";
    let expected = (
        Stage::PodCreation,
        format!("{path}.mountPath"),
        message.to_owned(),
    );
    assert_eq!(old, [expected]);
    // Later definitions know it themselves.
    let new = refusals("1.6.2", &object);
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].0, Stage::ApiServer, "{new:?}");
    assert_eq!(new[0].1.as_str(), path, "{new:?}");
    let empty = changed(json!({
        "/spec/headGroupSpec/template/spec/volumes": [{"name": "a", "emptyDir": {}}],
        format!("{RAY}/volumeMounts"): [{"name": "a", "mountPath": ""}],
    }));
    assert_eq!(refusals("1.6.2", &empty)[0].2, "Required value");
}

#[test]
fn a_suspended_group_has_no_pods() {
    let object = changed(json!({"/spec/workerGroupSpecs/0/suspend": true}));
    assert_eq!(pods("1.6.2", &object).0, 1);
    assert_eq!(pods("1.5.2", &object).0, 0);
}

#[test]
fn a_gate_that_is_switched_off_refuses_what_its_default_takes() {
    let mut settings = EffectiveSettings::default();
    let group = changed(json!({"/spec/workerGroupSpecs/0/suspend": true}));
    let strategy = job(|spec| {
        spec["deletionStrategy"] = json!({
            "onSuccess": {"policy": "DeleteCluster"},
            "onFailure": {"policy": "DeleteNone"},
        });
    });
    for on in [true, false] {
        settings
            .feature_gates
            .insert("RayJobDeletionPolicy".into(), on);
        for version in ["1.6.2", "1.7.0"] {
            for object in [&group, &strategy] {
                let found = admit_with(&release(version), &settings, object).refusals;
                assert_eq!(found.is_empty(), on, "{version} {found:?}");
            }
        }
    }
}

#[test]
fn pods_of_other_kinds_are_refused_too() {
    let bad =
        json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "s", "image": ""}]}});
    let with = |mode: &str| {
        job(|spec| {
            spec["submissionMode"] = json!(mode);
            spec["submitterPodTemplate"] = bad.clone();
        })
    };
    let refused = |object: &Value| {
        let mut settings = EffectiveSettings::default();
        settings.feature_gates.insert("RayCronJob".into(), true);
        let admission = admit_with(&release("1.6.2"), &settings, object);
        let found = admission.refusals.into_iter();
        found.map(|one| (one.stage, one.reach)).collect::<Vec<_>>()
    };
    let expected = [(Stage::PodCreation, Reach::Submitter)];
    assert_eq!(refused(&with("K8sJobMode")), expected);
    assert_eq!(refused(&with("HTTPMode")), []);
    let mut cron = with("K8sJobMode");
    cron["kind"] = json!("RayCronJob");
    cron["spec"] = json!({"schedule": "@hourly", "jobTemplate": cron["spec"]});
    assert_eq!(refused(&cron), expected);
}

#[test]
fn names_before_the_operator_checked_them() {
    let found = refusals("1.3.2", &changed(json!({"/metadata/name": "team.a"})));
    assert!(
        found[0]
            .2
            .starts_with("Service: metadata.name: Invalid value: \"team.a-head-svc\""),
        "{found:?}"
    );
    assert_eq!(
        refusals("1.3.2", &changed(json!({"/metadata/name": "7b"}))),
        []
    );
    let named = json!({
        "/metadata/name": "team.a",
        "/spec/headGroupSpec/headService": {"metadata": {"name": "head"}},
    });
    assert_eq!(refusals("1.2.2", &changed(named)), []);
    let found = refusals("1.3.2", &changed(json!({"/metadata/name": "a".repeat(64)})));
    assert!(
        found[0].2.contains("must be no more than 63 bytes"),
        "{found:?}"
    );
}

#[test]
fn names_of_parents_before_the_operator_checked_them() {
    let named = |length: usize| {
        let mut job = job(|_| {});
        job["metadata"]["name"] = json!("a".repeat(length));
        refusals("1.3.2", &job)
    };
    assert_eq!(named(46), []);
    let found = named(47);
    assert_eq!(found[0].0, Stage::PodCreation);
    assert!(
        found[0]
            .2
            .contains("-raycluster-xxxxx\": must be no more than 63"),
        "{found:?}"
    );
}

#[test]
fn every_rule_of_the_definitions_is_known() {
    let mut rules = 0;
    for node in table::every_node() {
        for rule in node.cel.iter().filter(|rule| !rule.update) {
            assert!(
                cel::evaluate(&rule.rule, &json!({})).is_some(),
                "{}",
                rule.rule
            );
            rules += 1;
        }
        if let Some(pattern) = &node.pattern {
            assert!(metadata::matches(pattern, "").is_some(), "{pattern}");
        }
    }
    assert_gt!(rules, 0);
    assert_eq!(table::every_release().count(), 19);
}

#[test]
fn checks_are_named_and_dated() {
    for (index, entry) in checks().iter().enumerate() {
        assert_eq!(entry.check as usize, index);
        let tag = entry.source.rsplit_once(" @v").map(|(_, tag)| release(tag));
        assert_eq!(tag.as_ref(), Some(&entry.since), "{}", entry.name);
        assert!(entry.says.ends_with('.'), "{}", entry.name);
        assert_eq!(
            checks()
                .iter()
                .filter(|other| other.name == entry.name)
                .count(),
            1
        );
    }
}

#[rstest]
#[case(json!({"requests": {"nvidia.com/gpu": 1}}), "Limit must be set for non overcommitable resources")]
#[case(json!({"requests": {"nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 2}}), "must be equal to nvidia.com/gpu limit of 2")]
#[case(json!({"limits": {"nvidia.com/gpu": "500m"}}), "must be an integer")]
#[case(json!({"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "500m"}}), "")]
fn resources_in_whole_pieces(#[case] resources: Value, #[case] message: &str) {
    let object = cluster(|cluster| {
        cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["resources"] =
            resources;
    });
    let found = refusals("1.6.2", &object);
    if message.is_empty() {
        assert_eq!(found, []);
    } else {
        assert_eq!(found[0].0, Stage::PodCreation);
        assert!(found[0].2.contains(message), "{}", found[0].2);
    }
}

#[rstest]
#[case(json!([{"containerPort": 1, "name": "Dashboard"}]), "must contain only alpha-numeric characters")]
#[case(json!([{"containerPort": 1, "name": "averyverylongportname"}]), "must be no more than 15 characters")]
#[case(json!([{"containerPort": 1, "name": "123"}]), "must contain at least one letter")]
#[case(json!([{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]), "Duplicate value")]
#[case(json!([{"containerPort": 1, "hostPort": 70000}]), "must be between 1 and 65535")]
#[case(json!([{"containerPort": 1, "name": "a-1"}, {"containerPort": 2}]), "")]
fn ports_of_containers(#[case] ports: Value, #[case] message: &str) {
    let object = cluster(|cluster| {
        cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["ports"] = ports;
    });
    let found = refusals("1.6.2", &object);
    if message.is_empty() {
        assert_eq!(found, []);
    } else {
        assert!(found[0].2.contains(message), "{}", found[0].2);
    }
}

#[rstest]
#[case("gpu_group", false)]
#[case("GPU-Group", true)]
#[case("gpu.a", true)]
fn names_of_groups_in_names_of_pods(#[case] name: &str, #[case] fits: bool) {
    let object = cluster(|cluster| {
        cluster["spec"]["workerGroupSpecs"][0]["groupName"] = name.into();
    });
    assert_eq!(refusals("1.6.2", &object).is_empty(), fits);
}

#[rstest]
#[case("Never", "K8sJobMode", true)]
#[case("OnFailure", "K8sJobMode", true)]
#[case("Always", "K8sJobMode", false)]
#[case("", "K8sJobMode", false)]
#[case("Always", "HTTPMode", true)]
fn a_submitter_that_would_restart(#[case] policy: &str, #[case] mode: &str, #[case] fits: bool) {
    let object = job(|spec| {
        spec["submissionMode"] = mode.into();
        let mut template = json!({"spec": {"containers": [{"name": "s", "image": "ray"}]}});
        if !policy.is_empty() {
            template["spec"]["restartPolicy"] = policy.into();
        }
        spec["submitterPodTemplate"] = template;
    });
    let forecast = forecast_on("1.6.2", &object);
    assert_eq!(forecast.refusals.is_empty(), fits);
    let submits = forecast
        .pods
        .iter()
        .any(|pod| pod.role == crate::PodRole::Submitter);
    assert_eq!(submits, fits && mode == "K8sJobMode");
}
