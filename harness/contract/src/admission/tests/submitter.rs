//! What leaves a RayJob without its submitter.

use rstest::rstest;
use serde_json::json;

use super::*;

/// The checks that leave an object without Pods, by name, with which of them.
fn checks_of(version: &str, object: &Value) -> Vec<(&'static str, Reach)> {
    let found = admit(&release(version), object).refusals.into_iter();
    found
        .map(|one| {
            let check = one.check.unwrap_or_else(|| panic!("{}", one.message));
            (check.entry().name, one.reach)
        })
        .collect()
}

/// A RayJob with these fields; `null` removes one.
fn job_with(fields: &Value) -> Value {
    job(|spec| {
        for (name, value) in fields.as_object().unwrap() {
            spec[name] = value.clone();
        }
        spec.as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
    })
}

fn template(container: &Value) -> Value {
    let mut submitter = json!({"name": "s", "image": "ray"});
    for (name, value) in container.as_object().unwrap() {
        submitter[name] = value.clone();
    }
    json!({"spec": {"restartPolicy": "Never", "containers": [submitter]}})
}

/// A command in which Ray has no part of the operator's.
fn own() -> Value {
    template(&json!({"command": ["sh", "-c", "ray job submit -- x"]}))
}

#[test]
fn a_command_of_ones_own_needs_no_metadata_up_to_1_4() {
    let mut unversioned = job_with(&json!({
        "metadata": {"team": "x"},
        "submitterPodTemplate": own(),
    }));
    unversioned["spec"]["rayClusterSpec"]
        .as_object_mut()
        .unwrap()
        .remove("rayVersion");
    let selecting = job_with(&json!({
        "metadata": {"team": "x"},
        "submitterPodTemplate": own(),
        "rayClusterSpec": null,
        "clusterSelector": {"ray.io/cluster": "shared"},
    }));
    for version in RELEASES {
        // From 1.5 on `configureSubmitterContainer` builds the command that it then does not use.
        let builds = release(version) >= release("1.5.0") && release(version) < release("1.7.0");
        let expected: &[_] = if builds {
            &[("metadata-version", Reach::Submitter)]
        } else {
            &[]
        };
        assert_eq!(checks_of(version, &unversioned), expected, "{version}");
        assert_eq!(pods(version, &unversioned).1, !builds, "{version}");
        assert_eq!(checks_of(version, &selecting), [], "{version}");
        assert_eq!(pods(version, &selecting), (1, true), "{version}");
    }
    let generated = job_with(&json!({
        "metadata": {"team": "x"},
        "submitterPodTemplate": template(&json!({})),
        "rayClusterSpec": null,
        "clusterSelector": {"ray.io/cluster": "shared"},
    }));
    let expected = [("metadata-with-selector", Reach::Submitter)];
    assert_eq!(checks_of("1.4.2", &generated), expected);
}

#[rstest]
#[case("python a.py 'it", "EOF found when expecting closing quote")]
#[case("python a.py \\", "EOF found after escape character")]
fn an_entrypoint_that_cannot_be_split(#[case] entrypoint: &str, #[case] message: &str) {
    let object = job_with(&json!({"entrypoint": entrypoint}));
    for version in ["1.0.0", "1.2.2"] {
        let found = refusals(version, &object);
        let expected = (
            Stage::Operator,
            "spec.entrypoint".to_owned(),
            message.to_owned(),
        );
        assert_eq!(found, [expected], "{version}");
        assert_eq!(pods(version, &object), (2, false), "{version}: Ray comes");
    }
    let kept = job_with(&json!({"entrypoint": entrypoint, "submitterPodTemplate": own()}));
    assert_eq!(pods("1.2.2", &kept), (3, true), "nobody splits it");
    // From 1.3 on a shell reads it.
    assert_eq!(pods("1.3.0", &object), (3, true));
    let http = job_with(&json!({"entrypoint": entrypoint, "submissionMode": "HTTPMode"}));
    assert_eq!(refusals("1.2.2", &http), [], "nobody splits it");
}

#[test]
fn a_runtime_environment_that_cannot_be_read() {
    let object = job_with(&json!({"runtimeEnvYAML": "a: ["}));
    assert_eq!(pods("1.0.0", &object), (2, false), "Ray comes");
    let found = checks_of("1.0.0", &object);
    assert_eq!(found, [("submitter-runtime-env", Reach::Submitter)]);
    let found = checks_of("1.1.0", &object);
    assert_eq!(found, [("runtime-env", Reach::Object)]);
}

#[test]
fn a_template_without_a_container() {
    let empty = json!({"spec": {"restartPolicy": "Never", "containers": []}});
    let object = job_with(&json!({"submitterPodTemplate": empty}));
    for version in RELEASES {
        let found = checks_of(version, &object);
        let expected = [("submitter-container", Reach::Submitter)];
        assert_eq!(found, expected, "{version}");
        assert_eq!(pods(version, &object), (2, false), "{version}: Ray comes");
    }
    let http = job_with(&json!({"submitterPodTemplate": empty, "submissionMode": "HTTPMode"}));
    assert_eq!(refusals("1.4.2", &http), [], "nobody looks at it");
}

#[rstest]
#[case(json!({"app": "my"}), "failed to get cluster name in ClusterSelector map")]
#[case(json!({"ray.io/cluster": ""}), "failed to find the cluster named")]
fn a_selector_without_a_cluster(#[case] selector: Value, #[case] message: &str) {
    let object = job_with(&json!({
        "metadata": {"team": "x"},
        "clusterSelector": selector,
        "rayClusterSpec": null,
    }));
    for version in ["1.0.0", "1.2.2", "1.4.2"] {
        let found = admit(&release(version), &object).refusals;
        let [found] = &found[..] else {
            panic!("{version}: {found:?}")
        };
        assert_eq!(found.check.unwrap().entry().name, "selector-key");
        assert_eq!(found.reach, Reach::Object, "{version}");
        assert_eq!(found.path, "spec.clusterSelector", "{version}");
        assert!(found.message.contains(message), "{}", found.message);
    }
    let found = checks_of("1.5.0", &object);
    assert_eq!(found, [("selector-without-name", Reach::Object)]);
}

#[rstest]
#[case(json!({"rayClusterSpec": null}))]
#[case(json!({"rayClusterSpec": null, "clusterSelector": {}, "metadata": {"team": "x"}}))]
fn a_job_without_a_cluster(#[case] fields: Value) {
    let object = job_with(&fields);
    for version in RELEASES {
        let old = release(version) < release("1.1.0");
        let name = if old {
            "cluster-of-job"
        } else {
            "job-without-cluster"
        };
        assert_eq!(
            checks_of(version, &object),
            [(name, Reach::Object)],
            "{version}"
        );
        assert_eq!(pods(version, &object), (0, false), "{version}");
    }
}

#[test]
fn a_release_without_the_sidecar_builds_no_command_for_it() {
    let mut object = job_with(&json!({
        "metadata": {"team": "x"},
        "submissionMode": "SidecarMode",
    }));
    object["spec"]["rayClusterSpec"]
        .as_object_mut()
        .unwrap()
        .remove("rayVersion");
    assert_eq!(checks_of("1.4.2", &object), [], "nothing submits the job");
    assert_eq!(pods("1.4.2", &object), (2, false), "Ray comes");
    let found = checks_of("1.5.0", &object);
    assert_eq!(found, [("metadata-version", Reach::Object)]);
}

/// The Pods of Ray come before the submitter, and are refused by themselves.
#[test]
fn what_keeps_the_submitter_away_hides_no_refused_pod() {
    let mut object = job_with(&json!({}));
    let ray = object.pointer_mut("/spec/rayClusterSpec/headGroupSpec/template/spec/containers/0");
    let ray = ray.unwrap();
    ray["ports"] = json!([{"name": "http", "containerPort": 80}]);
    ray["image"] = json!("");
    let found = admit(&release("1.6.2"), &object).refusals;
    let found: Vec<_> = found.iter().map(|one| (one.stage, one.reach)).collect();
    let expected = [
        (Stage::Operator, Reach::Submitter),
        (Stage::PodCreation, Reach::Object),
    ];
    assert_eq!(found, expected);
}
