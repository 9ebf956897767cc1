use assertables::assert_contains;

use super::*;

#[test]
fn variables_of_a_head_and_a_worker_in_order() {
    let object = head_with(
        &json!({"env": [{"name": "RAY_PORT", "value": "1"}, {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]}),
        json!({}),
    );
    let head = ray("1.6.2", &object);
    assert_eq!(
        names(&head),
        [
            "RAY_PORT",
            "X",
            "RAY_CLUSTER_NAME",
            "RAY_CLUSTER_NAMESPACE",
            "RAY_CLOUD_INSTANCE_ID",
            "RAY_NODE_TYPE_NAME",
            "KUBERAY_GEN_RAY_START_CMD",
            "RAY_ADDRESS",
            "RAY_USAGE_STATS_KUBERAY_IN_USE",
            "RAY_USAGE_STATS_EXTRA_TAGS",
            "RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE",
        ]
    );
    assert_eq!(
        value(&head, "RAY_USAGE_STATS_EXTRA_TAGS").unwrap(),
        "kuberay_version=v1.6.2;kuberay_crd=RayCluster"
    );
    assert_eq!(
        value(&head, "X").unwrap(),
        r#"{"fieldRef":{"fieldPath":"metadata.uid","apiVersion":"v1"}}"#
    );
    assert_eq!(value(&head, "RAY_ADDRESS").unwrap(), "127.0.0.1:6379");
    assert_eq!(
        head.env
            .iter()
            .filter(|variable| !variable.injected)
            .count(),
        2
    );

    let worker = worker("1.0.0", &object);
    assert_eq!(
        names(&worker.containers[0]),
        [
            "FQ_RAY_IP",
            "RAY_IP",
            "RAY_CLUSTER_NAME",
            "RAY_PORT",
            "RAY_ADDRESS",
            "RAY_USAGE_STATS_KUBERAY_IN_USE",
            "REDIS_PASSWORD",
            "RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE",
        ]
    );
    assert_eq!(value(&worker.containers[0], "REDIS_PASSWORD").unwrap(), "");
}

#[test]
fn default_variables_of_the_operator_from_1_5() {
    let settings = EffectiveSettings {
        default_container_envs: vec![
            json!({"name": "X", "value": "default"}),
            json!({"name": "Y", "value": "default"}),
        ],
        ..EffectiveSettings::default()
    };
    let object = head_with(&json!({"env": [{"name": "X", "value": "own"}]}), json!({}));
    let head = |version: &str| {
        predict(&release(version), &settings, &object)
            .unwrap()
            .remove(0)
            .containers
            .remove(0)
    };
    assert_eq!(value(&head("1.4.2"), "Y"), None);
    assert_eq!(names(&head("1.5.1"))[..2], ["X", "Y"]);
    assert_eq!(value(&head("1.5.1"), "X").unwrap(), "own");
}

#[test]
fn fault_tolerance_by_annotation() {
    let object = cluster(|cluster| {
        cluster["metadata"]["annotations"] = json!({"ray.io/ft-enabled": "True"});
        cluster["metadata"]["uid"] = json!("u-1");
        cluster["spec"]["headGroupSpec"]["rayStartParams"] = json!({"redis-password": "$P"});
    });
    let head = ray("1.2.2", &object);
    assert_eq!(
        value(&head, "RAY_external_storage_namespace").unwrap(),
        "u-1"
    );
    assert_eq!(value(&head, "REDIS_PASSWORD").unwrap(), "$P");
    let of_worker = worker("1.2.2", &object);
    assert_eq!(
        value(&of_worker.containers[0], "RAY_external_storage_namespace").unwrap(),
        "u-1"
    );
    assert_eq!(
        value(
            &of_worker.containers[0],
            "RAY_gcs_rpc_server_reconnect_timeout_s"
        )
        .unwrap(),
        "600"
    );
    let head = ray("1.3.2", &object);
    assert_eq!(
        names(&head)[..2],
        ["RAY_external_storage_namespace", "REDIS_PASSWORD"]
    );
    let of_worker = worker("1.3.2", &object);
    assert_eq!(
        names(&of_worker.containers[0])[0],
        "RAY_gcs_rpc_server_reconnect_timeout_s"
    );
    assert_eq!(
        value(&of_worker.containers[0], "RAY_external_storage_namespace"),
        None
    );
}

#[test]
fn fault_tolerance_by_options_from_1_3() {
    let object = cluster(|cluster| {
        cluster["spec"]["gcsFaultToleranceOptions"] = json!({
            "redisAddress": "redis:6379",
            "redisUsername": {"value": "me"},
            "redisPassword": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        });
    });
    assert_eq!(value(&ray("1.2.2", &object), "RAY_REDIS_ADDRESS"), None);
    let head = ray("1.3.2", &object);
    assert_eq!(
        names(&head)[..4],
        [
            "RAY_external_storage_namespace",
            "RAY_REDIS_ADDRESS",
            "REDIS_USERNAME",
            "REDIS_PASSWORD"
        ]
    );
    let text = args(&head).remove(0);
    assert!(
        text.contains(" --redis-password=$REDIS_PASSWORD  --redis-username=$REDIS_USERNAME "),
        "{text}"
    );
}

#[test]
fn init_containers_know_the_head() {
    let object = cluster(|cluster| {
        let spec = &mut cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"];
        spec["initContainers"] = json!([{"name": "own", "image": "x", "command": ["a"]}]);
        spec["containers"][0]["env"] = json!([{"name": "X", "value": "1"}]);
    });
    let pod = worker("1.6.2", &object);
    let [own, wait] = &pod.init_containers[..] else {
        panic!("{pod:?}")
    };
    assert_eq!(own.name.as_str(), "own");
    assert_eq!(wait.name.as_str(), "wait-gcs-ready");
    assert_eq!(own.command, ["a"]);
    assert_eq!(names(own), ["FQ_RAY_IP", "RAY_IP"]);
    assert_eq!(names(wait), ["X", "FQ_RAY_IP", "RAY_IP"]);
    let settings = EffectiveSettings {
        env: [(
            "ENABLE_INIT_CONTAINER_INJECTION".to_owned(),
            "False".to_owned(),
        )]
        .into(),
        ..EffectiveSettings::default()
    };
    let pods = predict(&release("1.6.2"), &settings, &object).unwrap();
    assert_eq!(pods[1].init_containers.len(), 1);
}

#[test]
fn the_autoscaler_is_the_last_container() {
    let object = cluster(|cluster| {
        cluster["spec"]["enableInTreeAutoscaling"] = json!(true);
        cluster["spec"]["autoscalerOptions"] =
            json!({"version": "v1", "args": ["own"], "env": [{"name": "X", "value": "1"}]});
        let containers = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"];
        containers
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "side", "image": "x"}));
    });
    let script = "ray kuberay-autoscaler --cluster-name $(RAY_CLUSTER_NAME) --cluster-namespace $(RAY_CLUSTER_NAMESPACE)";
    let of = |version: &str| pods(version, &object).remove(0).containers;
    let containers = of("1.1.1");
    assert_eq!(
        containers
            .iter()
            .map(|container| container.name.as_str())
            .collect::<Vec<_>>(),
        ["ray-head", "side", "autoscaler"]
    );
    assert_eq!(containers[2].command, ["ray"]);
    assert_eq!(
        args(&containers[2]).join(" "),
        script.strip_prefix("ray ").unwrap()
    );
    assert_eq!(args(&of("1.2.2")[2]), [script]);
    assert_eq!(
        names(&of("1.6.2")[2]),
        [
            "RAY_CLUSTER_NAME",
            "RAY_CLUSTER_NAMESPACE",
            "RAY_HEAD_POD_NAME",
            "KUBERAY_CRD_VER",
            "X"
        ]
    );
    assert_contains!(args(&of("1.6.2")[0])[0], " --no-monitor ");
    assert_eq!(value(&of("1.6.2")[0], "RAY_enable_autoscaler_v2"), None);
    assert_eq!(
        value(&of("1.7.0")[0], "RAY_enable_autoscaler_v2").unwrap(),
        "false"
    );
    assert_eq!(
        value(&of("1.7.0")[2], "KUBERAY_GEN_AUTOSCALER_START_CMD").unwrap(),
        script
    );
    assert_eq!(args(&of("1.7.0")[2]), ["own"]);
}

#[test]
fn token_authentication_from_1_5() {
    let object = cluster(|cluster| {
        cluster["spec"]["authOptions"] = json!({"mode": "token", "secretName": "own"});
    });
    assert_eq!(value(&ray("1.4.2", &object), "RAY_AUTH_MODE"), None);
    assert_eq!(
        names(&ray("1.5.1", &object))[..2],
        ["RAY_AUTH_MODE", "RAY_AUTH_TOKEN"]
    );
    assert_contains!(
        value(&ray("1.5.1", &object), "RAY_AUTH_TOKEN").unwrap(),
        r#""name":"c""#
    );
    assert_contains!(
        value(&ray("1.6.2", &object), "RAY_AUTH_TOKEN").unwrap(),
        r#""name":"own""#
    );
    assert_eq!(
        names(&worker("1.6.2", &object).init_containers[0])[..2],
        ["RAY_AUTH_MODE", "RAY_AUTH_TOKEN"]
    );
}
