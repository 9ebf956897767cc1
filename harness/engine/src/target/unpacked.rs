//! The unpacked images of nodes: unpacked once, and shared by the nodes of every later cluster.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::{ClusterError, file, or_gone};
use super::kind_config::UNIT_ADDITION;
use super::names::MIRRORED;
use super::network::INSTANCE_LABEL;
use super::{push, registry};
use crate::artifact::{ArtifactError, Image, Store};
use crate::container::Engine;
use crate::process::{self, FileLock, LockError};

/// The folder in the store.
const NAME: &str = "unpacked";
/// Number of them that stay. One with Ray takes 2 GB.
const KEPT: usize = 3;
/// A node's image without images in it.
const BARE: &str = "localhost/kuberay-conformance/bare-node";

const RECIPE: &str = include_str!("../../../../fixtures/images/unpacked/Containerfile");
const UNPACK: &str = include_str!("../../../../fixtures/images/unpacked/unpack.sh");
const ATTACH: &str = include_str!("../../../../fixtures/images/unpacked/attach.sh");
const ADDITION: &str = include_str!("../../../../fixtures/images/unpacked/containerd.conf");

/// Images that nodes shall find unpacked.
#[derive(Debug, Clone, Copy)]
pub struct Unpack<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// The images, beside those that the node image brings.
    pub images: &'a [&'a Image],
}

/// The parts of nodes whose images are already unpacked.
#[derive(Debug)]
pub(super) struct Shared {
    /// The folder that they mount.
    pub(super) folder: PathBuf,
    /// The image that they are made of.
    pub(super) node_image: String,
    /// Until the nodes mount it.
    pub(super) _wanted: Wanted,
}

/// Says to other processes that one is about to be mounted, as long as this is held.
#[derive(Debug)]
pub(super) struct Wanted(#[expect(dead_code, reason = "it is held for its lock")] FileLock);

impl Unpack<'_> {
    /// Names everything that decides what is unpacked.
    pub(super) fn key(&self, node: &Image) -> String {
        let mut texts = vec![UNPACK, ATTACH, ADDITION];
        for image in std::iter::once(&node).chain(self.images) {
            texts.extend([
                image.public_name.as_str(),
                &image.local_name,
                &image.record.digest,
            ]);
        }
        push::hash(&texts)
    }

    /// Where it is or will be.
    pub(super) fn folder(&self, key: &str) -> PathBuf {
        self.store.path(NAME, key)
    }

    /// Keeps other processes from removing it before a cluster's configuration names it. It need
    /// not be there yet.
    pub(super) async fn want(&self, key: &str) -> Result<Wanted, ClusterError> {
        // A process that removes it is soon done.
        Ok(Wanted(FileLock::share(&self.mark(key), |_, _| true).await?))
    }

    /// Returns the file that a process locks while it needs the folder or removes it.
    fn mark(&self, key: &str) -> PathBuf {
        self.store
            .root()
            .join("locks")
            .join(format!("{NAME}-{key}-wanted"))
    }

    /// Makes it with a container of the node image, unless it is there. The registry at `address`
    /// has the images.
    pub(super) async fn make(
        &self,
        by: &Unpacker<'_>,
        key: &str,
        address: &str,
    ) -> Result<(), ArtifactError> {
        let make = async |target: PathBuf| {
            let write = |name: &str, text: &str| {
                let path = target.join(name);
                std::fs::create_dir_all(path.parent().unwrap_or(&target))
                    .and_then(|()| std::fs::write(&path, text))
                    .map_err(|source| ArtifactError::File {
                        doing: "writing",
                        path: path.clone(),
                        source,
                    })
            };
            write("unpack.sh", UNPACK)?;
            write("attach.sh", ATTACH)?;
            write(UNIT_ADDITION, ADDITION)?;
            for registry in MIRRORED {
                write(
                    &format!("certs.d/{registry}/hosts.toml"),
                    &registry::Hosts {
                        registry,
                        local: Some(address),
                        upstream: false,
                        mirror: None,
                        has_authority: false,
                    }
                    .toml(),
                )?;
            }
            by.run(&target, self.images).await?;
            // An engine on another machine has filled a folder there.
            let database = target.join("containerd/io.containerd.metadata.v1.bolt/meta.db");
            if database.is_file() {
                return Ok(());
            }
            Err(ArtifactError::Answer {
                doing: "unpacking the nodes' images".into(),
                answer: format!("{} is not there", database.display()),
            })
        };
        self.store.get(NAME, key, make).await?;
        Ok(())
    }

    /// Notes that it is used now, and removes those that were not for the longest time and that no
    /// cluster mounts.
    pub(super) fn keep_few(&self, key: &str) -> Result<(), ClusterError> {
        let used = self.folder(key);
        File::open(&used)
            .and_then(|folder| folder.set_modified(std::time::SystemTime::now()))
            .map_err(file("noting the use of", &used))?;
        let mut all: Vec<_> = std::fs::read_dir(used.parent().unwrap_or(&used))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .filter(|(_, path)| *path != used)
            .collect();
        all.sort_unstable();
        let mounted = mounted_by_clusters(self.store.root());
        let surplus = (all.len() + 1).saturating_sub(KEPT);
        for (_, path) in all.into_iter().take(surplus) {
            let mark = self.mark(&path.file_name().unwrap_or_default().to_string_lossy());
            let _not_wanted = match FileLock::try_hold(&mark, "remove unpacked images") {
                Ok(lock) => lock,
                Err(LockError::Held { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if !mounted.contains(&*path.to_string_lossy()) {
                // First another name: what is half removed must not be taken for whole.
                let going = path.with_file_name(format!(
                    ".{}",
                    path.file_name().unwrap_or_default().to_string_lossy()
                ));
                or_gone(std::fs::rename(&path, &going)).map_err(file("removing", &path))?;
                or_gone(std::fs::remove_dir_all(&going)).map_err(file("removing", &going))?;
            }
        }
        Ok(())
    }
}

/// The kind configurations of all clusters, which name what they mount.
fn mounted_by_clusters(root: &Path) -> String {
    let clusters = std::fs::read_dir(root.join("clusters"))
        .into_iter()
        .flatten()
        .flatten();
    clusters
        .filter(|cluster| cluster.path().join("state.json").exists())
        .filter_map(|cluster| std::fs::read_to_string(cluster.path().join("kind.yaml")).ok())
        .collect()
}

/// The container that unpacks.
pub(super) struct Unpacker<'a> {
    pub(super) engine: &'a Engine,
    pub(super) node_image: &'a str,
    /// Its name.
    pub(super) container: &'a str,
    /// The network on which it finds the registry.
    pub(super) network: &'a str,
    pub(super) instance: &'a str,
}

impl Unpacker<'_> {
    async fn run(&self, target: &Path, images: &[&Image]) -> Result<(), process::ProcessError> {
        let mut run = self.engine.command();
        run.args([
            "run",
            "--rm",
            "--privileged",
            "--name",
            self.container,
            "--network",
            self.network,
        ]);
        run.args(["--label", &format!("{INSTANCE_LABEL}={}", self.instance)]);
        // kind gives it to its nodes in the same way.
        run.args(["--env", "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER"]);
        run.arg("--volume")
            .arg(format!("{}:/unpacked", target.display()));
        run.args([
            "--entrypoint",
            "bash",
            self.node_image,
            "/unpacked/unpack.sh",
        ]);
        run.args(images.iter().map(|image| &image.public_name));
        process::output(run, "unpacking the nodes' images", process::BUILD).await?;
        Ok(())
    }
}

/// The node image without the images that it brings; built where the engine does not hold it.
pub(super) async fn bare(engine: &Engine, node: &Image) -> Result<String, ClusterError> {
    let name = format!(
        "{BARE}:{}",
        push::hash(&[RECIPE, &node.local_name, &node.record.digest])
    );
    let mut inspect = engine.command();
    inspect.args(["image", "inspect", "--format", "{{.Id}}", &name]);
    if process::output(
        inspect,
        "looking for the bare node image",
        process::INSPECTION,
    )
    .await
    .is_ok()
    {
        return Ok(name);
    }
    let context =
        tempfile::tempdir().map_err(file("making a folder for", "the bare node image"))?;
    let recipe = context.path().join("Containerfile");
    std::fs::write(&recipe, RECIPE).map_err(file("writing", &recipe))?;
    let mut build = engine.command();
    build.args([
        "build",
        "--quiet",
        "--network=none",
        "--tag",
        &name,
        "--build-arg",
    ]);
    build.arg(format!("NODE={}", node.local_name));
    build.arg("--file").arg(&recipe).arg(context.path());
    process::output(build, "building the bare node image", process::BUILD).await?;
    Ok(name)
}

#[cfg(test)]
mod tests;
