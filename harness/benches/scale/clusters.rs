//! N `RayCluster`s at once, until the operator has made their Pods.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use kuberay_conformance::artifact::{Programs, SourcePolicy, Store};
use kuberay_conformance::operator::{Beside, BesideOptions, Sender, create_crds};
use kuberay_conformance::process::OWN_PROGRAM;
use kuberay_conformance::report::Silent;
use kuberay_conformance::scenario::OperatorSettings;
use kuberay_conformance::target::{ControlPlane, ControlPlaneOptions};
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Failed;
use super::usage::{OWN, Usage, as_f64};

pub const HEAD: &str = "| operator | RayClusters | taken in s | all heads after s | create to head p50, p99 s | heads a second | \
                        all workers after s | API server | etcd | operator | bench | requests for each |";

/// Requests of ours under way at once.
const AT_ONCE: usize = 64;
/// How long the slowest may take.
const WITHIN: Duration = Duration::from_mins(15);
const MIB: u64 = 1024 * 1024;

/// When the Pods of each namespace were first seen.
type Firsts = HashMap<String, First>;

#[derive(Default, Clone, Copy)]
struct First {
    head: Option<Instant>,
    worker: Option<Instant>,
}

pub async fn measure(
    name: &str,
    flags: &[&str],
    release: &Version,
    number: usize,
) -> Result<String, Failed> {
    let store = Store::open()?;
    let programs = Programs::new(store.clone(), SourcePolicy::Auto, Arc::new(Silent));
    let etcd = programs.etcd().await?;
    let control_plane = ControlPlane::start(ControlPlaneOptions {
        etcd: &etcd,
        state: store.root(),
        helper: Path::new(OWN_PROGRAM),
        progress: &Silent,
    })
    .await?;
    let server = programs.kubernetes("kube-apiserver").await?;
    let api = control_plane
        .api_server(&server, &release.to_string())
        .await?;
    let module = programs.operator_module(release).await?;
    create_crds(&api.client, &module.join("config/crd/bases"), release).await?;
    let program = programs.operator(release).await?;
    let operator = Beside::start(BesideOptions {
        release,
        program: &program,
        settings: &OperatorSettings::default(),
        kubeconfig: &api.kubeconfig,
        folder: &api.folder,
        helper: control_plane.helper(),
        first_end: control_plane.first_end(),
        flags,
    })?;
    let measured = tokio::select! {
        row = clusters(name, &api.client, number) => row,
        cause = control_plane.first_end().ended() => Err(cause.into()),
        () = tokio::time::sleep(WITHIN) => Err(format!("not every Pod was there within {WITHIN:?}").into()),
    };
    operator.stop().await;
    api.stop().await;
    control_plane.stop().await;
    measured
}

async fn clusters(name: &str, client: &Client, number: usize) -> Result<String, Failed> {
    let sender = Sender::new(client.clone());
    let mut firsts = watch_pods(client);
    // The first one shows that the operator is ready, and is not counted.
    create(client, &sender, "first").await?;
    let is_there = |first: &First| first.head.is_some() && first.worker.is_some();
    firsts
        .wait_for(|firsts| firsts.values().any(is_there))
        .await?;
    Usage::when_quiet(client).await?;
    let before = Usage::from_here(client).await?;

    let began = Instant::now();
    let one = async |index: usize| create(client, &sender, &format!("scale-{index}")).await;
    let sent: Vec<(String, Instant)> = futures::stream::iter((0..number).map(one))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let taken = began.elapsed();
    let all = |firsts: &Firsts| firsts.values().filter(|first| is_there(first)).count() > number;
    let firsts = firsts.wait_for(all).await?.clone();
    let after = Usage::when_quiet(client).await?;

    let seen = |of: fn(&First) -> Option<Instant>| -> Vec<Instant> {
        let seen = sent.iter().filter_map(|(name, _)| of(firsts.get(name)?));
        seen.collect()
    };
    let (heads, workers) = (seen(|first| first.head), seen(|first| first.worker));
    let mut waits: Vec<Duration> = sent
        .iter()
        .filter_map(|(name, sent)| Some(firsts.get(name)?.head?.duration_since(*sent)))
        .collect();
    waits.sort();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100].as_secs_f64();
    let since = |times: &[Instant]| {
        times
            .iter()
            .max()
            .map_or(Duration::ZERO, |last| *last - began)
            .as_secs_f64()
    };
    Ok(format!(
        "| {name} | {number} | {:.1} | {:.1} | {:.2}, {:.2} | {:.1} | {:.1} | {} | {} | {} | {} | {} |",
        taken.as_secs_f64(),
        since(&heads),
        at(50),
        at(99),
        as_f64(number) / since(&heads),
        since(&workers),
        after.told(&before, "kube-apiserver"),
        after.told(&before, "etcd"),
        after.told(&before, "manager"),
        after.told(&before, OWN),
        after.requests(&before, number),
    ))
}

/// Notes when each Pod was first seen, as a process that watches all of them sees it.
fn watch_pods(client: &Client) -> watch::Receiver<Firsts> {
    let (sender, receiver) = watch::channel(Firsts::new());
    let pods = watcher(Api::<Pod>::all(client.clone()), watcher::Config::default());
    tokio::spawn(async move {
        let mut pods = std::pin::pin!(pods.default_backoff().applied_objects());
        while let Some(pod) = pods.next().await {
            let Ok(pod) = pod else { continue };
            let now = Instant::now();
            sender.send_modify(|firsts| {
                let first = firsts
                    .entry(pod.namespace().unwrap_or_default())
                    .or_default();
                match pod.labels().get("ray.io/node-type").map(String::as_str) {
                    Some("head") => _ = first.head.get_or_insert(now),
                    Some("worker") => _ = first.worker.get_or_insert(now),
                    _ => {}
                }
            });
        }
    });
    receiver
}

/// Makes a namespace and in it a `RayCluster`; returns its name and when the `RayCluster` was sent.
async fn create(
    client: &Client,
    sender: &Sender,
    namespace: &str,
) -> Result<(String, Instant), Failed> {
    let object: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
    Api::all(client.clone())
        .create(&PostParams::default(), &object)
        .await?;
    let sent = Instant::now();
    sender.create(&cluster(namespace)).await?;
    Ok((namespace.to_owned(), sent))
}

/// A head with a command of the user's, as in scenarios/before-ray-start, and a worker group.
fn cluster(namespace: &str) -> Value {
    let resources = json!({"limits": {"cpu": "1", "memory": 2048 * MIB}, "requests": {"cpu": "500m", "memory": 1024 * MIB}});
    json!({
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "scale", "namespace": namespace},
        "spec": {
            "rayVersion": "2.52.0",
            "headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [{
                "name": "ray-head", "image": "rayproject/ray:2.52.0", "command": ["echo 123"], "args": ["456"],
                "resources": resources,
                "ports": [
                    {"name": "gcs-server", "containerPort": 6379},
                    {"name": "dashboard", "containerPort": 8265},
                    {"name": "client", "containerPort": 10001},
                ],
            }]}}},
            "workerGroupSpecs": [{
                "groupName": "small", "replicas": 1, "minReplicas": 0, "maxReplicas": 1, "rayStartParams": {},
                "template": {"spec": {"containers": [{
                    "name": "ray-worker", "image": "rayproject/ray:2.52.0", "resources": resources,
                }]}},
            }],
        },
    })
}
