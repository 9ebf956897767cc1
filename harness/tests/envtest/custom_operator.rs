//! Tests an own build of the operator: which command the heads of RayClusters get from it.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kuberay_conformance_engine::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance_engine::progress::Silent;
use kuberay_conformance_engine::provider::{
    Envtest, EnvtestSpec, OperatorProgram, ReleaseSpec, Target,
};
use rstest::{fixture, rstest};
use semver::Version;
use serde_json::{Value, json};
use tokio::time::timeout;

/// The release on which the own build is based.
const RELEASE: Version = Version::new(1, 6, 2);

/// The own build; here the release itself, from the store.
#[fixture]
async fn operator() -> PathBuf {
    let programs = Programs::new(Store::open().unwrap(), SourcePolicy::Auto, Arc::new(Silent));
    programs.operator(&RELEASE).await.unwrap()
}

#[rstest]
#[case::no_args("plain", json!([]), "ulimit -n 65536; ray start --head")]
#[case::args("greets", json!(["echo hello"]), "echo hello  && ulimit -n 65536; ray start --head")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envtest"]
async fn heads_run(
    #[future(awt)] operator: PathBuf,
    #[case] name: &str,
    #[case] args: Value,
    #[case] expected: &str,
) {
    let spec = EnvtestSpec {
        operator: Some(OperatorProgram {
            program: operator,
            crds: None,
        }),
        supervisor: Some(env!("CARGO_BIN_EXE_kuberay-conformance").into()),
        ..EnvtestSpec::default()
    };
    let releases = ReleaseSpec::new(RELEASE, Version::new(2, 52, 0));
    let envtest = Envtest::find_or_start(&releases, &spec, Arc::new(Silent), "a test")
        .await
        .unwrap();
    let target = envtest.releases()[0].target(&releases.ray).await.unwrap();

    let head = head_of(&target, name, &args).await;
    let container = &head.spec.unwrap().containers[0];
    let command = container.args.as_ref().unwrap().join(" ");
    assert!(command.trim_start().starts_with(expected), "{command}");
    envtest.stop().await;
}

/// Creates a RayCluster and waits for the Pod of its head.
async fn head_of(target: &Target, name: &str, args: &Value) -> Pod {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("ray.io", "v1", "RayCluster"));
    let container = json!({"name": "ray-head", "image": "rayproject/ray:2.52.0", "args": args});
    let cluster = json!({
        "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": name},
        "spec": {"headGroupSpec": {"template": {"spec": {"containers": [container]}}}},
    });
    let clusters = Api::<DynamicObject>::namespaced_with(target.client.clone(), "default", &kind);
    let cluster = serde_json::from_value(cluster).unwrap();
    clusters
        .create(&PostParams::default(), &cluster)
        .await
        .unwrap();

    let heads = format!("ray.io/cluster={name},ray.io/node-type=head");
    let pods = Api::namespaced(target.client.clone(), "default");
    let heads = watcher(pods, watcher::Config::default().labels(&heads)).applied_objects();
    let head = timeout(Duration::from_mins(1), pin!(heads).try_next()).await;
    head.expect("the operator creates the head within a minute")
        .unwrap()
        .unwrap()
}
