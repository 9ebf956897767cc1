//! Three ways to give a new node Ray's image, in turn in one run: our registry, `kind load`, and
//! unpacked beforehand.
//!
//! `cargo bench --profile dev --bench feeding` (the programs that are timed are not ours, so our
//! own profile does not matter). It makes clusters of its own and removes them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kuberay_conformance::artifact::{Artifacts, Image, SourcePolicy, Store};
use kuberay_conformance::container::Engine;
use kuberay_conformance::process;
use kuberay_conformance::report::{Origin, Silent};
use kuberay_conformance::target::{ClusterHandle, KindCluster, Patience, Unpack, UpOptions};

const CLUSTER: &str = "kuberay-conformance-feeding";
const ROUNDS: usize = 3;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let store = Store::open()?;
    let engine = Engine::detect(None, store.root()).await?;
    let artifacts = Artifacts::new(
        engine.clone(),
        store.clone(),
        SourcePolicy::Auto,
        Arc::new(Silent),
    );
    let cluster = KindCluster::new(engine.clone(), CLUSTER, store.root(), Arc::new(Silent))?;
    cluster.down(Patience::Fail).await?;
    let (kind, node) = (artifacts.kind().await?, artifacts.node_image().await?);
    let registry = artifacts.registry_image().await?;
    let ray = artifacts.ray_image(&artifacts.pins().defaults.ray).await?;
    // An empty one of our own, so that the first push sends everything.
    let data = tempfile::tempdir()?;
    let unpacked = tempfile::tempdir_in(store.root())?;
    let unpacked_store = Store::at(unpacked.path())?;
    let images = [&ray];
    let options = |unpacked: bool| UpOptions {
        kind: &kind,
        node_image: &node,
        registry_image: Some(&registry),
        registry_data: data.path(),
        unpacked: unpacked.then_some(Unpack {
            store: &unpacked_store,
            images: &images,
        }),
        workers: 0,
        least_workers: 0,
        audit: false,
        upstream: node.record.origin == Origin::Pulled,
        patience: Patience::Fail,
        deadline: Duration::from_mins(5),
        helper: Some(Path::new(env!("CARGO_BIN_EXE_kuberay-conformance"))),
        purpose: "bench",
        keep: true,
    };
    println!(
        "image: {} ({} MB as an archive)",
        ray.public_name,
        ray.archive
            .as_deref()
            .map_or(Ok(0), |path| path.metadata().map(|found| found.len()))?
            / 1_000_000
    );
    let handle = cluster.up(&options(false)).await?;
    let push = timed(async { Ok(handle.push(&ray).await.map(|_| ())?) }).await?;
    println!("registry: first push, once for each image on a machine  {push:6.1} s");
    let again = timed(async { Ok(handle.push(&ray).await.map(|_| ())?) }).await?;
    println!("registry: push of an image that it has                  {again:6.1} s");
    drop(handle);
    cluster.down(Patience::Fail).await?;
    let first = timed(async { Ok(cluster.up(&options(true)).await.map(|_| ())?) }).await?;
    println!(
        "unpacked: a cluster and the unpacking, once for each image on a machine  {first:6.1} s"
    );
    cluster.down(Patience::Fail).await?;
    for round in 1..=ROUNDS {
        let mut seconds = Vec::new();
        for way in [Way::Pulled, Way::Loaded, Way::Unpacked] {
            let started = Instant::now();
            let handle = cluster.up(&options(way == Way::Unpacked)).await?;
            match way {
                Way::Pulled => pull(&engine, &handle, &ray).await?,
                Way::Loaded => handle.load(&kind, &ray).await?,
                Way::Unpacked => {}
            }
            // What a container would be made of.
            let image = name(way, &ray);
            let there = [
                "ctr", "-n", "k8s.io", "images", "mount", "--rw", image, "/mnt",
            ];
            inside(&engine, &handle.nodes[0], &there).await?;
            seconds.push(started.elapsed().as_secs_f64());
            drop(handle);
            cluster.down(Patience::Fail).await?;
        }
        println!(
            "round {round}, a cluster of one node until it could start the image: pull from the registry {:6.1} s, kind load {:6.1} s, unpacked \
             beforehand {:6.1} s",
            seconds[0], seconds[1], seconds[2]
        );
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Pulled,
    Loaded,
    Unpacked,
}

/// kind loads an archive under the name that it has there.
fn name(way: Way, image: &Image) -> &str {
    if way == Way::Loaded {
        &image.local_name
    } else {
        &image.public_name
    }
}

async fn pull(engine: &Engine, handle: &ClusterHandle, image: &Image) -> Result<(), Failed> {
    let hosts = [
        "ctr",
        "-n",
        "k8s.io",
        "images",
        "pull",
        "--hosts-dir",
        "/etc/containerd/certs.d",
    ];
    inside(
        engine,
        &handle.nodes[0],
        &[&hosts[..], &[&image.public_name]].concat(),
    )
    .await
}

async fn inside(engine: &Engine, node: &str, arguments: &[&str]) -> Result<(), Failed> {
    let mut exec = engine.command();
    exec.args(["exec", node]).args(arguments);
    process::output(
        exec,
        &format!("running {} in {node}", arguments[0]),
        process::TRANSFER,
    )
    .await?;
    Ok(())
}

async fn timed(work: impl Future<Output = Result<(), Failed>>) -> Result<f64, Failed> {
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed().as_secs_f64())
}
