//! `check --context` and `explain --context` with the permissions of `fixtures/rbac/doctor.yaml`
//! and no others: they read the operator's settings, and write nothing.
//!
//! It uses an API server of its own, which authorizes requests by roles (RBAC).

use std::path::Path;
use std::process::Output;

use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::{Sender, create_crds};
use kuberay_conformance::report::Silent;
use kuberay_conformance::target::{ControlPlane, ControlPlaneOptions};
use serde_json::{Value, json};

use crate::support::reader::as_reader;
use crate::support::{exclusive_within, program};

const RELEASE: &str = "1.7.0";
const CRDS: &str = "1.6.2";
/// A namespace that every API server has.
const TEAM: &str = "kube-public";

fn cluster(namespace: &str, name: &str, args: &[&str]) -> Value {
    let container = json!({"name": "ray-head", "image": "rayproject/ray:2.52.0", "args": args,
        "resources": {"limits": {"cpu": "1"}}});
    json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"headGroupSpec": {"rayStartParams": {},
            "template": {"spec": {"containers": [container]}}}}})
}

fn operator() -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": "kuberay-operator"});
    let container = json!({"name": "operator", "image": format!("quay.io/kuberay/operator:v{RELEASE}"),
        "args": ["--config=/etc/config.yaml", "--feature-gates=RayCronJob=true"],
        "env": [{"name": "CLUSTER_DOMAIN", "value": "example.internal"}]});
    let file = "apiVersion: config.ray.io/v1alpha1\nkind: Configuration\n\
                defaultContainerEnvs: [{name: FROM_THE_FILE, value: yes-it-is}]\n";
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "default"}, "data": {"config.yaml": file}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "kuberay-operator", "namespace": "default", "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [container],
                    "volumes": [{"name": "c", "configMap": {"name": "settings"}}]}}}}),
    ]
}

fn run(kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = program();
    command.args(arguments).arg("--kubeconfig").arg(kubeconfig);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let document = serde_json::from_slice(&stdout).unwrap_or_default();
    (
        status.code(),
        document,
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envtest"]
async fn a_cluster_is_checked_and_explained_with_the_settings_of_its_operator() {
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
        .api_server_with_roles(&server, "context")
        .await
        .unwrap();
    // The definitions of an older release have what the test needs.
    let release = CRDS.parse().unwrap();
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
    for object in operator() {
        sender.create(&object).await.unwrap();
    }
    sender
        .create(&cluster("default", "bad", &["prepare &"]))
        .await
        .unwrap();
    sender.create(&cluster(TEAM, "good", &[])).await.unwrap();
    let mut made = cluster(TEAM, "made", &["prepare &"]);
    made["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "ray.io/v1", "kind": "RayJob", "name": "j", "uid": "u"}]);
    sender.create(&made).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, as_reader(&api.kubeconfig)).unwrap();
    let config: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(&kubeconfig).unwrap()).unwrap();
    let context = config["current-context"].as_str().unwrap().to_owned();

    let check = ["check", "--format", "json", "--context", &context];
    let (code, report, said) = run(&kubeconfig, &[&check[..], &["-A"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("KubeRay {RELEASE} (default/kuberay-operator)")),
        "{said}"
    );
    assert_eq!(report["objects"], 2, "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["id"], "trailing-ampersand");
    assert_eq!(findings[0]["file"], "default/raycluster/bad");

    let (code, report, said) = run(&kubeconfig, &[&check[..], &["-n", TEAM]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(&report["objects"], &json!(1), "{said}");

    let explain = [
        "explain",
        "--format",
        "json",
        "--context",
        &context,
        "-n",
        TEAM,
    ];
    let (code, explanation, said) = run(&kubeconfig, &explain);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(explanation["operators"][0]["release"], RELEASE);
    let head = &explanation["containers"][0];
    let text = head.to_string();
    // The configuration file is read, and an unset namespace is none.
    assert!(text.contains("FROM_THE_FILE"), "{text}");

    let (code, _, said) = run(&kubeconfig, &[&check[..], &["-n", "kube-system"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("contains no RayCluster"), "{said}");
    let (code, _, said) = run(&kubeconfig, &["check", "--context", "no-such-context"]);
    assert_eq!(code, Some(3), "{said}");
    api.stop().await;
    control_plane.stop().await;
}
