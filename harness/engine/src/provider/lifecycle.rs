//! Targets that stay up: each provider brings its target up, looks at it, and takes it down.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::envtest::daemon;
use super::existing::lifecycle as existing;
use super::kind::lifecycle as kind;
use super::{
    CaseNamespaces, KindSpec, ReleaseSpec, TargetDown, TargetError, TargetSpec, TargetState,
    TargetUp,
};
use crate::progress::Progress;

impl TargetSpec {
    /// Brings the target up and leaves it up. `None` for one that exists anyway.
    ///
    /// # Errors
    /// Fails when a step fails; what was made by then stays.
    pub(crate) async fn up(
        &self,
        releases: &ReleaseSpec,
        progress: Arc<dyn Progress>,
        cancel: &CancellationToken,
    ) -> Result<Option<TargetUp>, TargetError> {
        match self {
            Self::Envtest(spec) => {
                let up = daemon::up(releases, spec, progress, cancel.clone());
                up.await.map(Some)
            }
            Self::Kind(spec) => tokio::select! {
                biased;
                () = cancel.cancelled() => Err(TargetError::Interrupted),
                up = kind::up(releases, spec, progress) => up.map(Some),
            },
            Self::Existing(_) => Ok(None),
        }
    }

    /// Returns the state of the target; `None` where nothing is up.
    ///
    /// # Errors
    /// Fails when the state file, the engine or the cluster can't be read.
    pub(crate) async fn state(
        &self,
        namespaces: &dyn CaseNamespaces,
        progress: Arc<dyn Progress>,
    ) -> Result<Option<TargetState>, TargetError> {
        match self {
            Self::Envtest(_) => Ok(daemon::state()?.map(TargetState::Envtest)),
            Self::Kind(spec) => kind::state(spec, progress).await,
            Self::Existing(spec) => {
                let state = existing::state(spec, namespaces).await?;
                Ok(Some(TargetState::Existing(state)))
            }
        }
    }

    /// Takes down exactly what was made; `None` where nothing was up.
    ///
    /// # Errors
    /// Fails when another process uses the target, or the engine or the API server refuses.
    pub(crate) async fn down(
        &self,
        namespaces: &dyn CaseNamespaces,
        progress: Arc<dyn Progress>,
    ) -> Result<Option<TargetDown>, TargetError> {
        match self {
            Self::Envtest(_) => {
                let was_up = daemon::down(&*progress).await?;
                Ok(was_up.then_some(TargetDown::Envtest))
            }
            Self::Kind(spec) => kind::down(spec, progress).await,
            Self::Existing(spec) => existing::down(spec, namespaces, &*progress).await.map(Some),
        }
    }

    /// Whether the target was ever made: only then is there a reason to ask a container engine,
    /// which may not be there.
    pub(crate) fn was_made(&self) -> bool {
        match self {
            Self::Envtest(_) | Self::Existing(_) => true,
            Self::Kind(KindSpec { cluster, .. }) => kind::was_made(cluster),
        }
    }
}
