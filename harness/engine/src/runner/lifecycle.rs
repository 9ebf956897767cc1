//! Targets that stay up: `cluster up`, `cluster down` and `cluster status`.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use super::availability::available_releases;
use super::{RunError, cleanup};
use crate::progress::Progress;
use crate::provider::{
    CaseNamespaces, ReleaseSpec, TargetDown, TargetError, TargetSpec, TargetState, TargetUp,
};

/// Brings targets up with the operator and Ray's image, and leaves them up.
///
/// # Errors
/// When a step fails; what was made by then stays, for the next `cluster up` or `cluster down`.
pub async fn up(
    releases: &ReleaseSpec,
    targets: &[TargetSpec],
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<Vec<TargetUp>, RunError> {
    let releases = &tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted.into()),
        available = available_releases(releases, targets, &progress) => available?,
    };
    let mut all = Vec::new();
    for target in targets {
        all.extend(target.up(releases, Arc::clone(&progress), &cancel).await?);
    }
    Ok(all)
}

/// Takes down exactly what was made; returns what was up.
///
/// # Errors
/// When another process uses the cluster, or the engine refuses.
pub async fn down(
    targets: &[TargetSpec],
    progress: Arc<dyn Progress>,
) -> Result<Vec<TargetDown>, RunError> {
    let mut all = Vec::new();
    for target in concerned(targets) {
        all.extend(target.down(&OfCases, Arc::clone(&progress)).await?);
    }
    Ok(all)
}

/// Returns what is up.
///
/// # Errors
/// When the state file, the engine or the cluster can't be read.
pub async fn status(
    targets: &[TargetSpec],
    progress: Arc<dyn Progress>,
) -> Result<Vec<TargetState>, RunError> {
    let mut all = Vec::new();
    for target in concerned(targets) {
        all.extend(target.state(&OfCases, Arc::clone(&progress)).await?);
    }
    Ok(all)
}

/// Those that were ever made, or the only one that was asked about.
fn concerned(targets: &[TargetSpec]) -> impl Iterator<Item = &TargetSpec> {
    let alone = targets.len() == 1;
    targets
        .iter()
        .filter(move |target| alone || target.was_made())
}

/// The namespaces that runs make for their cases.
struct OfCases;

impl CaseNamespaces for OfCases {
    fn count<'a>(
        &'a self,
        client: &'a kube::Client,
    ) -> LocalBoxFuture<'a, Result<usize, kube::Error>> {
        cleanup::count(client).boxed_local()
    }

    fn remove_left<'a>(
        &'a self,
        client: &'a kube::Client,
        progress: &'a dyn Progress,
    ) -> LocalBoxFuture<'a, Result<Vec<String>, kube::Error>> {
        cleanup::remove_left(client, progress).boxed_local()
    }
}
