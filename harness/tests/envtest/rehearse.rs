//! `rehearse` on the objects of a cluster that it may only read, with planted cases of every class:
//! all are found, and none is invented.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use assertables::assert_not_contains;
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::{Sender, create_crds};
use kuberay_conformance::report::Silent;
use kuberay_conformance::target::{ApiServer, ControlPlane, ControlPlaneOptions};
use serde_json::{Value, json};

use crate::support::audit::{Audit, are_reads};
use crate::support::reader::as_reader;
use crate::support::{exclusive_within, program};

/// The operator of the user's cluster.
const FROM: &str = "1.3.2";
/// The first step drops a field and changes every generated command; the second refuses, recreates
/// and changes texts only.
const STEPS: &str = "1.5.2,1.6.2";
const CANARY: &str = "c4n4ry-of-a-rehearsal";

fn container(name: &str) -> Value {
    json!({"name": name, "image": "rayproject/ray:2.52.0",
        "resources": {"limits": {"cpu": "1", "memory": "2Gi"}}})
}

fn spec() -> Value {
    let mut head = container("ray-head");
    head["args"] = json!(["echo hello"]);
    head["env"] = json!([{"name": "DB_PASSWORD", "value": CANARY}]);
    json!({"rayVersion": "2.52.0",
        "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [head]}}},
        "workerGroupSpecs": [{"groupName": "cpu", "replicas": 3, "minReplicas": 1, "maxReplicas": 5,
            "rayStartParams": {}, "template": {"spec": {"containers": [container("ray-worker")]}}}]})
}

pub fn cluster(name: &str) -> Value {
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": name, "namespace": "team"}, "spec": spec()})
}

/// One object of each class, and some that look alike but are none.
fn fleet() -> Vec<Value> {
    let mut bounds = cluster("bounds");
    bounds["spec"]["workerGroupSpecs"][0]["minReplicas"] = json!(6);
    let mut hosts = cluster("hosts");
    hosts["spec"]["workerGroupSpecs"][0]["numOfHosts"] = json!(2);
    let mut own = cluster("own");
    own["metadata"]["annotations"] = json!({"ray.io/overwrite-container-cmd": "true"});
    let mut off = cluster("off");
    off["spec"]["suspend"] = true.into();
    let mut priority = cluster("priority");
    priority["spec"]["headGroupSpec"]["template"]["spec"]["priorityClassName"] = "high".into();
    let job = |name: &str| {
        json!({"apiVersion": "ray.io/v1", "kind": "RayJob",
            "metadata": {"name": name, "namespace": "jobs"},
            "spec": {"entrypoint": "python a.py", "rayClusterSpec": spec()}})
    };
    let mut delete = job("delete");
    delete["spec"]["deletionPolicy"] = "DeleteCluster".into();
    let service = json!({"apiVersion": "ray.io/v1", "kind": "RayService",
        "metadata": {"name": "serve", "namespace": "team"},
        "spec": {"serveConfigV2": "applications: []\n", "rayClusterConfig": spec()}});
    vec![
        cluster("plain"),
        bounds,
        hosts,
        own,
        off,
        priority,
        job("job"),
        delete,
        service,
    ]
}

fn operator() -> Value {
    let labels = json!({"app.kubernetes.io/name": "kuberay-operator"});
    let container = json!({"name": "operator", "image": format!("quay.io/kuberay/operator:v{FROM}"),
        "args": ["--feature-gates=RayJobDeletionPolicy=true"]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "kuberay-operator", "namespace": "default", "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [container]}}}})
}

/// The versions of all Ray objects: they change with every write.
async fn versions(api: &ApiServer) -> Vec<String> {
    let mut all = Vec::new();
    for plural in ["rayclusters", "rayjobs", "rayservices"] {
        let request = http::Request::get(format!("/apis/ray.io/v1/{plural}")).body(Vec::new());
        let list = api.client.request::<Value>(request.unwrap()).await.unwrap();
        all.extend(
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["metadata"].to_string()),
        );
    }
    all
}

fn rehearse(arguments: &[&str]) -> Output {
    program().arg("rehearse").args(arguments).output().unwrap()
}

pub fn document(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {error}"))
}

/// The verdict of each object of a step.
pub fn verdicts(step: &Value) -> BTreeMap<&str, &str> {
    let objects = step["objects"].as_array().unwrap().iter();
    objects
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["verdict"].as_str().unwrap(),
            )
        })
        .collect()
}

fn judge(report: &Value) {
    let steps = report["steps"].as_array().unwrap();
    for step in steps {
        assert_eq!(
            step["model"],
            Value::Null,
            "the model is wrong: {:#}",
            step["model"]
        );
    }
    let first = verdicts(&steps[0]);
    let expected = BTreeMap::from([
        ("bounds", "changed"),
        ("delete", "dropped"),
        ("hosts", "changed"),
        ("job", "changed"),
        ("off", "unchanged"),
        ("own", "changed"),
        ("plain", "changed"),
        ("priority", "changed"),
        ("serve", "changed"),
    ]);
    assert_eq!(first, expected, "{:#}", steps[0]);
    let second = verdicts(&steps[1]);
    let expected = BTreeMap::from([
        ("bounds", "refused"),
        ("delete", "cosmetic"),
        ("hosts", "at-once"),
        ("job", "cosmetic"),
        ("off", "unchanged"),
        ("own", "cosmetic"),
        ("plain", "cosmetic"),
        ("priority", "cosmetic"),
        ("serve", "cosmetic"),
    ]);
    assert_eq!(second, expected, "{:#}", steps[1]);
    let object = |step: usize, name: &str| {
        let objects = steps[step]["objects"].as_array().unwrap();
        objects
            .iter()
            .find(|one| one["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        object(0, "delete")["dropped"],
        json!(["spec.deletionPolicy"])
    );
    let plain = object(0, "plain");
    let shell = plain["changes"].as_array().unwrap().iter();
    let mut shell = shell.filter(|one| one["subject"] == "options of the shell");
    assert_eq!(shell.next().unwrap()["rule"], "C09", "{plain:#}");
    let refusal = object(1, "bounds")["refusals"][0]["message"].to_string();
    assert!(
        refusal.contains("minReplicas 6 greater than maxReplicas 5"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envtest"]
async fn every_class_is_found_with_read_only_credentials_and_none_is_invented() {
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
        .api_server_with_roles(&server, "user")
        .await
        .unwrap();
    let release = FROM.parse().unwrap();
    let module = programs.operator_module(&release).await.unwrap();
    let crds = module.join("config/crd/bases");
    create_crds(&api.client, &crds, &release).await.unwrap();
    let sender = Sender::new(api.client.clone());
    let rbac = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rbac/doctor.yaml");
    let rbac = std::fs::read_to_string(rbac).unwrap();
    for object in serde_saphyr::from_multiple::<Value>(&rbac).unwrap() {
        sender.apply(&object).await.unwrap();
    }
    for name in ["team", "jobs"] {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        sender.apply(&namespace).await.unwrap();
    }
    sender.create(&operator()).await.unwrap();
    for object in fleet() {
        sender.create(&object).await.unwrap();
    }
    let before = versions(&api).await;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("kubeconfig"), as_reader(&api.kubeconfig)).unwrap();
    let kubeconfig = path("kubeconfig").display().to_string();
    let bundle = path("bundle.json").display().to_string();
    let arguments = [
        "--to",
        STEPS,
        "-A",
        "--kubeconfig",
        &kubeconfig,
        "--format",
        "json",
    ];
    let audit = Audit::begin(&api);
    let live = tokio::task::spawn_blocking({
        let arguments = arguments.map(str::to_owned);
        move || rehearse(&arguments.each_ref().map(String::as_str))
    });
    let live = live.await.unwrap();
    let read = are_reads(&audit.requests());
    let mut report = document(&live);
    assert!(read > 5, "{read} requests");
    assert_eq!(live.status.code(), Some(1), "{report:#}");
    assert_eq!(&report["from"], &json!(FROM));
    assert_eq!(&report["origin"], &json!("cluster"));
    assert_eq!(
        report["settings"]["featureGates.RayJobDeletionPolicy"],
        "true"
    );
    judge(&report);
    assert_not_contains!(String::from_utf8_lossy(&live.stdout), CANARY);
    assert_eq!(
        versions(&api).await,
        before,
        "the user's cluster was written to"
    );

    let saved = program()
        .args([
            "doctor",
            "-A",
            "--kubeconfig",
            &kubeconfig,
            "--save-bundle",
            &bundle,
        ])
        .output()
        .unwrap();
    assert!(
        Path::new(&bundle).is_file(),
        "{}",
        String::from_utf8_lossy(&saved.stderr)
    );
    api.stop().await;
    control_plane.stop().await;

    // Elsewhere, with the definitions forgotten: what only they do does not happen.
    let kept = rehearse(&[
        "--to",
        "1.5.2",
        "--keep-crds",
        "--bundle",
        &bundle,
        "--format",
        "json",
    ]);
    let of_cluster = report["steps"][0].take();
    let report = document(&kept);
    assert_eq!(kept.status.code(), Some(1));
    assert_eq!(&report["keptCrds"], &json!(true));
    // The bundle gives the same answers as the cluster but for that.
    let mut expected = verdicts(&of_cluster);
    expected.insert("delete", "changed");
    assert_eq!(verdicts(&report["steps"][0]), expected);
    assert_eq!(
        report["steps"][0]["totals"]["dropped"], 0,
        "{:#}",
        report["steps"][0]
    );
}

#[test]
#[ignore = "needs envtest"]
fn an_upgrade_that_changes_nothing_ends_with_0() {
    let _exclusive = crate::support::exclusive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects.json");
    std::fs::write(&path, cluster("plain").to_string()).unwrap();
    let path = path.to_str().unwrap();
    let output = rehearse(&["--from", "1.6.1", "--to", "1.6.2", "--objects", path]);
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}{error}");
    assert!(
        text.starts_with("KubeRay 1.6.1 → 1.6.2: nothing to do\n"),
        "{text}"
    );
}
