//! Probes that the operator adds to Ray containers.

use rstest::rstest;

use super::*;

fn liveness(version: &str, object: &Value) -> Value {
    ray(version, object).added_probes.liveness.unwrap()
}

/// What a probe runs.
fn script(probe: &Value) -> &str {
    probe["exec"]["command"][2].as_str().unwrap()
}

#[rstest]
#[case::alike("1.1.1", 1, "wget -T 2 -q", "wget -T 2 -q")]
#[case::longer("1.2.1", 2, "wget -T 2 -q", "wget -T 10 -q")]
#[case::longer_for_the_head("1.2.2", 5, "wget -T 2 -q", "wget -T 10 -q")]
#[case::one_try("1.4.0", 5, "wget --tries 1 -T 2 -q", "wget --tries 1 -T 10 -q")]
fn the_head_asks_raylet_and_gcs(
    #[case] version: &str,
    #[case] seconds: u64,
    #[case] raylet: &str,
    #[case] gcs: &str,
) {
    let probe = liveness(version, &cluster(|_| {}));
    assert_eq!(probe["timeoutSeconds"], seconds);
    let expected = format!(
        "{raylet} -O- http://localhost:52365/api/local_raylet_healthz | grep success && \
         {gcs} -O- http://localhost:8265/api/gcs_healthz | grep success"
    );
    assert_eq!(script(&probe), expected);
}

#[test]
fn release_1_0_adds_probes_to_fault_tolerant_clusters_alone() {
    assert_eq!(
        ray("1.0.0", &cluster(|_| {})).added_probes,
        AddedProbes::default()
    );
    let tolerant = cluster(|cluster| {
        cluster["metadata"]["annotations"] = json!({"ray.io/ft-enabled": "true"});
    });
    // The shell runs the first check; the words after it are its arguments.
    let probe = liveness("1.0.0", &tolerant);
    assert_eq!(probe["exec"]["command"].as_array().unwrap().len(), 7);
    assert_eq!(probe["exec"]["command"][3], "&&");
}

/// 1.0 completes a probe that asks nothing; the API server fills in the rest.
#[test]
fn release_1_0_completes_a_probe_of_the_user() {
    let mut object = head_with(&json!({"livenessProbe": {"periodSeconds": 7}}), json!({}));
    object["metadata"]["annotations"] = json!({"ray.io/ft-enabled": "true"});
    let probe = liveness("1.0.0", &object);
    assert_eq!(probe["periodSeconds"], 7);
    assert_eq!(probe["failureThreshold"], 3);
    assert_eq!(probe["exec"]["command"][0], "bash");
}

#[rstest]
#[case::fixed("1.5.2", 8265)]
#[case::given("1.6.0", 8300)]
fn ports_of_parameters_count_from_1_6_on(#[case] version: &str, #[case] port: u16) {
    let object = head_with(&json!({}), json!({"dashboard-port": "8300"}));
    let probe = liveness(version, &object);
    assertables::assert_contains!(script(&probe), &format!("localhost:{port}/api/gcs_healthz"));
}

#[rstest]
#[case::before("1.5.2", "2.53.0", false)]
#[case::older_ray("1.6.2", "2.52.9", false)]
#[case::since("1.6.2", "2.53.0", true)]
#[case::without_patch("1.6.2", "2.53", true)]
#[case::no_version("1.6.2", "nightly", false)]
fn probes_over_http_need_kuberay_1_6_and_ray_2_53(
    #[case] version: &str,
    #[case] ray_version: &str,
    #[case] over_http: bool,
) {
    let mut object = head_with(&json!({}), json!({"dashboard-agent-listen-port": "5000"}));
    object["spec"]["rayVersion"] = ray_version.into();
    let probe = liveness(version, &object);
    let get = json!({"path": "/api/healthz", "port": 5000, "scheme": "HTTP"});
    assert_eq!(probe["httpGet"] == get, over_http, "{probe}");
    assert_eq!(probe["exec"].is_null(), over_http, "{probe}");
}

#[test]
fn a_worker_of_a_service_asks_serve() {
    let object = cluster(|cluster| {
        cluster["metadata"]["labels"] = json!({"ray.io/originated-from-crd": "RayService"});
        cluster["spec"]["rayVersion"] = "2.53.0".into();
        cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["ports"] =
            json!([{"name": "serve", "containerPort": 8001}]);
    });
    let probes = worker("1.6.2", &object).containers.remove(0).added_probes;
    assert_eq!(probes.liveness.unwrap()["httpGet"]["port"], 52365);
    let readiness = probes.readiness.unwrap();
    assert_eq!(readiness["failureThreshold"], 1);
    assertables::assert_contains!(script(&readiness), "localhost:8001/-/healthz");
}

#[test]
fn probes_of_the_user_and_of_no_operator_stay_away() {
    let own = json!({"exec": {"command": ["true"]}});
    let object = head_with(&json!({"livenessProbe": own}), json!({}));
    let probes = ray("1.6.2", &object).added_probes;
    assert_eq!(probes.liveness, None);
    assert!(
        probes.readiness.is_some(),
        "the readiness probe is not the user's"
    );
    let settings = EffectiveSettings {
        env: [("ENABLE_PROBES_INJECTION".to_owned(), "false".to_owned())].into(),
        ..EffectiveSettings::default()
    };
    let pods = predict(&release("1.6.2"), &settings, &cluster(|_| {})).unwrap();
    assert_eq!(pods[0].containers[0].added_probes, AddedProbes::default());
}

#[test]
fn a_pod_with_another_probe_differs() {
    let pod = pods("1.6.2", &cluster(|_| {})).remove(0);
    let mut spec = pod.spec();
    assert_eq!(differences(&pod, &spec), []);
    spec["containers"][0]["readinessProbe"]["failureThreshold"] = 11.into();
    let found = differences(&pod, &spec);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].what, "readinessProbe");
}
