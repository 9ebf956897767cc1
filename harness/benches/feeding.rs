//! Two ways to give the nodes Ray's image, in one run on one cluster: our registry, and `kind load`.
//!
//! `cargo bench --profile dev --bench feeding` (the programs that are timed are not ours, so our own profile does not
//! matter). It makes a cluster of its own and removes it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::{Artifacts, Image, Source, Store};
use kuberay_conformance::cluster::{ClusterHandle, Engine, KindCluster, Patience, UpOptions};
use kuberay_conformance::process;
use kuberay_conformance::report::{Origin, Silent};

const CLUSTER: &str = "kuberay-conformance-feeding";
const ROUNDS: usize = 3;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let store = Store::open()?;
    let engine = Engine::detect(None, store.root()).await?;
    let artifacts = Artifacts::new(engine.clone(), store.clone(), Source::Auto, Arc::new(Silent));
    let cluster = KindCluster::new(engine.clone(), CLUSTER, store.root(), Arc::new(Silent))?;
    cluster.down(Patience::Fail).await?;
    let (kind, node) = (artifacts.kind().await?, artifacts.node_image().await?);
    let registry = artifacts.registry_image().await?;
    let ray = artifacts.ray_image(&artifacts.pins().defaults.ray).await?;
    // An empty one of our own, so that the first push sends everything.
    let data = tempfile::tempdir()?;
    let options = UpOptions {
        kind: &kind,
        node_image: &node,
        registry_image: Some(&registry),
        registry_data: data.path(),
        unpacked: None,
        workers: 0,
        least_workers: 0,
        audit: false,
        upstream: node.record.origin == Origin::Pulled,
        patience: Patience::Fail,
        deadline: Duration::from_mins(5),
        helper: Some(Path::new(env!("CARGO_BIN_EXE_kuberay-conformance"))),
        purpose: "bench",
    };
    let handle = cluster.up(&options).await?;
    let measured = measure(&engine, &handle, &kind, &ray).await;
    drop(handle);
    cluster.down(Patience::Fail).await?;
    measured
}

async fn measure(engine: &Engine, handle: &ClusterHandle, kind: &Path, ray: &Image) -> Result<(), Failed> {
    let node = &handle.nodes[0];
    println!(
        "image: {} ({} MB as an archive)",
        ray.public_name,
        ray.archive.metadata()?.len() / 1_000_000
    );
    let push = timed(async { Ok(handle.push(ray).await.map(|_| ())?) }).await?;
    println!("registry: first push, once for each image on a machine  {push:6.1} s");
    let again = timed(async { Ok(handle.push(ray).await.map(|_| ())?) }).await?;
    println!("registry: push of an image that it has                  {again:6.1} s");
    let first = names(engine, node).await?;
    for round in 1..=ROUNDS {
        let hosts = [
            "ctr",
            "-n",
            "k8s.io",
            "images",
            "pull",
            "--hosts-dir",
            "/etc/containerd/certs.d",
        ];
        let pull = timed(inside(engine, node, &[&hosts[..], &[&ray.public_name]].concat())).await?;
        forget(engine, node, &first).await?;
        let load = timed(async { Ok(handle.load(kind, ray).await?) }).await?;
        forget(engine, node, &first).await?;
        println!(
            "round {round}, for each new node: pull from the registry {pull:6.1} s, kind load {load:6.1} s, ratio {:.2}",
            load / pull
        );
    }
    Ok(())
}

/// Removes every name that was not there at first (containerd adds some of its own), and with them the layers.
async fn forget(engine: &Engine, node: &str, first: &[String]) -> Result<(), Failed> {
    for name in names(engine, node).await? {
        if !first.contains(&name) {
            inside(engine, node, &["ctr", "-n", "k8s.io", "images", "rm", "--sync", &name]).await?;
        }
    }
    Ok(())
}

async fn names(engine: &Engine, node: &str) -> Result<Vec<String>, Failed> {
    let text = inside_text(engine, node, &["ctr", "-n", "k8s.io", "images", "ls", "-q"]).await?;
    Ok(text.lines().map(str::to_owned).collect())
}

async fn inside(engine: &Engine, node: &str, arguments: &[&str]) -> Result<(), Failed> {
    inside_text(engine, node, arguments).await.map(|_| ())
}

async fn inside_text(engine: &Engine, node: &str, arguments: &[&str]) -> Result<String, Failed> {
    let mut exec = engine.command();
    exec.args(["exec", node]).args(arguments);
    Ok(process::output(exec, &format!("running {} in {node}", arguments[0])).await?)
}

async fn timed(work: impl Future<Output = Result<(), Failed>>) -> Result<f64, Failed> {
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed().as_secs_f64())
}
