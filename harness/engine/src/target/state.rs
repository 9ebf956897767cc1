//! The state file: what is ours, written before it is made, so that `cluster down` can remove it
//! whenever we are killed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{ClusterError, file, or_gone};
use crate::container::EngineKind;
use crate::process::replace_file;

const VERSION: u32 = 1;

/// Something of this machine that we made, or were about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(super) enum CreatedItem {
    /// A network of the engine, with our label.
    Network {
        /// Its name.
        name: String,
    },
    /// kind's nodes, with kind's label.
    Cluster {
        /// Names of their containers.
        nodes: Vec<String>,
    },
    /// The local registry's container, with our label.
    Registry {
        /// Its name.
        container: String,
    },
    /// A container that unpacks images, with our label.
    Unpacker {
        /// Its name.
        container: String,
    },
    /// A `podman system service` on a socket that nobody else uses.
    Service {
        /// The socket.
        socket: PathBuf,
    },
    /// The empty folder `/lib/modules`.
    ModulesFolder,
}

/// Where the local registry is, seen from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RegistryPlace {
    /// Its port on loopback.
    pub(super) port: u16,
    /// The folder with what was pushed, which stays when the registry goes.
    pub(super) data: PathBuf,
}

impl RegistryPlace {
    /// Returns the folder in which the registry itself stores its data.
    pub(super) fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }

    /// Which images became which manifests.
    pub(super) fn notes(&self) -> PathBuf {
        self.data.join("pushed")
    }
}

/// The facts about a complete cluster that a later run needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Complete {
    /// Hash of everything that decides what the cluster is.
    pub(super) key: String,
    /// Release of Kubernetes.
    pub(super) kubernetes: String,
    /// When it was complete, RFC 3339.
    pub(super) since: String,
}

/// The contents of the state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterRecord {
    version: u32,
    /// The cluster's name.
    pub(super) name: String,
    /// The engine that made everything.
    pub(super) engine: EngineKind,
    /// Value of our labels; another cache folder with a cluster of the same name has another.
    pub(super) instance: String,
    /// In the order of making.
    pub(super) made: Vec<CreatedItem>,
    /// The local registry, where one was wanted.
    pub(super) registry: Option<RegistryPlace>,
    /// Set when the cluster was complete.
    pub(super) complete: Option<Complete>,
    /// Whether somebody brought it up to stay; else it goes with its last user.
    #[serde(default = "yes")]
    pub(super) kept: bool,
}

/// One of a harness that did not write down whether it stays is not ours to remove.
fn yes() -> bool {
    true
}

impl ClusterRecord {
    pub(super) fn new(name: &str, engine: EngineKind) -> Self {
        // The kernel's source of unique names; the time will do where it is absent.
        let instance = std::fs::read_to_string("/proc/sys/kernel/random/uuid")
            .unwrap_or_else(|_| jiff::Timestamp::now().as_nanosecond().to_string());
        Self {
            version: VERSION,
            name: name.into(),
            engine,
            instance: instance.trim().into(),
            made: Vec::new(),
            registry: None,
            complete: None,
            kept: false,
        }
    }

    /// Names of the nodes' containers.
    pub(super) fn nodes(&self) -> Vec<String> {
        self.made
            .iter()
            .find_map(|made| {
                if let CreatedItem::Cluster { nodes } = made {
                    Some(nodes.clone())
                } else {
                    None
                }
            })
            .unwrap_or_default()
    }
}

/// Where the state is kept.
#[derive(Debug, Clone)]
pub(super) struct StateFile(PathBuf);

impl StateFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.join("state.json"))
    }

    /// The state; `None` when nothing was made.
    pub(super) fn load(&self) -> Result<Option<ClusterRecord>, ClusterError> {
        let text = match std::fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file("reading", &self.0)(source)),
        };
        let problem = |problem: String| ClusterError::State {
            path: self.0.clone(),
            problem,
        };
        let state: ClusterRecord =
            serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))?;
        if state.version != VERSION {
            return Err(problem(format!(
                "version {} instead of {VERSION}",
                state.version
            )));
        }
        Ok(Some(state))
    }

    /// Replaces the file as a whole, safe from a kill and from a power failure.
    pub(super) fn save(&self, state: &ClusterRecord) -> Result<(), ClusterError> {
        let write = || replace_file(&self.0, &serde_json::to_vec_pretty(state)?, 0o600);
        write().map_err(file("writing", &self.0))
    }

    /// Notes that something is about to be made.
    pub(super) fn record(
        &self,
        state: &mut ClusterRecord,
        made: CreatedItem,
    ) -> Result<(), ClusterError> {
        if state.made.contains(&made) {
            return Ok(());
        }
        state.made.push(made);
        self.save(state)
    }

    /// Notes that something is gone.
    pub(super) fn forget(
        &self,
        state: &mut ClusterRecord,
        made: &CreatedItem,
    ) -> Result<(), ClusterError> {
        state.made.retain(|one| one != made);
        self.save(state)
    }

    /// Whether another cluster beside this one has made the same, too.
    pub(super) fn another_made(&self, made: &CreatedItem) -> bool {
        let Some((own, all)) = self.0.parent().and_then(|own| Some((own, own.parent()?))) else {
            return false;
        };
        let folders = std::fs::read_dir(all).into_iter().flatten().flatten();
        folders.map(|folder| folder.path()).any(|folder| {
            let state = (folder != own).then(|| Self::new(&folder).load().ok().flatten());
            state
                .flatten()
                .is_some_and(|state| state.made.contains(made))
        })
    }

    pub(super) fn remove(&self) -> Result<(), ClusterError> {
        or_gone(std::fs::remove_file(&self.0)).map_err(file("removing", &self.0))
    }
}

#[cfg(test)]
mod mutated;

#[cfg(test)]
mod tests {
    use assertables::assert_contains;

    use super::*;

    #[test]
    fn what_is_recorded_is_there_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateFile::new(folder.path());
        assert_eq!(store.load().unwrap(), None);
        let mut state = ClusterRecord::new("a", EngineKind::Podman);
        let network = CreatedItem::Network { name: "a".into() };
        store.record(&mut state, network.clone()).unwrap();
        store
            .record(
                &mut state,
                CreatedItem::Cluster {
                    nodes: vec!["a-control-plane".into()],
                },
            )
            .unwrap();
        store.record(&mut state, network.clone()).unwrap();
        let read = StateFile::new(folder.path()).load().unwrap().unwrap();
        assert_eq!(read, state);
        assert_eq!(read.made.len(), 2, "recorded once");
        assert_eq!(read.nodes(), ["a-control-plane"]);
        store.forget(&mut state, &network).unwrap();
        assert_eq!(store.load().unwrap().unwrap().made.len(), 1);
        store.remove().unwrap();
        store.remove().unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn a_state_that_cant_be_understood_is_not_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateFile::new(folder.path());
        std::fs::write(folder.path().join("state.json"), "{\"version\": 1").unwrap();
        assert_contains!(
            store.load().unwrap_err().to_string(),
            "before you delete it"
        );
        let mut newer = ClusterRecord::new("a", EngineKind::Docker);
        newer.version = 2;
        store.save(&newer).unwrap();
        assert_contains!(
            store.load().unwrap_err().to_string(),
            "version 2 instead of 1"
        );
    }

    #[test]
    fn what_another_cluster_made_too_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            StateFile::new(&folder.path().join(name))
        });
        let mut state = ClusterRecord::new("one", EngineKind::Podman);
        one.record(&mut state, CreatedItem::ModulesFolder).unwrap();
        assert!(other.another_made(&CreatedItem::ModulesFolder));
        assert!(
            !one.another_made(&CreatedItem::ModulesFolder),
            "only its own"
        );
        one.forget(&mut state, &CreatedItem::ModulesFolder).unwrap();
        assert!(!other.another_made(&CreatedItem::ModulesFolder));
    }

    #[test]
    fn two_folders_have_different_labels() {
        assert_ne!(
            ClusterRecord::new("a", EngineKind::Podman).instance,
            ClusterRecord::new("a", EngineKind::Podman).instance
        );
    }
}
