//! The kind provider on a real engine, in clusters of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use kuberay_conformance::artifact::{Artifacts, Image, SourcePolicy, Store};
use kuberay_conformance::container::Engine;
use kuberay_conformance::process;
use kuberay_conformance::report::{Outcome, Progress, Silent};
use kuberay_conformance::target::{
    ClusterError, KindCluster, Patience, Removed, Status, Unpack, UpOptions,
};
use serde_json::json;

use crate::support::exclusive_within;

const NAME: &str = "kuberay-conformance-test";

/// Prints each step with the time since the start.
struct Steps(Instant);

impl Progress for Steps {
    fn update(&self, task: &str, message: &str) {
        println!("{:7.2} s {task}: {message}", self.0.elapsed().as_secs_f64());
    }
    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        self.update(task, &format!("{outcome:?}: {message}"));
    }
    fn line(&self, text: &str) {
        println!("{:7.2} s {text}", self.0.elapsed().as_secs_f64());
    }
}

struct Setup {
    artifacts: Artifacts,
    engine: Engine,
    kind: PathBuf,
    node: Image,
    registry: Image,
    folder: PathBuf,
    started: Instant,
}

impl Setup {
    async fn new(folder: &Path) -> Self {
        let store = Store::open().unwrap();
        let engine = Engine::detect(None, store.root()).await.unwrap();
        let artifacts = Artifacts::new(engine.clone(), store, SourcePolicy::Auto, Arc::new(Silent));
        Self {
            kind: artifacts.kind().await.unwrap(),
            node: artifacts.node_image().await.unwrap(),
            registry: artifacts.registry_image().await.unwrap(),
            artifacts,
            engine,
            folder: folder.to_owned(),
            started: Instant::now(),
        }
    }

    fn cluster(&self, name: &str) -> KindCluster {
        KindCluster::new(
            self.engine.clone(),
            name,
            &self.folder,
            Arc::new(Steps(self.started)),
        )
        .unwrap()
    }

    fn options<'a>(&'a self, data: &'a Path, workers: u32) -> UpOptions<'a> {
        UpOptions {
            kind: &self.kind,
            node_image: &self.node,
            registry_image: Some(&self.registry),
            registry_data: data,
            unpacked: None,
            workers,
            least_workers: workers,
            audit: false,
            upstream: false,
            patience: Patience::Fail,
            deadline: Duration::from_mins(2),
            helper: Some(Path::new(env!("CARGO_BIN_EXE_kuberay-conformance"))),
            purpose: "cluster test",
            keep: true,
        }
    }

    /// Everything that the engine has with our test's name in it.
    async fn leftovers(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for arguments in [
            ["ps", "--all", "--format", "{{.Names}}"],
            ["network", "ls", "--format", "{{.Name}}"],
            ["volume", "ls", "--format", "{{.Name}} {{.Labels}}"],
        ] {
            let mut list = self.engine.command();
            list.args(arguments);
            let names = process::output(list, "looking for leftovers", process::TRANSFER)
                .await
                .unwrap();
            found.extend(
                names
                    .lines()
                    .filter(|line| line.contains(name))
                    .map(str::to_owned),
            );
        }
        found
    }
}

/// Kept when a test fails, so that the next can remove what it left.
fn state_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn succeeded() -> impl Condition<Pod> {
    |pod: Option<&Pod>| {
        let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref().map(str::to_owned));
        matches!(phase.as_deref(), Some("Succeeded" | "Failed"))
    }
}

async fn run_pod(client: &kube::Client, image: &str, node: &str) -> Duration {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "probe"},
        "spec": {
            "restartPolicy": "Never",
            "nodeName": node,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "probe", "image": image, "command": ["python3", "-c", "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"]}],
        },
    }))
    .unwrap();
    let started = Instant::now();
    // The service account of a new namespace comes a moment after it.
    while pods.create(&PostParams::default(), &pod).await.is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "the Pod can't be created"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let done = tokio::time::timeout(
        Duration::from_mins(2),
        await_condition(pods.clone(), "probe", succeeded()),
    )
    .await;
    let last = pods.get("probe").await.unwrap();
    assert!(done.is_ok(), "{:?}", last.status);
    assert_eq!(last.status.unwrap().phase.as_deref(), Some("Succeeded"));
    pods.delete("probe", &DeleteParams::default().grace_period(0))
        .await
        .unwrap();
    let taken = started.elapsed();
    await_condition(pods, "probe", |pod: Option<&Pod>| pod.is_none())
        .await
        .unwrap();
    taken
}

#[tokio::test]
#[ignore = "needs kind, takes minutes"]
async fn a_cluster_comes_up_is_fed_used_again_and_removed() {
    let _exclusive = exclusive_within().await;
    let folder = &state_folder(NAME);
    let data = folder.join("registry");
    let setup = Setup::new(folder).await;
    let user_kubeconfig =
        std::env::home_dir().map(|home| std::fs::read(home.join(".kube/config")).ok());
    let cluster = setup.cluster(NAME);
    cluster
        .down(Patience::Fail)
        .await
        .expect("what an earlier test left is removed");
    let _ = std::fs::remove_dir_all(&data);
    let _ = std::fs::remove_file(folder.join("ray.tar"));
    assert_eq!(cluster.status().await.unwrap(), Status::Down);

    let handle = cluster.up(&setup.options(&data, 1)).await.unwrap();
    println!("phases: {:?}", handle.phases);
    assert!(!handle.reused);
    assert_eq!(
        handle.nodes,
        [format!("{NAME}-control-plane"), format!("{NAME}-worker")]
    );
    let Status::Up {
        kubernetes, users, ..
    } = cluster.status().await.unwrap()
    else {
        panic!("not up")
    };
    assert_eq!(kubernetes, handle.kubernetes);
    assert_eq!(users.len(), 1);

    let started = Instant::now();
    let release = setup.artifacts.pins().defaults.ray.clone();
    let mut ray = setup.artifacts.ray_image(&release).await.unwrap();
    let pushed = ray.clone();
    // Where the engine writes it for kind.
    let archive = folder.join("ray.tar");
    ray.archive = Some(archive.clone());
    assert!(handle.push(&ray).await.unwrap(), "pushed the first time");
    println!("push: {:?}", started.elapsed());
    let started = Instant::now();
    assert!(!handle.push(&ray).await.unwrap(), "not pushed again");
    println!("push again: {:?}", started.elapsed());
    let client = handle.client().await.unwrap();
    for node in &handle.nodes {
        println!(
            "first Pod on {node}: {:?}",
            run_pod(&client, &ray.public_name, node).await
        );
    }

    let started = Instant::now();
    let mut save = setup.engine.command();
    ray.public_name = "docker.io/rayproject/ray:loaded".into();
    let mut tag = setup.engine.command();
    tag.args(["tag", &ray.local_name, &ray.public_name]);
    process::output(tag, "naming", process::TRANSFER)
        .await
        .unwrap();
    save.args(["save", "--output"])
        .arg(&archive)
        .arg(&ray.public_name);
    process::output(save, "saving", process::TRANSFER)
        .await
        .unwrap();
    let mut untag = setup.engine.command();
    untag.args(["rmi", &ray.public_name]);
    process::output(untag, "removing the name", process::TRANSFER)
        .await
        .unwrap();
    println!("save: {:?}", started.elapsed());
    let started = Instant::now();
    handle.load(&setup.kind, &ray).await.unwrap();
    println!("kind load into two nodes: {:?}", started.elapsed());

    let error = cluster.down(Patience::Fail).await.unwrap_err();
    assert!(
        matches!(&error, ClusterError::InUse { users, .. } if users.len() == 1),
        "{error}"
    );
    let started = Instant::now();
    let again = cluster.up(&setup.options(&data, 1)).await.unwrap();
    println!("reuse: {:?}", started.elapsed());
    assert!(again.reused);
    let error = cluster.up(&setup.options(&data, 2)).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::InUse { .. }),
        "a larger one can't take its place: {error}"
    );
    drop((handle, again));

    let started = Instant::now();
    let Removed { removed } = cluster.down(Patience::Fail).await.unwrap();
    println!("down: {:?} {removed:?}", started.elapsed());
    assert_eq!(setup.leftovers(NAME).await, Vec::<String>::new());
    assert_eq!(cluster.status().await.unwrap(), Status::Down);
    assert_eq!(
        cluster.down(Patience::Fail).await.unwrap(),
        Removed::default(),
        "a second time there is nothing to do"
    );
    assert!(!cluster.kubeconfig().exists());

    let second = cluster.up(&setup.options(&data, 0)).await.unwrap();
    assert!(
        !second.push(&pushed).await.unwrap(),
        "a second cluster finds what the first was given"
    );
    drop(second);
    cluster.down(Patience::Fail).await.unwrap();

    unpacked_once(&setup, &cluster, &data, &pushed).await;
    assert_eq!(setup.leftovers(NAME).await, Vec::<String>::new());
    assert_eq!(
        user_kubeconfig,
        std::env::home_dir().map(|home| std::fs::read(home.join(".kube/config")).ok())
    );
}

/// Ray's image is unpacked before the nodes are made: none pulls it, all share it, and it stays as
/// it is whatever they do.
async fn unpacked_once(setup: &Setup, cluster: &KindCluster, data: &Path, ray: &Image) {
    let folder = tempfile::tempdir_in(&setup.folder).unwrap();
    let store = Store::at(folder.path()).unwrap();
    let images = [ray];
    let options = |images| UpOptions {
        unpacked: Some(Unpack {
            store: &store,
            images,
        }),
        ..setup.options(data, 1)
    };
    let inside = async |node: &str, script: &str| {
        let mut exec = setup.engine.command();
        exec.args(["exec", node, "sh", "-euc", script]);
        process::output(exec, "looking into a node", process::TRANSFER)
            .await
            .unwrap()
    };
    for round in ["made", "used again"] {
        let handle = cluster.up(&options(&images)).await.unwrap();
        let client = handle.client().await.unwrap();
        let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
        for node in &handle.nodes {
            println!(
                "{round}: Pod on {node}: {:?}",
                run_pod(&client, &ray.public_name, node).await
            );
            let pulls = inside(
                node,
                "journalctl -u containerd | grep -c 'PullImage.*rayproject/ray' || true",
            )
            .await;
            assert_eq!(pulls.trim(), "0", "{node} pulls nothing");
        }
        let pod: Pod = serde_json::from_value(
            json!({"metadata": {"name": "image"}, "spec": {"containers": [
            {"name": "c", "image": ray.public_name, "command": ["sleep", "99"]}]}}),
        )
        .unwrap();
        pods.create(&PostParams::default(), &pod).await.unwrap();
        let of = |pod: Option<&Pod>| {
            Some(
                pod?.status
                    .as_ref()?
                    .container_statuses
                    .as_ref()?
                    .first()?
                    .image_id
                    .clone(),
            )
        };
        let known = |pod: Option<&Pod>| of(pod).is_some_and(|id| !id.is_empty());
        let pod = await_condition(pods, "image", known).await.unwrap();
        let id = of(pod.as_ref()).unwrap();
        assert!(
            id.starts_with("docker.io/rayproject/ray@sha256:"),
            "as if it were pulled: {id}"
        );
        // Removing an image in a node removes nothing of what the others read.
        let removal = format!(
            "ctr -n k8s.io images rm --sync {}; ls /kuberay-conformance/unpacked/containerd",
            ray.public_name
        );
        inside(&handle.nodes[1], &removal).await;
        drop(handle);
        cluster.down(Patience::Fail).await.unwrap();
    }
    let entries = std::fs::read_dir(folder.path().join("unpacked")).unwrap();
    let kept = entries.filter(|entry| {
        !entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with('.')
    });
    assert_eq!(kept.count(), 1);

    // What can't be unpacked beforehand is told, and each node does it.
    let mut nowhere = ray.clone();
    nowhere.public_name = "localhost/nowhere:1".into();
    let handle = cluster.up(&options(&[&nowhere])).await.unwrap();
    let attached = inside(&handle.nodes[0], "ls -A /var/lib/containerd").await;
    assert!(!attached.contains(".attached"), "{attached}");
    drop(handle);
    cluster.down(Patience::Fail).await.unwrap();
}

const KILLED: &str = "kuberay-conformance-killed";
const FOLDER: &str = "KUBERAY_CONFORMANCE_TEST_FOLDER";

/// The test below, as the process that it kills.
async fn bring_up(folder: &Path) {
    let setup = Setup::new(folder).await;
    let data = folder.join("registry");
    // Kills come while it is unpacked, too.
    let unpacked = folder.join("unpacking");
    let _ = std::fs::remove_dir_all(&unpacked);
    let store = Store::at(&unpacked).unwrap();
    let ray = setup
        .artifacts
        .ray_image(&setup.artifacts.pins().defaults.ray)
        .await
        .unwrap();
    let options = UpOptions {
        unpacked: Some(Unpack {
            store: &store,
            images: &[&ray],
        }),
        ..setup.options(&data, 1)
    };
    setup.cluster(KILLED).up(&options).await.unwrap();
}

#[tokio::test]
#[ignore = "needs kind, takes minutes"]
async fn whenever_up_is_killed_down_removes_everything() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return bring_up(Path::new(&folder)).await;
    }
    let _exclusive = exclusive_within().await;
    let folder = state_folder(KILLED);
    let setup = Setup::new(&folder).await;
    let mut most = 0;
    for seconds in [1.0, 2.5, 4.0, 8.0, 13.0, 20.0, 32.0] {
        let own_name = "slow::cluster::whenever_up_is_killed_down_removes_everything";
        let mut child = process::command(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", own_name])
            .env(FOLDER, &folder)
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        child.kill().await.unwrap();
        let before = setup.leftovers(KILLED).await;
        most = most.max(before.len());
        let removed = setup.cluster(KILLED).down(Patience::Fail).await.unwrap();
        println!("killed after {seconds} s: {before:?}, then {removed:?}");
        // What still ran when its parent was killed must not make anything afterwards either.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(
            setup.leftovers(KILLED).await,
            Vec::<String>::new(),
            "after {seconds} s"
        );
    }
    assert_ne!(most, 0, "nothing was being made when it was killed");
}
