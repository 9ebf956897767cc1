//! A cluster that is up.

use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::error::ClusterError;
use super::lock::{Holder, Lease};
use super::state::RegistryPlace;
use super::{push, ready};
use crate::artifact::Image;
use crate::container::Engine;
use crate::process;
use crate::results::Phase;

/// A cluster that is up, and the mark that it is used: no other process takes it down before this
/// is dropped.
#[derive(Debug)]
pub struct ClusterHandle {
    /// kind's name for it.
    pub name: String,
    /// Its kubeconfig, a file of our own.
    pub kubeconfig: PathBuf,
    /// Names of its nodes, which are also those of their containers.
    pub nodes: Vec<String>,
    /// Release of Kubernetes, as the API server says it.
    pub kubernetes: String,
    /// Whether it was up before.
    pub reused: bool,
    /// The phases of bringing it up, with their durations.
    pub phases: Vec<Phase>,
    /// The engine that runs it.
    pub engine: Engine,
    pub(super) network: String,
    pub(super) registry: Option<RegistryPlace>,
    pub(super) _lease: Lease,
}

/// A cluster whose API server answers, while its nodes may not be ready yet.
#[derive(Clone)]
pub struct EarlyCluster {
    /// A client for it.
    pub client: kube::Client,
    pub(super) name: String,
    pub(super) engine: Engine,
    pub(super) registry: Option<RegistryPlace>,
    pub(super) ready: watch::Receiver<bool>,
}

impl EarlyCluster {
    /// Waits until Pods on every node can reach the API server. Never ends where that does not
    /// come; the work of [`KindCluster::up_with`](super::KindCluster::up_with) is given up then.
    pub async fn nodes_are_ready(&self) {
        if self.ready.clone().wait_for(|ready| *ready).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// As [`ClusterHandle::push`].
    ///
    /// # Errors
    /// When the cluster has no registry, or the push fails.
    pub async fn push(&self, image: &Image) -> Result<bool, ClusterError> {
        push_to(&self.name, &self.engine, self.registry.as_ref(), image).await
    }
}

async fn push_to(
    name: &str,
    engine: &Engine,
    registry: Option<&RegistryPlace>,
    image: &Image,
) -> Result<bool, ClusterError> {
    let registry = registry
        .ok_or_else(|| ClusterError::Registry(format!("{name} was created without a registry")))?;
    push::push(engine, image, registry.port, &registry.notes()).await
}

impl ClusterHandle {
    /// A client for this cluster.
    ///
    /// # Errors
    /// When the kubeconfig can't be used.
    pub async fn client(&self) -> Result<kube::Client, ClusterError> {
        ready::client(&self.kubeconfig).await
    }

    /// Gives an image to the local registry, from which nodes get it under its public name; returns
    /// whether it was not there before.
    ///
    /// # Errors
    /// When the cluster has no registry, or the push fails.
    pub async fn push(&self, image: &Image) -> Result<bool, ClusterError> {
        push_to(&self.name, &self.engine, self.registry.as_ref(), image).await
    }

    /// Imports an image's archive into every node with kind; slower than [`push`](Self::push), but
    /// it needs no registry.
    ///
    /// # Errors
    /// When kind fails.
    pub async fn load(&self, kind: &Path, image: &Image) -> Result<(), ClusterError> {
        let mut load = self.engine.kind_command(kind, &self.network);
        match &image.archive {
            Some(archive) => load
                .args(["load", "image-archive", "--name", &self.name])
                .arg(archive),
            None => load.args([
                "load",
                "docker-image",
                "--name",
                &self.name,
                &image.local_name,
            ]),
        };
        process::output(
            load,
            &format!("loading {} into the nodes", image.public_name),
            process::TRANSFER,
        )
        .await?;
        Ok(())
    }

    /// The local registry's port on loopback, where there is one.
    #[must_use]
    pub fn registry_port(&self) -> Option<u16> {
        self.registry.as_ref().map(|registry| registry.port)
    }
}

/// The state of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing that we made.
    Down,
    /// Something, but not a cluster that can be used.
    Incomplete {
        /// The missing part.
        why: String,
    },
    /// A cluster that can be used.
    Up {
        /// Release of Kubernetes.
        kubernetes: String,
        /// When it was complete, RFC 3339.
        since: String,
        /// Its nodes.
        nodes: Vec<String>,
        /// Its kubeconfig.
        kubeconfig: PathBuf,
        /// The local registry's port on loopback.
        registry_port: Option<u16>,
        /// Processes that use it now.
        users: Vec<Holder>,
    },
}
