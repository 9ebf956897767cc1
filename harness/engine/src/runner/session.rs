//! What `cluster up` leaves behind for those who attach: which releases run in the cluster, and from which images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::setup::{Setup, Stack};
use super::{Engine, EngineOptions, Operator, Options, RunError, RunId, Subjects};
use crate::artifact::Store;
use crate::operator::Installed;
use crate::process::ProcessIdentity;
use crate::progress::Progress;
use crate::results::{Environment, ImageRecord};
use crate::target::{ClusterHandle, KindCluster, Patience};

/// The note that `cluster up` writes beside the cluster's other files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note {
    operator: Version,
    operator_image: ImageRecord,
    namespace: String,
    deployment: String,
    ray: Version,
    ray_image: ImageRecord,
    samples: PathBuf,
    environment: Environment,
}

/// A cluster with an operator and a Ray image in it, ready for cases.
pub struct Session {
    handle: ClusterHandle,
    client: kube::Client,
    note: Note,
}

impl Session {
    /// Uses what is up, as it is; nothing is made.
    ///
    /// # Errors
    /// When nothing is up, or `cluster up` did not come to its end.
    pub async fn attach(
        options: &Options,
        progress: Arc<dyn Progress>,
        purpose: &str,
    ) -> Result<Self, RunError> {
        let setup = Setup::new(options, progress).await?;
        let lock = setup.cluster.lock("attach", Patience::default()).await?;
        let handle = setup.cluster.attach_holding(&lock, purpose).await?;
        // As long as the lock is held, nobody changes what the note tells.
        let note = read(setup.note())?.ok_or(RunError::Unfinished)?;
        drop(lock);
        let client = handle.client().await?;
        Ok(Self {
            handle,
            client,
            note,
        })
    }

    /// Of what was just brought up.
    pub(super) fn new(setup: &Setup, options: &Options, stack: Stack) -> Result<Self, RunError> {
        let note = Note {
            operator: options.operator()?.clone(),
            operator_image: stack.operator_image,
            namespace: stack.operator.namespace,
            deployment: stack.operator.deployment,
            ray: options.ray.clone(),
            ray_image: stack.ray_image,
            samples: stack.samples,
            environment: stack.environment,
        };
        write(setup.note(), &note)?;
        Ok(Self {
            handle: stack.handle,
            client: stack.client,
            note,
        })
    }

    /// Notes again what runs, after something else ran meanwhile.
    pub(super) fn note_again(&self, setup: &Setup) -> Result<(), RunError> {
        write(setup.note(), &self.note)
    }

    /// Release of the operator that runs.
    pub fn operator(&self) -> &Version {
        &self.note.operator
    }

    /// Release of Ray whose image the nodes can get.
    pub fn ray(&self) -> &Version {
        &self.note.ray
    }

    /// What is under test, for reports.
    pub fn environment(&self) -> &Environment {
        &self.note.environment
    }

    /// The cluster.
    pub fn cluster(&self) -> &ClusterHandle {
        &self.handle
    }

    /// An engine that runs cases against it.
    ///
    /// # Errors
    /// When the nodes can't be looked at.
    pub async fn engine(
        &self,
        options: EngineOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Result<Engine, RunError> {
        let note = &self.note;
        let subjects = Subjects {
            kubernetes: note.environment.kubernetes.clone(),
            operator: Operator::Installed(Installed {
                release: note.operator.clone(),
                namespace: note.namespace.clone(),
                deployment: note.deployment.clone(),
                reused: true,
            }),
            operator_image: note.operator_image.clone(),
            samples: note.samples.clone(),
            rays: BTreeMap::from([(note.ray.clone(), note.ray_image.clone())]),
            permits: Some(self.handle.kubeconfig.with_file_name(PERMITS)),
        };
        Ok(Engine::new(self.client.clone(), subjects, options, progress, cancel).await?)
    }
}

/// A new id, of this moment and this process.
pub fn new_run_id() -> RunId {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RunId::new(Timestamp::now(), ProcessIdentity::current(), number)
}

const PERMITS: &str = "permits";

/// Forgets what runs in the cluster, because it is about to change. The cluster's lock must be held.
pub(super) fn forget(setup: &Setup) -> Result<(), RunError> {
    match std::fs::remove_file(setup.note()) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(RunError::File {
            doing: "removing",
            path: setup.note().into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Which releases of operator and Ray run in the cluster of this name, as `cluster up` noted it; whether they still do, only
/// [`Session::attach`] tells.
pub fn noted_releases(cluster: &str) -> Option<(Version, Version)> {
    let store = Store::open().ok()?;
    let note = read(&KindCluster::note(store.root(), cluster)).ok()??;
    Some((note.operator, note.ray))
}

fn read(path: &Path) -> Result<Option<Note>, RunError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(RunError::File {
                doing: "reading",
                path: path.into(),
                source,
            });
        }
    };
    // One of another release of the harness is as good as none.
    Ok(serde_json::from_slice(&text).ok())
}

fn write(path: &Path, note: &Note) -> Result<(), RunError> {
    let failed = |source| RunError::File {
        doing: "writing",
        path: path.into(),
        source,
    };
    let write = || {
        // Whoever only looks takes no lock, and must not read half of it.
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut whole = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut whole, note)?;
        whole.persist(path)?;
        Ok(())
    };
    write().map_err(failed)
}

#[cfg(test)]
mod mutated;
