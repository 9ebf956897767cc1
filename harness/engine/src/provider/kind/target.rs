//! A kind cluster with an operator in it, and the note about that for those who attach.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{KindProvider, Stack};
use crate::artifact::{RaySource, Store};
use crate::operator::Installed;
use crate::process::{replace_file, stop_point};
use crate::progress::Progress;
use crate::provider::{
    Capabilities, CaseCleanUp, Health, Images, KindSpec, Phases, ReleaseSpec, Target, TargetError,
};
use crate::results::{Environment, ImageRecord};
use crate::target::{ClusterHandle, Holder, KindCluster, Patience, UP};

/// The note that `cluster up` writes beside the cluster's other files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperatorRecord {
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
pub struct KindTarget {
    handle: ClusterHandle,
    client: kube::Client,
    record: OperatorRecord,
}

impl KindTarget {
    /// Uses what is up, as it is; nothing is made.
    ///
    /// # Errors
    /// Fails when nothing is up, or when `cluster up` was cut short.
    pub async fn attach(
        spec: &KindSpec,
        progress: Arc<dyn Progress>,
        purpose: &str,
    ) -> Result<Self, TargetError> {
        let provider = KindProvider::new(spec, progress).await?;
        let lock = provider.cluster.lock("attach", Patience::default()).await?;
        let handle = provider.cluster.attach_holding(&lock, purpose).await?;
        // As long as the lock is held, nobody changes what the note tells.
        let record = read(provider.note())?.ok_or(TargetError::Unfinished)?;
        drop(lock);
        let client = handle.client().await?;
        Ok(Self {
            handle,
            client,
            record,
        })
    }

    /// Of what was just brought up.
    fn new(
        provider: &KindProvider,
        releases: &ReleaseSpec,
        stack: Stack,
    ) -> Result<Self, TargetError> {
        let record = OperatorRecord {
            operator: releases.operator()?.clone(),
            operator_image: stack.operator_image,
            namespace: stack.operator.namespace,
            deployment: stack.operator.deployment,
            ray: releases.ray.clone(),
            ray_image: stack.ray_image,
            samples: stack.samples,
            environment: stack.environment,
        };
        write(provider.note(), &record)?;
        Ok(Self {
            handle: stack.handle,
            client: stack.client,
            record,
        })
    }

    /// Notes again what runs, after something else ran meanwhile.
    pub(super) fn note_again(&self, provider: &KindProvider) -> Result<(), TargetError> {
        write(provider.note(), &self.record)
    }

    /// Release of the operator that runs.
    pub fn operator(&self) -> &Version {
        &self.record.operator
    }

    /// Release of Ray whose image the nodes can get.
    pub fn ray(&self) -> &Version {
        &self.record.ray
    }

    /// Returns the environment under test, for reports.
    pub fn environment(&self) -> &Environment {
        &self.record.environment
    }

    /// The cluster.
    pub fn cluster(&self) -> &ClusterHandle {
        &self.handle
    }

    /// Returns it as the target of cases.
    pub fn target(&self) -> Target {
        let record = &self.record;
        Target {
            client: self.client.clone(),
            environment: record.environment.clone(),
            health: Health::Deployment(Installed {
                release: record.operator.clone(),
                namespace: record.namespace.clone(),
                deployment: record.deployment.clone(),
                reused: true,
            }),
            images: Images {
                operator: record.operator_image.clone(),
                rays: BTreeMap::from([(record.ray.clone(), record.ray_image.clone())]),
            },
            samples: record.samples.clone(),
            capabilities: Capabilities {
                kubelet: true,
                allocations: Some(self.handle.kubeconfig.with_file_name(ALLOCATIONS)),
                capacity_share: 1,
                jobs: None,
                clean_up: CaseCleanUp::Namespace,
            },
        }
    }
}

/// The folder by which processes that use the cluster share its capacity.
const ALLOCATIONS: &str = "allocations";

/// Brings the kind cluster up with everything that cases need, and notes which releases are in it.
///
/// # Errors
/// Fails when a step fails, and when others use the cluster with other releases.
pub(crate) async fn bring_up(
    provider: &KindProvider,
    spec: &KindSpec,
    releases: &ReleaseSpec,
    phases: &mut Phases,
) -> Result<KindTarget, TargetError> {
    // Before anything long begins, and again when nobody else can change the answer any more.
    refuse_other_releases(provider, spec, releases)?;
    stop_point("releases-compared");
    let artifacts = provider.artifacts(spec, releases, phases).await?;
    let lock = provider.cluster.lock(UP, Patience::default()).await?;
    if refuse_other_releases(provider, spec, releases)?.is_empty() {
        forget(provider)?;
    }
    let stack = provider
        .up(&lock, spec, releases, artifacts, phases)
        .await?;
    KindTarget::new(provider, releases, stack)
}

/// Another operator would take the place of the one that others work with. Returns who works with
/// the same.
fn refuse_other_releases(
    provider: &KindProvider,
    spec: &KindSpec,
    releases: &ReleaseSpec,
) -> Result<Vec<Holder>, TargetError> {
    let users = provider.cluster.users()?;
    let Some((operator, ray)) = noted_releases(&spec.cluster) else {
        return Ok(users);
    };
    let is_own = spec.operator.image.is_some() || spec.ray != RaySource::Release;
    let same = operator == *releases.operator()? && ray == releases.ray && !is_own;
    if users.is_empty() || same {
        return Ok(users);
    }
    Err(TargetError::OtherReleases {
        cluster: spec.cluster.clone(),
        users,
        releases: format!("KubeRay {operator} and Ray {ray}"),
    })
}

/// Forgets what runs in the cluster, because it is about to change. The cluster's lock must be
/// held.
pub(super) fn forget(provider: &KindProvider) -> Result<(), TargetError> {
    match std::fs::remove_file(provider.note()) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(TargetError::File {
            doing: "removing",
            path: provider.note().into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Which releases of operator and Ray run in the cluster of this name, as `cluster up` noted it;
/// whether they still do, only [`KindTarget::attach`] tells.
pub fn noted_releases(cluster: &str) -> Option<(Version, Version)> {
    let store = Store::open().ok()?;
    let record = read(&KindCluster::note(store.root(), cluster)).ok()??;
    Some((record.operator, record.ray))
}

fn read(path: &Path) -> Result<Option<OperatorRecord>, TargetError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(TargetError::File {
                doing: "reading",
                path: path.into(),
                source,
            });
        }
    };
    // One of another release of the harness is as good as none.
    Ok(serde_json::from_slice(&text).ok())
}

fn write(path: &Path, record: &OperatorRecord) -> Result<(), TargetError> {
    let failed = |source| TargetError::File {
        doing: "writing",
        path: path.into(),
        source,
    };
    let write = || {
        // A reader takes no lock, and must not read half of it.
        replace_file(path, &serde_json::to_vec_pretty(record)?, 0o600)
    };
    write().map_err(failed)
}

#[cfg(test)]
mod mutated;
