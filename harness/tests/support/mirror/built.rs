//! What is built on this machine, in the form in which projects publish it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kuberay_conformance::artifact::{Artifacts, Pins, Programs, SourcePolicy, Store};
use kuberay_conformance::container::{Engine, EngineKind};
use kuberay_conformance::report::Silent;
use semver::Version;
use serde_json::{Value, json};

use super::fill::{Contents, Pushed, sum};

const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};

/// The public address of a Kubernetes program.
fn kubernetes(pins: &Pins, program: &str) -> String {
    let version = &pins.kubernetes;
    format!("https://dl.k8s.io/release/v{version}/bin/linux/{ARCHITECTURE}/{program}")
}

/// What is built, and how it differs from what the list of public artifacts names.
pub struct Built {
    pub contents: Contents,
    /// The release of the node's image that is built, where it is another than the public one.
    node: Option<String>,
    ray: Option<Version>,
    operator: Version,
}

impl Built {
    /// The list with the node image that is built in the place of the public one.
    pub fn renamed(&self, list: &str) -> Value {
        let public = Pins::embedded().pull.node.image;
        let public = public.trim_start_matches("docker.io/").to_owned();
        let text = match &self.node {
            Some(built) => list.replace(&public, built.trim_start_matches("docker.io/")),
            None => list.to_owned(),
        };
        serde_json::from_str(&text).unwrap()
    }

    /// The digests of what was built, as a file of pins.
    pub fn pins(&self, digests: &Pushed) -> Value {
        let pins = Pins::embedded();
        let operator = &digests[&pins.operator_image(&self.operator)];
        let mut own = json!({"operator": {self.operator.to_string(): operator}});
        if let (Some(node), Some(ray)) = (&self.node, &self.ray) {
            own["node"] = json!({"image": node, "digest": digests[node]});
            let registry = &pins.pull.registry.image;
            own["registry"] = json!({"image": registry, "digest": digests[registry]});
            let image = format!("{}:{ray}", pins.ray.image);
            own["ray"] = json!({ray.to_string(): digests[&image]});
        }
        own
    }
}

/// What envtest needs of a release, under its public names.
pub fn for_envtest(operator: &Version, folder: &Path) -> Built {
    let programs = Programs::new(
        Store::open().unwrap(),
        SourcePolicy::Build,
        Arc::new(Silent),
    );
    let pins = Pins::embedded();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut contents = Contents::default();
    runtime.block_on(async {
        let server = programs.kubernetes("kube-apiserver").await.unwrap();
        let address = kubernetes(&pins, "kube-apiserver");
        contents.files.insert(address, server);
        let etcd = programs.etcd().await.unwrap();
        let (address, archive) = etcd_archive(&pins, &etcd, folder);
        contents.files.insert(address, archive);
        programs.operator_module(operator).await.unwrap();
        let (address, archive) = module(&pins, operator);
        contents.files.insert(address, archive);
        let manager = programs.operator(operator).await.unwrap();
        let image = image(&manager, folder);
        contents.images.insert(pins.operator_image(operator), image);
    });
    Built {
        contents,
        node: None,
        ray: None,
        operator: operator.clone(),
    }
}

/// What a kind cluster needs of a release, under its public names.
pub fn for_kind(operator: &Version, engine: EngineKind) -> Built {
    let pins = Pins::embedded();
    let ray = pins.defaults.ray.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut contents = Contents::default();
    let node = runtime.block_on(async {
        let store = Store::open().unwrap();
        let engine = Engine::detect(Some(engine), store.root()).await.unwrap();
        let artifacts = Artifacts::new(engine, store, SourcePolicy::Build, Arc::new(Silent));
        let programs = artifacts.programs();
        let kubectl = programs.kubernetes("kubectl").await.unwrap();
        contents.files.insert(kubernetes(&pins, "kubectl"), kubectl);
        let kind = pins.pull.kind.url.replace("{arch}", ARCHITECTURE);
        contents.files.insert(kind, artifacts.kind().await.unwrap());
        programs.operator_module(operator).await.unwrap();
        let (address, archive) = module(&pins, operator);
        contents.files.insert(address, archive);
        let node = artifacts.node_image().await.unwrap();
        let name = node.public_name.clone();
        for image in [
            node,
            artifacts.registry_image().await.unwrap(),
            artifacts.operator_image(operator).await.unwrap(),
            artifacts.ray_image(&ray).await.unwrap(),
        ] {
            contents
                .images
                .insert(image.public_name, image.archive.unwrap());
        }
        name
    });
    Built {
        contents,
        node: Some(node),
        ray: Some(ray),
        operator: operator.clone(),
    }
}

/// Runs `tar` with these arguments.
fn tar(arguments: &[&std::ffi::OsStr]) {
    let done = Command::new("tar").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
}

/// etcd's release archive.
fn etcd_archive(pins: &Pins, etcd: &Path, folder: &Path) -> (String, PathBuf) {
    let version = &pins.etcd.version;
    let name = format!("etcd-v{version}-linux-{ARCHITECTURE}");
    let within = folder.join("etcd").join(&name);
    std::fs::create_dir_all(&within).unwrap();
    std::fs::copy(etcd, within.join("etcd")).unwrap();
    let archive = folder.join(format!("{name}.tar.gz"));
    tar(&[
        "-I".as_ref(),
        "gzip -1".as_ref(),
        "-cf".as_ref(),
        archive.as_ref(),
        "-C".as_ref(),
        folder.join("etcd").as_ref(),
        name.as_ref(),
    ]);
    let url = format!("https://github.com/etcd-io/etcd/releases/download/v{version}/{name}.tar.gz");
    (url, archive)
}

/// The archive of the operator's module, out of Go's own cache.
fn module(pins: &Pins, operator: &Version) -> (String, PathBuf) {
    let asked = Command::new("go")
        .args(["env", "GOMODCACHE"])
        .output()
        .unwrap();
    let cache = String::from_utf8(asked.stdout).unwrap();
    let path = format!("{}/@v/v{operator}.zip", pins.operators.module);
    let archive = Path::new(cache.trim()).join("cache/download").join(&path);
    (format!("https://proxy.golang.org/{path}"), archive)
}

/// An image with the operator's program at its root, compressed as public images are.
fn image(manager: &Path, folder: &Path) -> PathBuf {
    let stage = folder.join("image");
    std::fs::create_dir_all(&stage).unwrap();
    tar(&[
        "-I".as_ref(),
        "gzip -1".as_ref(),
        "-cf".as_ref(),
        stage.join("layer.tar").as_ref(),
        "-C".as_ref(),
        manager.parent().unwrap().as_ref(),
        "manager".as_ref(),
    ]);
    let layer = sum(&stage.join("layer.tar"));
    let configuration = json!({
        "architecture": ARCHITECTURE, "os": "linux", "config": {"Entrypoint": ["/manager"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
    });
    std::fs::write(stage.join("config.json"), configuration.to_string()).unwrap();
    let index = json!([{"Config": "config.json", "RepoTags": [], "Layers": ["layer.tar"]}]);
    std::fs::write(stage.join("manifest.json"), index.to_string()).unwrap();
    let archive = folder.join("operator-image.tar");
    tar(&[
        "-cf".as_ref(),
        archive.as_ref(),
        "-C".as_ref(),
        stage.as_ref(),
        ".".as_ref(),
    ]);
    archive
}
