//! Pods and Services that clash with what the operator adds to them.

use rstest::rstest;
use serde_json::json;

use super::*;

/// What is refused of a head whose fields are set, as path behind the head's and message.
fn of_head(version: &str, fields: &Value, spec: &Value) -> Vec<(String, String)> {
    let object = cluster(|cluster| {
        for (pointer, value) in fields.as_object().unwrap() {
            let pointer = format!("/spec/headGroupSpec{pointer}");
            set(cluster, &pointer, value.clone());
        }
        for (name, value) in spec.as_object().unwrap() {
            cluster["spec"][name] = value.clone();
        }
    });
    let found = refusals(version, &object).into_iter();
    found
        .map(|(stage, path, message)| {
            assert_eq!(stage, Stage::PodCreation, "{path}: {message}");
            let path = path.strip_prefix("spec.headGroupSpec.").unwrap_or(&path);
            (path.to_owned(), message)
        })
        .collect()
}

const RAY: &str = "/template/spec/containers/0";

fn sidecar(fields: &Value) -> Value {
    let mut sidecar = json!({"name": "side", "image": "side:1"});
    for (name, value) in fields.as_object().unwrap() {
        sidecar[name] = value.clone();
    }
    sidecar
}

#[test]
fn a_sidecar_mounts_the_token_that_the_operator_adds() {
    let mount = json!({"volumeMounts": [{"name": "ray-token", "mountPath": "/token"}]});
    let head = |options: Value| {
        let object = cluster(|cluster| {
            let template = &mut cluster["spec"]["headGroupSpec"]["template"];
            template["spec"]["containers"]
                .as_array_mut()
                .unwrap()
                .push(sidecar(&mount));
            cluster["spec"]["rayVersion"] = json!("2.55.0");
            cluster["spec"]["authOptions"] = options;
        });
        refusals("1.6.0", &object)
    };
    let with = head(json!({"mode": "token", "enableK8sTokenAuth": true}));
    assert_eq!(with, [], "the operator adds the volume");
    let without = head(json!({"mode": "token"}));
    assert_eq!(without.len(), 1, "no volume is added: {without:?}");
    assert_eq!(without[0].2, "Not found: \"ray-token\"");
}

#[rstest]
// The head has the volume only with an autoscaler, and workers never have it.
#[case(json!({"name": "ray-logs", "mountPath": "/logs"}), json!({}), false)]
#[case(json!({"name": "ray-logs", "mountPath": "/logs"}), json!({"enableInTreeAutoscaling": true}), true)]
// Where the path is taken, no volume is added for it.
#[case(json!({"name": "shared-mem", "mountPath": "/dev/shm"}), json!({}), false)]
#[case(json!({"name": "shared-mem", "mountPath": "/other"}), json!({}), true)]
#[case(json!({"name": "log-volume", "mountPath": "/logs"}), json!({}), false)]
fn mounts_of_volumes_that_the_operator_adds(
    #[case] mount: Value,
    #[case] spec: Value,
    #[case] there: bool,
) {
    let mounts = json!({format!("{RAY}/volumeMounts"): [mount]});
    for version in ["1.2.2", "1.4.2", "1.7.0"] {
        let found = of_head(version, &mounts, &spec);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        let expected: &[&str] = if there {
            &[]
        } else {
            &["template.spec.containers[0].volumeMounts[0].name"]
        };
        assert_eq!(paths, expected, "{version}: {mounts} {spec}");
    }
}

#[test]
fn no_shared_memory_is_added_beside_a_directory_of_ones_own() {
    let fields = json!({
        "/rayStartParams": {"plasma-directory": "/fast"},
        format!("{RAY}/volumeMounts"): [{"name": "shared-mem", "mountPath": "/other"}],
    });
    assert_eq!(of_head("1.5.2", &fields, &json!({})), []);
    assert_eq!(of_head("1.6.0", &fields, &json!({})).len(), 1);
}

#[rstest]
#[case(json!([{"containerPort": 8080, "name": "http"}]), json!({}), &["containers[0].ports[0].containerPort"])]
#[case(json!([{"containerPort": 8080, "name": "metrics"}]), json!({}), &[])]
#[case(json!([{"containerPort": 8080, "name": "http"}, {"containerPort": 9090, "name": "metrics"}]), json!({}), &[])]
#[case(json!([{"containerPort": 53, "name": "a"}, {"containerPort": 53, "name": "b", "protocol": "UDP"}]), json!({}), &["containers[0].ports[1].containerPort"])]
#[case(json!([{"containerPort": 8265, "name": "dashboard"}]), json!([{"name": "mine", "port": 8265}]), &["containers[0].ports[0].containerPort"])]
fn ports_that_the_heads_service_would_have_twice(
    #[case] ports: Value,
    #[case] own: Value,
    #[case] expected: &[&str],
) {
    let mut fields = json!({format!("{RAY}/ports"): ports});
    if own.is_array() {
        fields["/headService"] = json!({"spec": {"ports": own}});
    }
    for version in ["1.0.0", "1.6.2", "1.7.0"] {
        let found = of_head(version, &fields, &json!({}));
        let paths: Vec<String> = found.iter().map(|(path, _)| path.clone()).collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|path| format!("template.spec.{path}"))
            .collect();
        assert_eq!(paths, expected, "{version}: {fields}");
        for (_, message) in &found {
            assert!(
                message.starts_with("Service: spec.ports: Duplicate value: "),
                "{message}"
            );
        }
    }
}

#[test]
fn containers_with_the_name_of_one_that_the_operator_adds() {
    let duplicate = |name: &str| {
        format!("Duplicate value: {name:?}: the operator adds a container of this name")
    };
    let waiting = changed(json!({
        "/spec/workerGroupSpecs/0/template/spec/initContainers": [{"name": "wait-gcs-ready", "image": "a"}],
        "/spec/headGroupSpec/template/spec/initContainers": [{"name": "wait-gcs-ready", "image": "a"}],
    }));
    let at = "spec.workerGroupSpecs[0].template.spec.initContainers[0].name";
    let expected = (
        Stage::PodCreation,
        at.to_owned(),
        duplicate("wait-gcs-ready"),
    );
    assert_eq!(refusals("1.6.2", &waiting), [expected], "workers only");

    let named = |name: &str| json!({format!("{RAY}/name"): name});
    let scaled = json!({"enableInTreeAutoscaling": true});
    let found = of_head("1.6.2", &named("autoscaler"), &scaled);
    let expected = (
        "template.spec.containers[0].name".to_owned(),
        duplicate("autoscaler"),
    );
    assert_eq!(found, [expected]);
    assert_eq!(of_head("1.6.2", &named("autoscaler"), &json!({})), []);

    let beside = job(|spec| {
        spec["submissionMode"] = json!("SidecarMode");
        let pointer = "/rayClusterSpec/headGroupSpec/template/spec/containers/0/name";
        set(spec, pointer, json!("ray-job-submitter"));
    });
    let found = refusals("1.5.0", &beside);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].2, duplicate("ray-job-submitter"));
}

#[rstest]
#[case(json!({format!("{RAY}/livenessProbe"): {}}), "containers[0].livenessProbe", "Required value: must specify a handler type")]
#[case(json!({format!("{RAY}/readinessProbe"): {"periodSeconds": 5}}), "containers[0].readinessProbe", "must specify a handler type")]
#[case(json!({format!("{RAY}/startupProbe"): {"exec": {"command": ["a"]}, "tcpSocket": {"port": 80}}}), "containers[0].startupProbe.tcpSocket", "may not specify more than 1 handler type")]
#[case(json!({format!("{RAY}/lifecycle"): {"preStop": {}}}), "containers[0].lifecycle.preStop", "must specify a handler type")]
#[case(json!({"/template/spec/hostNetwork": true, format!("{RAY}/ports"): [{"containerPort": 8265, "name": "dashboard", "hostPort": 8266}]}), "containers[0].ports[0].hostPort", "must match `containerPort` when `hostNetwork` is true")]
#[case(json!({"/template/spec/volumes": [{"name": "a", "emptyDir": {}, "configMap": {"name": "b"}}]}), "volumes[0].configMap", "may not specify more than 1 volume type")]
#[case(json!({"/template/spec/serviceAccountName": "Bad_Name"}), "serviceAccountName", "a lowercase RFC 1123 subdomain must")]
#[case(json!({format!("{RAY}/resources"): {"limits": {"cpu": -1}}}), "containers[0].resources.limits.cpu", "Invalid value: \"-1\": must be greater than or equal to 0")]
#[case(json!({format!("{RAY}/resources"): {"requests": {"cpu": "-500m"}}}), "containers[0].resources.requests.cpu", "Invalid value: \"-500m\": must be greater than or equal to 0")]
fn fields_of_a_pod_that_the_api_server_refuses(
    #[case] fields: Value,
    #[case] path: &str,
    #[case] message: &str,
) {
    let found = of_head("1.6.2", &fields, &json!({}));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, format!("template.spec.{path}"));
    assert!(found[0].1.contains(message), "{}", found[0].1);
}

#[rstest]
#[case(json!({format!("{RAY}/livenessProbe"): {"exec": {"command": ["a"]}}}))]
#[case(json!({format!("{RAY}/lifecycle"): {"preStop": {"exec": {"command": ["ray", "stop"]}}}}))]
#[case(json!({"/template/spec/hostNetwork": true, format!("{RAY}/ports"): [{"containerPort": 8265, "name": "dashboard"}]}))]
#[case(json!({format!("{RAY}/ports"): [{"containerPort": 8265, "name": "dashboard", "hostPort": 8266}]}))]
#[case(json!({"/template/spec/volumes": [{"name": "a"}, {"name": "b", "configMap": {"name": "b"}}]}))]
#[case(json!({"/template/spec/serviceAccountName": "team.sa-1"}))]
#[case(json!({"/template/spec/serviceAccountName": "${ACCOUNT}"}))]
fn fields_of_a_pod_that_it_takes(#[case] fields: Value) {
    assert_eq!(of_head("1.6.2", &fields, &json!({})), []);
}

#[test]
fn less_than_nothing_is_refused_with_the_pods_of_a_group() {
    let path = "/spec/workerGroupSpecs/0/template/spec/containers/0/resources";
    let object = changed(json!({path: {"limits": {"cpu": -1}}}));
    assert_eq!(pods("1.6.2", &object).0, 1, "the head comes");
}

#[test]
fn a_group_without_hosts_has_no_pods() {
    let object = changed(json!({"/spec/workerGroupSpecs/0/numOfHosts": 0}));
    assert_eq!(pods("1.7.0", &object).0, 1, "replicas times 0");
    assert_eq!(pods("1.4.0", &object).0, 1, "replicas times 0");
    assert_eq!(pods("1.3.2", &object).0, 2, "before 1.4 it was 1");
}

#[rstest]
#[case("RayCluster", json!({}))]
#[case("RayCluster", json!({"spec": {}}))]
#[case("RayService", json!({"spec": {}}))]
fn objects_without_a_specification(#[case] kind: &str, #[case] rest: Value) {
    let mut object = json!({"apiVersion": "ray.io/v1", "kind": kind, "metadata": {"name": "a"}});
    if let Some(spec) = rest.get("spec") {
        object["spec"] = spec.clone();
    }
    let found = refusals("1.7.0", &object);
    let first = found.first().expect("a refusal");
    assert!(first.0 <= Stage::Operator, "{found:?}");
    if kind == "RayCluster" && rest == json!({}) {
        assert_eq!(first.0, Stage::Operator, "the definition requires no spec");
        assert_eq!(first.2, "headGroupSpec should have at least one container");
    }
}

#[test]
fn certificates_are_there_for_sidecars_alone() {
    let mount = json!([{"name": "ray-tls", "mountPath": "/certificates"}]);
    let mut settings = EffectiveSettings::default();
    settings.feature_gates.insert("RayClusterMTLS".into(), true);
    let of = |container: usize, settings: &EffectiveSettings| {
        let object = cluster(|cluster| {
            let pod = &mut cluster["spec"]["headGroupSpec"]["template"]["spec"];
            let containers = pod["containers"].as_array_mut().unwrap();
            containers.push(sidecar(&json!({})));
            pod["containers"][container]["volumeMounts"] = mount.clone();
            cluster["spec"]["tlsOptions"] = json!({"enabled": true});
            cluster["spec"]["workerGroupSpecs"] = json!([]);
        });
        admit_with(&release("1.7.0"), settings, &object).refusals
    };
    assert_eq!(of(1, &settings), [], "the operator adds the volume");
    assert_eq!(of(0, &settings).len(), 1, "Ray's own mount is refused");
    assert_eq!(
        of(1, &EffectiveSettings::default())[0].stage,
        Stage::Operator,
        "without the gate"
    );
}

#[rstest]
// Without ports of its own the container gets those of the operator, which are appended.
#[case(json!([]), json!([{"name": "dashboard", "port": 8265}]), &["port"])]
#[case(json!([]), json!([{"name": "ui", "port": 8265}]), &["port"])]
#[case(json!([]), json!([{"name": "dashboard", "port": 80}]), &["name"])]
#[case(json!([]), json!([{"name": "metrics", "port": 80}]), &["name"])]
#[case(json!([]), json!([{"name": "ui", "port": 80}]), &[])]
#[case(json!([]), json!([{"name": "ui", "port": 8265, "protocol": "UDP"}]), &[])]
#[case(json!([{"containerPort": 6379, "name": "gcs"}]), json!([{"name": "dashboard", "port": 8265}]), &[])]
#[case(json!([{"containerPort": 6379, "name": "gcs"}]), json!([{"name": "dashboard", "port": 8080}]), &["port"])]
#[case(json!([{"containerPort": 6379, "name": "gcs"}]), json!([{"name": "a", "port": 80}, {"name": "a", "port": 81}]), &["name"])]
#[case(json!([{"containerPort": 6379, "name": "gcs"}]), json!([{"port": 80}]), &["name"])]
fn ports_of_a_head_service_of_ones_own(
    #[case] ports: Value,
    #[case] own: Value,
    #[case] expected: &[&str],
) {
    let fields = json!({format!("{RAY}/ports"): ports, "/headService": {"spec": {"ports": own}}});
    for version in ["1.0.0", "1.2.2", "1.6.2", "1.7.0"] {
        let found = of_head(version, &fields, &json!({}));
        let fields: Vec<&str> = found
            .iter()
            .map(|(path, _)| {
                assert!(path.starts_with("headService.spec.ports["), "{path}");
                path.rsplit('.').next().unwrap()
            })
            .collect();
        assert_eq!(fields, expected, "{version}: {found:?}");
    }
}

#[test]
fn a_name_that_both_the_container_and_the_head_service_have() {
    let fields = json!({
        format!("{RAY}/ports"): [{"containerPort": 8265, "name": "dashboard"}],
        "/headService": {"spec": {"ports": [{"name": "dashboard", "port": 80}]}},
    });
    let found = of_head("1.6.2", &fields, &json!({}));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "template.spec.containers[0].ports[0].name");
    let message = "Service: spec.ports: Duplicate value: \"dashboard\"";
    assert!(found[0].1.starts_with(message), "{}", found[0].1);
}

#[test]
fn the_port_of_the_gcs_was_called_redis() {
    let own =
        |name: &str| json!({"/headService": {"spec": {"ports": [{"name": name, "port": 80}]}}});
    let refused = |version: &str, name: &str| of_head(version, &own(name), &json!({})).len();
    assert_eq!(refused("1.2.2", "redis"), 1);
    assert_eq!(refused("1.2.2", "gcs-server"), 0);
    assert_eq!(refused("1.3.0", "redis"), 0);
    assert_eq!(refused("1.3.0", "gcs-server"), 1);
}

#[test]
fn a_dashboard_port_of_the_head_service_is_found() {
    let named = |port: u16| {
        job(|spec| {
            let head = &mut spec["rayClusterSpec"]["headGroupSpec"];
            head["template"]["spec"]["containers"][0]["ports"] =
                json!([{"containerPort": 6379, "name": "gcs"}]);
            head["headService"] = json!({"spec": {"ports": [{"name": "dashboard", "port": port}]}});
        })
    };
    for version in RELEASES {
        assert_eq!(refusals(version, &named(8265)), [], "{version}");
        assert_eq!(pods(version, &named(8265)), (3, true), "{version}");
    }
    let settings = EffectiveSettings::default();
    let made = crate::predict(&release("1.6.2"), &settings, &named(80)).unwrap();
    let submitter = &made.last().unwrap().containers[0];
    let crate::EnvValue::Text(address) =
        &submitter.variable("RAY_DASHBOARD_ADDRESS").unwrap().value
    else {
        panic!("{submitter:?}")
    };
    let address = address.to_string();
    assert!(address.ends_with("svc.cluster.local:80"), "{address}");
}

#[rstest]
#[case("gpu", "must be a standard resource for containers")]
#[case("gpus", "must be a standard resource for containers")]
#[case("CPU", "must be a standard resource for containers")]
#[case("storage", "must be a standard resource for containers")]
#[case("nvidia.com/gpu/a", "must consist of alphanumeric characters")]
#[case(
    "requests.nvidia.com/gpu",
    "doesn't follow extended resource name standard"
)]
#[case("cpu", "")]
#[case("memory", "")]
#[case("ephemeral-storage", "")]
#[case("hugepages-2Mi", "")]
#[case("nvidia.com/gpu", "")]
#[case("scheduling.kubernetes.io/foo", "")]
fn names_of_resources(#[case] name: &str, #[case] message: &str) {
    for list in ["limits", "requests"] {
        let mut resources = json!({list: {name: "1"}});
        if list == "requests" && message.is_empty() {
            resources["limits"] = resources["requests"].clone();
        }
        let fields = json!({format!("{RAY}/resources"): resources});
        let found = of_head("1.6.2", &fields, &json!({}));
        if message.is_empty() {
            assert_eq!(found, [], "{list}");
            continue;
        }
        let (path, text) = found.first().unwrap_or_else(|| panic!("{list} {name}"));
        let prefix = format!("template.spec.containers[0].resources.{list}");
        assert!(path.starts_with(&prefix), "{found:?}");
        assert!(text.contains(message), "{found:?}");
        assert!(text.contains(name), "{found:?}");
    }
}

#[test]
fn a_resource_without_a_name_of_its_own_takes_a_group_away() {
    let path = "/spec/workerGroupSpecs/0/template/spec/containers/0/resources";
    let object = changed(json!({path: {"limits": {"cpu": "1", "gpu": "1"}}}));
    assert_eq!(pods("1.6.2", &object).0, 1, "the head comes");
}

/// The operator's HTTP probe asks the port of a parameter, and the API server wants one.
#[rstest]
#[case::zero("1.6.2", "2.53.0", "0", true)]
#[case::too_large("1.6.2", "2.53.0", "65536", true)]
#[case::a_port("1.6.2", "2.53.0", "65535", false)]
#[case::no_number("1.6.2", "2.53.0", "auto", false)]
#[case::without_http("1.6.2", "2.52.0", "0", false)]
#[case::before("1.5.2", "2.53.0", "0", false)]
fn the_port_of_a_probe_is_a_port(
    #[case] version: &str,
    #[case] ray: &str,
    #[case] port: &str,
    #[case] is_refused: bool,
) {
    let params = json!({"dashboard-agent-listen-port": port});
    let found = of_head(
        version,
        &json!({"/rayStartParams": params}),
        &json!({"rayVersion": ray}),
    );
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    let expected: &[&str] = if is_refused {
        &["rayStartParams.dashboard-agent-listen-port"]
    } else {
        &[]
    };
    assert_eq!(paths, expected);
}
