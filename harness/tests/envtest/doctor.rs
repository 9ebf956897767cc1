//! `doctor` with the permissions of `fixtures/rbac/doctor.yaml` and no others, on a thousand
//! RayClusters.
//!
//! It uses an API server of its own, which authorizes requests by roles (RBAC).

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use assertables::assert_not_contains;
use futures::StreamExt as _;
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::{Sender, create_crds};
use kuberay_conformance::report::Silent;
use kuberay_conformance::target::{ControlPlane, ControlPlaneOptions};
use serde_json::{Value, json};

use crate::support::audit::{Audit, are_reads};
use crate::support::reader::as_reader;
use crate::support::{exclusive_within, is_optimised, program};

const RELEASE: &str = "1.6.2";
const NUMBER: usize = 1000;
const BROKEN: usize = 10;
const NAMESPACE: &str = "default";
const CANARY: &str = "c4n4ry-of-a-Secret";

fn cluster(index: usize) -> Value {
    let container = json!({"name": "ray-head", "image": "rayproject/ray:2.52.0"});
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": format!("c-{index}"), "namespace": NAMESPACE},
        "spec": {"headGroupSpec": {"rayStartParams": {},
            "template": {"spec": {"containers": [container]}}}}})
}

fn head(cluster: &Value) -> Value {
    let name = &cluster["metadata"]["name"];
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("{}-head", name.as_str().unwrap()), "namespace": NAMESPACE,
            "labels": {"ray.io/cluster": name, "ray.io/node-type": "head", "ray.io/group": "headgroup"}},
        "spec": {"containers": [{"name": "ray-head", "image": "rayproject/ray:2.52.0"}]}})
}

fn operator() -> Value {
    let labels = json!({"app.kubernetes.io/name": "kuberay-operator"});
    let image = format!("quay.io/kuberay/operator:v{RELEASE}");
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "kuberay-operator", "namespace": NAMESPACE, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "operator", "image": image}]}}}})
}

/// Sets the status of an object.
async fn set_status(client: &kube::Client, path: &str, status: Value) {
    let body = json!({"status": status}).to_string().into_bytes();
    let request = http::Request::patch(format!("{path}/status"))
        .header("content-type", "application/merge-patch+json")
        .body(body)
        .unwrap();
    client.request::<Value>(request).await.unwrap();
}

/// One RayCluster with its head; every hundredth waits for its image forever.
async fn one(client: kube::Client, sender: &Sender, index: usize) {
    let cluster = cluster(index);
    sender.create(&cluster).await.unwrap();
    let pod = sender.create(&head(&cluster)).await.unwrap();
    let is_broken = index.is_multiple_of(NUMBER / BROKEN);
    let state = if is_broken {
        json!({"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}})
    } else {
        json!({"running": {}})
    };
    let status = json!({"phase": "Running", "containerStatuses": [{"name": "ray-head", "ready": !is_broken,
        "restartCount": 0, "image": "", "imageID": "", "state": state}]});
    let name = pod["metadata"]["name"].as_str().unwrap();
    set_status(
        &client,
        &format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}"),
        status,
    )
    .await;
}

fn doctor(kubeconfig: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command.args(["doctor", "-A", "--format", "json", "--kubeconfig"]);
    command.arg(kubeconfig).args(arguments);
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envtest"]
async fn a_thousand_clusters_take_few_requests_and_no_other_permissions() {
    let _exclusive = exclusive_within().await;
    let store = Store::open().unwrap();
    let programs = Programs::new(
        store.clone(),
        SourcePolicy::Auto,
        std::sync::Arc::new(Silent),
    );
    let etcd = programs.etcd().await.unwrap();
    let control_plane = ControlPlane::start(ControlPlaneOptions {
        etcd: &etcd,
        state: store.root(),
        helper: Path::new(env!("CARGO_BIN_EXE_kuberay-conformance")),
        progress: &Silent,
    });
    let control_plane = control_plane.await.unwrap();
    let server = programs.kubernetes("kube-apiserver").await.unwrap();
    let api = control_plane
        .api_server_with_roles(&server, "doctor")
        .await
        .unwrap();
    let release = RELEASE.parse().unwrap();
    let module = programs.operator_module(&release).await.unwrap();
    create_crds(&api.client, &module.join("config/crd/bases"), &release)
        .await
        .unwrap();
    let sender = Sender::new(api.client.clone());
    let rbac = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rbac/doctor.yaml"),
    );
    for object in serde_saphyr::from_multiple::<Value>(&rbac.unwrap()).unwrap() {
        sender.apply(&object).await.unwrap();
    }
    sender.create(&operator()).await.unwrap();
    let deployment = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/kuberay-operator");
    let available = json!({"replicas": 1, "availableReplicas": 1, "readyReplicas": 1});
    set_status(&api.client, &deployment, available).await;
    sender
        .create(&json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": NAMESPACE}, "stringData": {"password": CANARY}}))
        .await
        .unwrap();
    futures::stream::iter((0..NUMBER).map(|index| one(api.client.clone(), &sender, index)))
        .buffer_unordered(32)
        .collect::<Vec<()>>()
        .await;

    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, as_reader(&api.kubeconfig)).unwrap();
    let bundle = folder.path().join("bundle.json");
    let save = ["--save-bundle", bundle.to_str().unwrap()];
    let audit = Audit::begin(&api);
    let began = Instant::now();
    let live = doctor(&kubeconfig, &save);
    let took = began.elapsed();
    let seen = are_reads(&audit.requests());
    let said = String::from_utf8_lossy(&live.stderr).into_owned();
    assert_eq!(live.status.code(), Some(1), "{said}");
    let report: Value = serde_json::from_slice(&live.stdout).unwrap();
    assert_eq!(report["unread"], Value::Null, "{said}");
    let broken = |report: &Value| -> Vec<String> {
        let objects = report["objects"].as_array().unwrap();
        let broken = objects.iter().filter(|one| one["state"] == "broken");
        broken
            .map(|one| {
                assert_eq!(one["findings"][0]["cause"], "image-not-found", "{one:#}");
                one["name"].as_str().unwrap().to_owned()
            })
            .collect()
    };
    assert_eq!(report["objects"].as_array().unwrap().len(), NUMBER);
    assert_eq!(broken(&report).len(), BROKEN);
    let requests = report["requests"].as_u64().unwrap();
    println!(
        "{NUMBER} RayClusters: {requests} requests, {seen} as the API server counts them, {:.1} s",
        took.as_secs_f64()
    );
    assert!(requests < 100, "{requests} requests, {seen} seen");
    assert!(seen < 100, "{requests} requests, {seen} seen");
    // A debug build masks secrets and predicts Pods about ten times slower.
    let limit = Duration::from_secs(if is_optimised() { 10 } else { 60 });
    assert!(took < limit, "{took:?}");

    let saved = program()
        .args(["doctor", "--format", "json", "--bundle"])
        .arg(&bundle)
        .output()
        .unwrap();
    assert_eq!(saved.stdout, live.stdout, "the bundle gives other answers");
    assert_not_contains!(std::fs::read_to_string(&bundle).unwrap(), CANARY);

    // One permission less is one thing that is not read, and no failure.
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kuberay-doctor-cluster";
    let request = http::Request::delete(path).body(Vec::new()).unwrap();
    api.client.request::<Value>(request).await.unwrap();
    let less = doctor(&kubeconfig, &[]);
    assert_eq!(less.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&less.stdout).unwrap();
    let unread: Vec<&str> = report["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert!(unread.contains(&"nodes"), "{unread:?}");
    assert!(unread.contains(&"operators"), "{unread:?}");
    api.stop().await;
    control_plane.stop().await;
}
