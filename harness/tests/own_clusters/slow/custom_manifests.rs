//! An operator that the user brings: from the public Helm chart in a cluster that exists and has
//! none, from a kustomization there, and from the chart in the harness's own cluster. Only what the
//! run made goes at its end.
//!
//! They take a kind cluster of their own.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::{OWN_NAMESPACE, ObjectError, Sender};
use kuberay_conformance::report::{Plain, StatusLevel};
use serde_json::json;

use crate::support::cluster::{client, kubeconfig};
use crate::support::sandbox::text;
use crate::support::{exclusive_within, program};

const CLUSTER: &str = "kuberay-custom";
const CONTEXT: &str = "kind-kuberay-custom";
const SCENARIO: &str = "exit-ends";

/// Takes the cluster down, whatever the test found.
struct Up;

impl Drop for Up {
    fn drop(&mut self) {
        let down = program()
            .args(["cluster", "down", "--target", "kind", "--cluster", CLUSTER])
            .output();
        println!(
            "{}",
            down.map_or_else(|error| error.to_string(), |output| text(&output))
        );
    }
}

fn run(kubeconfig: &Path, output: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .args(["run", "--context", CONTEXT, "--kubeconfig"])
        .arg(kubeconfig);
    command
        .arg("--output")
        .arg(output)
        .args(arguments)
        .arg(SCENARIO);
    command.output().unwrap()
}

async fn crds(client: &Client) -> Vec<String> {
    let all = Api::<CustomResourceDefinition>::all(client.clone())
        .list(&ListParams::default())
        .await
        .unwrap();
    let of_ray = all.items.into_iter().map(|crd| crd.name_any());
    of_ray.filter(|name| name.ends_with("ray.io")).collect()
}

/// What `cluster up` has installed beside the operator goes, so that the cluster knows nothing of
/// Ray.
async fn without_operator(client: &Client) {
    let sender = Sender::new(client.clone());
    for (kind, version) in [
        ("ClusterRole", "rbac.authorization.k8s.io/v1"),
        ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ] {
        let object =
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "kuberay-operator"}});
        sender.delete(&object).await.unwrap();
    }
    for name in crds(client).await {
        let object = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}});
        sender.delete_and_wait(&object).await.unwrap();
    }
    let cluster = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "none", "namespace": "default"}});
    let refused = sender.create(&cluster).await.unwrap_err();
    assert!(
        matches!(refused, ObjectError::UnknownKind { .. }),
        "{refused}"
    );
}

async fn files(name: &str) -> PathBuf {
    let programs = Programs::new(
        Store::open().unwrap(),
        SourcePolicy::Build,
        Arc::new(Plain::new(std::io::stderr(), StatusLevel::All)),
    );
    match name {
        "chart" => programs
            .module("kuberay")
            .await
            .unwrap()
            .join("helm-chart/kuberay-operator"),
        _ => programs
            .operator_module(&"1.6.2".parse().unwrap())
            .await
            .unwrap()
            .join("config/default"),
    }
}

/// What others have made is here a role and CRDs without an operator.
async fn nothing_is_installed_beside_what_others_made(
    client: &Client,
    admin: &Path,
    output: &Path,
) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    deployments
        .delete("kuberay-operator", &DeleteParams::foreground())
        .await
        .unwrap();
    await_condition(
        deployments,
        "kuberay-operator",
        |found: Option<&Deployment>| found.is_none(),
    )
    .await
    .unwrap();
    let none = run(admin, output, &[]);
    assert!(
        text(&none).contains("no KubeRay operator is in the cluster"),
        "{}",
        text(&none)
    );
    let foreign = run(admin, output, &["--install-operator"]);
    assert_eq!(foreign.status.code(), Some(3), "{}", text(&foreign));
    assert!(
        text(&foreign).contains("CustomResourceDefinition rayclusters.ray.io"),
        "{}",
        text(&foreign)
    );
    assert!(
        namespaces.get_opt(OWN_NAMESPACE).await.unwrap().is_none(),
        "nothing was made"
    );
}

#[tokio::test]
#[ignore = "needs kind, takes minutes"]
async fn an_operator_is_installed_from_a_chart_or_a_kustomization_and_goes_with_the_run() {
    let _exclusive = exclusive_within().await;
    let folder = tempfile::tempdir().unwrap();
    let up = program()
        .args(["cluster", "up", "--cluster", CLUSTER, "--nodes", "1"])
        .output()
        .unwrap();
    let _up = Up;
    assert!(up.status.success(), "{}", text(&up));
    let admin = kubeconfig(CLUSTER);
    let client = client(&admin).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());

    nothing_is_installed_beside_what_others_made(&client, &admin, folder.path()).await;
    without_operator(&client).await;

    let (chart, kustomization) = (files("chart").await, files("kustomization").await);
    let values = folder.path().join("values.yaml");
    std::fs::write(
        &values,
        "resources: {requests: {cpu: 100m}}\nreconcileConcurrency: 2\n",
    )
    .unwrap();
    let with_chart = [
        "--install-operator",
        "--operator-chart",
        chart.to_str().unwrap(),
        "--operator-values",
        values.to_str().unwrap(),
    ];
    for arguments in [
        with_chart.as_slice(),
        &[
            "--install-operator",
            "--operator-kustomization",
            kustomization.to_str().unwrap(),
        ],
    ] {
        let done = run(&admin, folder.path(), arguments);
        assert!(done.status.success(), "{arguments:?}: {}", text(&done));
        assert!(
            text(&done).contains(&format!(
                "installs KubeRay 1.6.2 in the namespace {OWN_NAMESPACE}"
            )),
            "{}",
            text(&done)
        );
        assert!(
            namespaces.get_opt(OWN_NAMESPACE).await.unwrap().is_none(),
            "it goes with the run"
        );
        assert_eq!(crds(&client).await, Vec::<String>::new());
    }

    // Kept, it is used by the next run, and goes with `cluster down`.
    let kept = run(
        &admin,
        folder.path(),
        &[with_chart.as_slice(), &["--keep"]].concat(),
    );
    assert!(kept.status.success(), "{}", text(&kept));
    let used = run(&admin, folder.path(), &[]);
    assert!(
        text(&used).contains(&format!(
            "uses the operator {OWN_NAMESPACE}/kuberay-operator: KubeRay 1.6.2"
        )),
        "{}",
        text(&used)
    );
    let mut down = program();
    down.args(["cluster", "down", "--context", CONTEXT, "--kubeconfig"])
        .arg(&admin);
    let down = down.output().unwrap();
    assert!(down.status.success(), "{}", text(&down));
    assert!(
        text(&down).contains("removed the namespace"),
        "{}",
        text(&down)
    );
    assert_eq!(crds(&client).await, Vec::<String>::new());

    // In the harness's own cluster the chart replaces the release's manifests.
    let mut own = program();
    own.args([
        "run",
        "--target",
        "kind",
        "--keep",
        "--cluster",
        CLUSTER,
        "--output",
    ])
    .arg(folder.path());
    own.args(&with_chart[1..]).arg(SCENARIO);
    let own = own.output().unwrap();
    assert!(own.status.success(), "{}", text(&own));
    let deployments: Api<Deployment> = Api::all(client.clone());
    let all = deployments
        .list(&ListParams::default())
        .await
        .unwrap()
        .items;
    let of_chart = all.iter().filter(|one| {
        one.labels()
            .get("helm.sh/chart")
            .is_some_and(|chart| chart.starts_with("kuberay-operator-"))
    });
    assert_eq!(of_chart.count(), 1);
}
