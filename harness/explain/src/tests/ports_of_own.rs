//! Ports where the user's own command starts Ray, and those that the operator makes Services of.

use rstest::rstest;

use super::ids;

/// A RayJob, RayService or RayCluster whose head runs a command of the user's own.
fn own(kind: &str, command: &str, container: &str, workers: &str) -> String {
    let (field, indent) = match kind {
        "RayJob" => ("  entrypoint: python a.py\n  rayClusterSpec:\n", "  "),
        "RayService" => ("  rayClusterConfig:\n", "  "),
        _ => ("", ""),
    };
    let cluster = format!(
        "  headGroupSpec:\n    rayStartParams: {{}}\n    template:\n      metadata:\n        annotations: \
         {{ray.io/overwrite-container-cmd: 'true'}}\n      spec:\n        containers:\n        - name: ray-head\n          \
         image: rayproject/ray:2.52.0\n          command: [/bin/bash, -c, --]\n          args: ['{command}']\n          \
         {container}\n          resources: {{limits: {{cpu: 1}}}}\n{workers}"
    );
    let cluster: String = cluster
        .lines()
        .map(|line| format!("{indent}{line}\n"))
        .collect();
    format!("apiVersion: ray.io/v1\nkind: {kind}\nmetadata:\n  name: demo\nspec:\n{field}{cluster}")
}

const WORKER: &str = "  workerGroupSpecs:\n  - groupName: w\n    replicas: 1\n    minReplicas: 1\n    \
                      maxReplicas: 1\n    rayStartParams: {}\n    template:\n      spec:\n        containers:\n        \
                      - {name: w, image: 'rayproject/ray:2.52.0', resources: {limits: {cpu: 1}}}\n";

#[rstest]
#[case::host_by_default("RayJob", "ray start --head --block", &["ports-disagree"])]
#[case::host_inside("RayService", "ray start --head --block --dashboard-host 127.0.0.1", &["ports-disagree"])]
#[case::host("RayJob", "ray start --head --block --dashboard-host=0.0.0.0", &[])]
#[case::nobody_asks("RayCluster", "ray start --head --block", &[])]
#[case::variable("RayJob", "ray start --head --block $OPTIONS", &[])]
#[case::two_starts("RayJob", "if a; then ray start --head --block; else ray start --head --block; fi", &[])]
#[case::dashboard("RayJob", "ray start --head --block --dashboard-host=0.0.0.0 --dashboard-port=8266", &["ports-disagree", "probes-fail"])]
#[case::agent("RayCluster", "ray start --head --block --dashboard-agent-listen-port=52366", &["probes-fail"])]
#[case::no_dashboard("RayCluster", "ray start --head --block --include-dashboard=false", &["probes-fail"])]
fn an_own_start_and_what_the_operator_asks(
    #[case] kind: &str,
    #[case] command: &str,
    #[case] expected: &[&str],
) {
    let text = own(kind, command, "ports: []", "");
    let found: Vec<String> = ids(&text, "1.6.2")
        .into_iter()
        .filter(|id| id != "entrypoint-runs-here")
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[rstest]
#[case::another("ray start --head --block --port=6380", WORKER, &["ports-disagree"])]
#[case::nobody_asks("ray start --head --block --port=6380", "", &[])]
#[case::same("ray start --head --block --port=6379", WORKER, &[])]
fn workers_ask_for_the_port_of_the_parameters(
    #[case] command: &str,
    #[case] workers: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(
        ids(&own("RayCluster", command, "ports: []", workers), "1.6.2"),
        expected
    );
}

#[rstest]
#[case::node_port("1.6.2", "serviceType: NodePort", "8265", &["no-gcs-port"])]
#[case::given("1.6.2", "serviceType: NodePort", "6379", &[])]
#[case::without_address("1.6.2", "serviceType: ClusterIP", "8265", &[])]
#[case::old("1.1.1", "serviceType: ClusterIP", "8265", &["no-gcs-port"])]
#[case::own_service("1.6.2", "headService: {spec: {type: ClusterIP}}", "8265", &["no-gcs-port"])]
#[case::port_of_own_service("1.6.2", "headService: {spec: {ports: [{port: 6379}]}}", "8265", &[])]
#[case::own_service_without_address("1.6.2", "headService: {spec: {clusterIP: None}}", "8265", &[])]
fn a_service_with_an_address_leads_to_its_ports_alone(
    #[case] release: &str,
    #[case] service: &str,
    #[case] port: &str,
    #[case] expected: &[&str],
) {
    let ports = format!("ports: [{{containerPort: {port}}}]");
    let text = own("RayCluster", "ray start --head --block", &ports, WORKER);
    let text = text.replacen(
        "    rayStartParams",
        &format!("    {service}\n    rayStartParams"),
        1,
    );
    assert_eq!(ids(&text, release), expected);
}

#[rstest]
#[case::other_name("1.6.2", "[{containerPort: 8265, name: dashboard}, {containerPort: 8000, name: http}]", &["no-serve-port"])]
#[case::prefix("1.6.2", "[{containerPort: 8265, name: dashboard}, {containerPort: 9000, name: serve-grpc}]", &[])]
#[case::prefix_of_old("1.5.2", "[{containerPort: 8265, name: dashboard}, {containerPort: 9000, name: serve-grpc}]", &["no-serve-port"])]
#[case::usual("1.0.0", "[]", &[])]
fn the_service_of_the_applications_needs_its_port(
    #[case] release: &str,
    #[case] ports: &str,
    #[case] expected: &[&str],
) {
    let command = "ray start --head --block --dashboard-host=0.0.0.0";
    let text = own("RayService", command, &format!("ports: {ports}"), "");
    let found: Vec<String> = ids(&text, release)
        .into_iter()
        .filter(|id| id.starts_with("no-"))
        .collect();
    assert_eq!(found, expected);
    let given = text.replace(
        "spec:\n  rayCl",
        "spec:\n  serveService: {spec: {}}\n  rayCl",
    );
    let found = ids(&given, release);
    assert!(found.iter().all(|id| id != "no-serve-port"), "{found:?}");
}
