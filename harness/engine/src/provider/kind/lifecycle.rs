//! A kind cluster that stays up.

use std::sync::Arc;

use super::{KindProvider, bring_up, noted_releases};
use crate::artifact::Store;
use crate::process::stop_point;
use crate::progress::Progress;
use crate::provider::state::{KindState, TargetDown, TargetState, TargetUp};
use crate::provider::{KindSpec, Phases, ReleaseSpec, TargetError};
use crate::target::{Holder, KindCluster, Patience, Status};

/// Whether a cluster of this name was ever made here.
pub(in crate::provider) fn was_made(cluster: &str) -> bool {
    Store::open().is_ok_and(|store| KindCluster::folder(store.root(), cluster).is_dir())
}

/// Brings the cluster up with the operator and Ray's image, and leaves it up.
pub(in crate::provider) async fn up(
    releases: &ReleaseSpec,
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<TargetUp, TargetError> {
    let spec = KindSpec {
        keep: true,
        ..spec.clone()
    };
    let provider = KindProvider::ready_to_bring_up(&spec, progress).await?;
    let up = bring_up(&provider, &spec, releases, &mut Phases::start()).await?;
    let state = state_of(&spec, &provider).await?;
    drop(up);
    Ok(TargetUp {
        state: state.ok_or(TargetError::Unfinished)?,
        was_up: false,
    })
}

/// Takes the cluster down; `None` where nothing was up.
pub(in crate::provider) async fn down(
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<Option<TargetDown>, TargetError> {
    let provider = KindProvider::new(spec, progress).await?;
    let removed = provider.cluster.down(Patience::default()).await?.removed;
    stop_point("cluster-removed");
    Ok((!removed.is_empty()).then_some(TargetDown::Kind(removed)))
}

/// Returns what is up.
pub(in crate::provider) async fn state(
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<Option<TargetState>, TargetError> {
    let provider = KindProvider::new(spec, progress).await?;
    state_of(spec, &provider).await
}

async fn state_of(
    spec: &KindSpec,
    provider: &KindProvider,
) -> Result<Option<TargetState>, TargetError> {
    let cluster = spec.cluster.clone();
    Ok(match provider.cluster.status().await? {
        Status::Down => None,
        Status::Incomplete { why } => Some(TargetState::IncompleteKind { cluster, why }),
        Status::Up {
            kubernetes,
            since,
            nodes,
            kubeconfig,
            users,
            ..
        } => Some(TargetState::Kind(KindState {
            releases: noted_releases(&cluster),
            engine: provider.engine().to_owned(),
            users: users.iter().map(Holder::to_string).collect(),
            cluster,
            kubernetes,
            since,
            nodes,
            kubeconfig,
        })),
    })
}
