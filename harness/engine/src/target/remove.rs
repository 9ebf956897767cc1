//! Removing what the state file names, and nothing else.

use std::path::PathBuf;

use super::authority;
use super::error::{ClusterError, file, or_gone};
use super::names::HELPER_NAME;
use super::network::{self, INSTANCE_LABEL};
use super::processes::{self, Signature};
use super::state::{ClusterRecord, CreatedItem, StateFile};
use super::{node, service};
use crate::container::MODULES;
use crate::container::{Engine, EngineKind};
use crate::process;

/// The label of kind's nodes.
pub(super) const KIND_LABEL: &str = "io.x-k8s.kind.cluster";

/// The result of `cluster down`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// The things that were removed, one line each.
    pub removed: Vec<String>,
}

/// Removes things of one cluster, whatever a kill left of them; what is gone already is no error.
pub(super) struct Remover<'a> {
    pub(super) engine: &'a Engine,
    pub(super) file: StateFile,
    pub(super) kubeconfig: PathBuf,
    /// The file that records the cluster's content.
    pub(super) note: PathBuf,
}

impl Remover<'_> {
    /// Removes everything, the newest first.
    pub(super) async fn all(&self, state: &mut ClusterRecord) -> Result<Removed, ClusterError> {
        let mut removed = Removed::default();
        for made in state.made.clone().into_iter().rev() {
            removed.removed.extend(self.one(state, &made).await?);
        }
        or_gone(std::fs::remove_file(&self.note)).map_err(file("removing", &self.note))?;
        self.file.remove()?;
        Ok(removed)
    }

    /// Removes one thing and forgets it; returns what was there of it.
    pub(super) async fn one(
        &self,
        state: &mut ClusterRecord,
        made: &CreatedItem,
    ) -> Result<Vec<String>, ClusterError> {
        let instance = format!("{INSTANCE_LABEL}={}", state.instance);
        let removed = match made {
            CreatedItem::Cluster { nodes } => self.cluster(&state.name, nodes).await?,
            CreatedItem::Registry { container } => {
                processes::end(Signature {
                    program: HELPER_NAME,
                    arguments: &[&state.instance],
                })
                .await;
                let is_there = self.container(&instance, container).await?;
                is_there
                    .then(|| format!("the registry {container}"))
                    .into_iter()
                    .collect()
            }
            CreatedItem::Unpacker { container } => {
                // A kill of the harness leaves the engine's command running.
                processes::end(Signature {
                    program: self.engine.kind.program(),
                    arguments: &["run", "--name", container],
                })
                .await;
                self.container(&instance, container).await?;
                Vec::new()
            }
            CreatedItem::Network { name } => {
                let is_there = network::list(self.engine, Some(&state.instance))
                    .await?
                    .contains(name);
                if is_there {
                    let mut remove = self.engine.command();
                    remove.args(["network", "rm", name]);
                    process::output(remove, "removing the cluster's network", process::CHANGE)
                        .await?;
                }
                is_there
                    .then(|| format!("the network {name}"))
                    .into_iter()
                    .collect()
            }
            CreatedItem::Service { socket } => {
                service::close(socket).await?;
                Vec::new()
            }
            // The nodes of another cluster mount it, too; the last to go removes it.
            CreatedItem::ModulesFolder if self.file.another_made(made) => Vec::new(),
            CreatedItem::ModulesFolder => match std::fs::remove_dir(MODULES) {
                Ok(()) => vec![MODULES.to_owned()],
                // Somebody has put modules there since, or removed it.
                Err(_) => Vec::new(),
            },
        };
        self.file.forget(state, made)?;
        Ok(removed)
    }

    /// Removes a container with our label; returns whether it was there.
    async fn container(&self, instance: &str, name: &String) -> Result<bool, ClusterError> {
        let is_there = node::containers(self.engine, instance, false)
            .await?
            .contains(name);
        if is_there {
            containers(self.engine, std::slice::from_ref(name)).await?;
        }
        Ok(is_there)
    }

    async fn cluster(&self, name: &str, nodes: &[String]) -> Result<Vec<String>, ClusterError> {
        // A kill of the harness leaves kind running, and a kill of kind the engine's command that
        // makes a node.
        let kubeconfig = self.kubeconfig.to_string_lossy();
        processes::end(Signature {
            program: "kind",
            arguments: &["create", "cluster", "--kubeconfig", &kubeconfig],
        })
        .await;
        for node in nodes {
            let making = ["run", "--name", node];
            processes::end(Signature {
                program: self.engine.kind.program(),
                arguments: &making,
            })
            .await;
        }
        let found = node::containers(self.engine, &format!("{KIND_LABEL}={name}"), false).await?;
        let ours: Vec<String> = found
            .into_iter()
            .filter(|node| nodes.contains(node))
            .collect();
        if !ours.is_empty() {
            containers(self.engine, &ours).await?;
        }
        if self.engine.kind == EngineKind::Podman {
            self.volumes(nodes).await?;
        }
        for path in [
            self.kubeconfig.clone(),
            self.kubeconfig.with_extension("lock"),
        ] {
            or_gone(std::fs::remove_file(&path)).map_err(file("removing", &path))?;
        }
        if let Some(folder) = self.kubeconfig.parent() {
            authority::remove(folder)?;
        }
        Ok(ours
            .into_iter()
            .map(|node| format!("the node {node}"))
            .collect())
    }

    /// With podman, kind makes each node's volume before the node, and labels it with the node's
    /// name.
    async fn volumes(&self, nodes: &[String]) -> Result<(), ClusterError> {
        for node in nodes {
            let mut list = self.engine.command();
            list.args([
                "volume",
                "ls",
                "--quiet",
                "--filter",
                &format!("label={node}=true"),
            ]);
            let volumes = node::lines(list, "listing the volumes of the cluster's nodes").await?;
            if !volumes.is_empty() {
                let mut remove = self.engine.command();
                remove.args(["volume", "rm", "--force"]).args(volumes);
                process::output(
                    remove,
                    "removing the volumes of the cluster's nodes",
                    process::CHANGE,
                )
                .await?;
            }
        }
        Ok(())
    }
}

/// Removes containers and their volumes, running or not.
pub(super) async fn containers(engine: &Engine, names: &[String]) -> Result<(), ClusterError> {
    let remove = async || {
        let mut remove = engine.command();
        remove.args(["rm", "--force", "--volumes"]);
        if engine.kind == EngineKind::Podman {
            // Docker kills at once; podman would give each container ten seconds to stop.
            remove.arg("--time=0");
        }
        remove.args(names);
        process::output(
            remove,
            &format!("removing {}", names.join(" and ")),
            process::CHANGE,
        )
        .await
    };
    if remove().await.is_err() {
        // Podman can't stop a container whose processes are gone, but then knows it and can remove
        // it.
        remove().await?;
    }
    Ok(())
}
