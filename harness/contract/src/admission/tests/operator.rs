//! What the operator refuses, from which release on.

use super::*;

/// The first release that refuses, the last one before it that does not, and the path and words of
/// the refusal.
#[rstest]
#[case("1.4.0", "1.3.2", json!({"/metadata/name": "7b-chat"}), "metadata.name", "RayCluster name should be a valid DNS1035 label: [a DNS-1035 label must")]
#[case("1.4.0", "1.3.2", json!({"/metadata/name": "a".repeat(54)}), "metadata.name", "RayCluster name should be no more than 53 characters")]
#[case("1.5.0", "1.4.2", json!({"/spec/headGroupSpec/rayStartParams": {"labels": "zone=a"}}), "spec.headGroupSpec.rayStartParams.labels", "rayStartParams['labels'] is not supported for Head group")]
#[case("1.5.0", "1.4.2", json!({"/spec/headGroupSpec/rayStartParams": {"num-cpus": "1"}, "/spec/headGroupSpec/resources": {"CPU": "2"}}), "spec.headGroupSpec.resources", "should not be set in both rayStartParams and Resources for Head group")]
#[case("1.5.0", "1.4.2", json!({"/spec/workerGroupSpecs/0/labels": {"a": "no spaces"}}), "spec.workerGroupSpecs[0].labels.a", "invalid label value for key 'a' in small group: 'no spaces'")]
#[case("1.3.0", "1.2.2", json!({format!("{RAY}/env"): [{"name": "RAY_REDIS_ADDRESS", "value": "r"}]}), "spec.headGroupSpec.template.spec.containers[0].env[0]", "RAY_REDIS_ADDRESS is set which implicitly enables")]
#[case("1.3.0", "1.2.2", json!({"/metadata/annotations": {"ray.io/ft-enabled": "false"}, "/spec/gcsFaultToleranceOptions": {"redisAddress": "r"}}), "metadata.annotations[\"ray.io/ft-enabled\"]", "annotation and GcsFaultToleranceOptions are both set")]
#[case("1.3.0", "1.2.2", json!({"/spec/headGroupSpec/rayStartParams": {"redis-username": "u"}}), "spec.headGroupSpec.rayStartParams.redis-username", "cannot set redis username in rayStartParams")]
#[case("1.3.0", "1.2.2", json!({"/spec/headGroupSpec/rayStartParams": {"redis-password": "p"}, "/spec/gcsFaultToleranceOptions": {"redisAddress": "r"}}), "spec.headGroupSpec.rayStartParams.redis-password", "use GcsFaultToleranceOptions.RedisPassword instead")]
#[case("1.4.0", "1.3.2", json!({"/spec/enableInTreeAutoscaling": true, "/spec/autoscalerOptions": {"version": "v2"}, format!("{RAY}/env"): [{"name": "RAY_enable_autoscaler_v2", "value": "1"}]}), "spec.headGroupSpec.template.spec.containers[0].env[0]", "both .spec.autoscalerOptions.version and head Pod env var")]
#[case("1.5.0", "1.4.2", json!({format!("{RAY}/env"): [{"name": "RAY_enable_autoscaler_v2", "value": "true"}]}), "spec.headGroupSpec.template.spec.containers[0].env[0]", "when enableInTreeAutoscaling is false")]
#[case("1.5.1", "1.5.0", json!({"/spec/authOptions": {"mode": "token"}, "/spec/rayVersion": "2.51.2"}), "spec.authOptions.mode", "minimum Ray version is 2.52.0, got 2.51.2")]
#[case("1.5.1", "1.5.0", json!({"/spec/authOptions": {"mode": "token"}, "/spec/rayVersion": null}), "spec.authOptions.mode", "RayVersion was not specified")]
#[case("1.6.0", "1.5.2", json!({"/spec/workerGroupSpecs/0/minReplicas": 3, "/spec/workerGroupSpecs/0/maxReplicas": 2}), "spec.workerGroupSpecs[0].minReplicas", "has minReplicas 3 greater than maxReplicas 2")]
#[case("1.7.0", "1.6.2", json!({"/spec/autoscalerOptions": {"env": [{"name": "KUBERAY_GEN_AUTOSCALER_START_CMD", "value": "x"}]}}), "spec.autoscalerOptions.env[0]", "must not contain KUBERAY_GEN_AUTOSCALER_START_CMD")]
fn the_operator_refuses_from_a_release_on(
    #[case] since: &str,
    #[case] before: &str,
    #[case] changes: Value,
    #[case] path: &str,
    #[case] message: &str,
) {
    let object = changed(changes);
    let operator = |version: &str| -> Vec<_> {
        let found = admit(&release(version), &object).refusals;
        found
            .into_iter()
            .filter(|found| found.stage == Stage::Operator)
            .collect()
    };
    for version in [since, "1.7.0"] {
        let found = operator(version);
        let [found] = &found[..] else {
            panic!("{version} {found:?}")
        };
        assert_eq!(found.path.as_str(), path, "{version}");
        assert_eq!(found.reach, Reach::Object, "{version}");
        assert!(
            found.message.contains(message),
            "{version} {}",
            found.message
        );
        let entry = found.check.unwrap().entry();
        assert!(entry.since <= release(since), "{}", entry.name);
    }
    assert_eq!(operator(before), []);
}

#[rstest]
#[case("1.4.0", "1.3.2", job(|_| {}), "nightly-".repeat(7), "RayJob name should be no more than 47")]
#[case("1.4.0", "1.3.2", service(|_| {}), "chat.v2".into(), "RayService name should be a valid DNS1035")]
fn names_of_parents(
    #[case] since: &str,
    #[case] before: &str,
    #[case] mut object: Value,
    #[case] name: String,
    #[case] message: &str,
) {
    object["metadata"]["name"] = json!(name.trim_end_matches('-'));
    let found = refusals(since, &object);
    assert!(
        found.iter().any(|(_, _, text)| text.contains(message)),
        "{found:?}"
    );
    let found = refusals(before, &object);
    assert!(
        found.iter().all(|(stage, ..)| *stage != Stage::Operator),
        "{found:?}"
    );
}

#[rstest]
#[case(json!({"submissionMode": "SidecarMode", "submitterPodTemplate": {"spec": {"containers": [{"name": "s", "image": "i"}]}}}), "spec.submitterPodTemplate", "SidecarMode doesn't support SubmitterPodTemplate")]
#[case(json!({"submissionMode": "SidecarMode", "clusterSelector": {"ray.io/cluster": "c"}}), "spec.clusterSelector", "ClusterSelector is not supported in SidecarMode")]
#[case(json!({"suspend": true}), "spec.suspend", "not allowed to be suspended")]
#[case(json!({"ttlSecondsAfterFinished": 9}), "spec.ttlSecondsAfterFinished", "cannot have TTLSecondsAfterFinished")]
#[case(json!({"runtimeEnvYAML": "a: ["}), "spec.runtimeEnvYAML", "failed to unmarshal RuntimeEnvYAML")]
#[case(json!({"submissionMode": "InteractiveMode", "backoffLimit": 1}), "spec.backoffLimit", "BackoffLimit is incompatible with InteractiveMode")]
#[case(json!({"deletionStrategy": {"deletionRules": [{"policy": "DeleteSelf", "condition": {"jobStatus": "FAILED", "ttlSeconds": 1}}, {"policy": "DeleteCluster", "condition": {"jobStatus": "FAILED", "ttlSeconds": 2}}]}}), "spec.deletionStrategy.deletionRules", "DeleteSelf TTL (1) must be >= DeleteCluster TTL (2)")]
fn the_operator_refuses_a_job(#[case] fields: Value, #[case] path: &str, #[case] message: &str) {
    let object = job(|spec| {
        for (name, value) in fields.as_object().unwrap() {
            spec[name] = value.clone();
        }
    });
    let found = refusals("1.6.2", &object);
    let [(stage, at, text)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(*stage, Stage::Operator);
    assert_eq!(at.as_str(), path);
    assert!(text.contains(message), "{text}");
}

#[test]
fn a_service_leaves_the_name_of_its_head_service_to_the_operator() {
    let object = service(|spec| {
        spec["rayClusterConfig"]["headGroupSpec"]["headService"] =
            json!({"metadata": {"name": "front"}});
    });
    let path = "spec.rayClusterConfig.headGroupSpec.headService.metadata.name";
    assert_eq!(refusals("1.2.2", &object), []);
    for (version, prefix) in [("1.3.0", ""), ("1.6.0", "The RayService spec is invalid: ")] {
        let message = format!("{prefix}{path} should not be set");
        assert_eq!(
            refusals(version, &object),
            [(Stage::Operator, path.into(), message)]
        );
    }
}
