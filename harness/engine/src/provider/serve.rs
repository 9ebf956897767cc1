//! Serves the targets of a run: a provider brings them up one after the other, and hands each to
//! the runner with its cases.

use std::sync::Arc;

use semver::Version;

use super::existing::ExistingProvider;
use super::{
    EnvtestSpec, KindSpec, ReleaseSpec, Serve, TargetError, TargetSpec, custom_manifests, envtest,
    kind,
};
use crate::progress::Progress;
use crate::scenario::TargetKind;

/// The provider of a target of a run.
pub(crate) enum Provider {
    /// Of envtest.
    Envtest(EnvtestSpec),
    /// Of a kind cluster.
    Kind {
        /// Its description.
        spec: Box<KindSpec>,
        /// The release of the operator that the user brings.
        release: Option<Version>,
    },
    /// Of a cluster that exists.
    Existing(Box<ExistingProvider>),
}

impl Provider {
    /// Finds what has to be known of a target before cases are planned. Nothing is made.
    ///
    /// # Errors
    /// Fails when an existing cluster or its operator can't be used, and when manifests can't be
    /// rendered.
    pub(crate) async fn find(
        spec: &TargetSpec,
        releases: &ReleaseSpec,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        Ok(match spec {
            TargetSpec::Envtest(spec) => Self::Envtest(spec.clone()),
            TargetSpec::Kind(spec) => Self::Kind {
                spec: Box::new(spec.clone()),
                release: custom_manifests::release(spec, releases, progress).await?,
            },
            TargetSpec::Existing(spec) => {
                let found = ExistingProvider::find(spec, releases, Arc::clone(progress));
                Self::Existing(Box::new(found.await?))
            }
        })
    }

    /// Returns the kind of target.
    pub(crate) fn kind(&self) -> TargetKind {
        match self {
            Self::Envtest(_) => TargetKind::Envtest,
            Self::Kind { .. } => TargetKind::Kind,
            Self::Existing(_) => TargetKind::Existing,
        }
    }

    /// Returns the release of the operator, where the target decides it and not the run.
    pub(crate) fn release(&self) -> Option<&Version> {
        match self {
            Self::Envtest(_) => None,
            Self::Kind { release, .. } => release.as_ref(),
            Self::Existing(found) => Some(found.release()),
        }
    }

    /// Returns the identity of a target that exists already.
    pub(crate) fn identity(&self) -> Option<&str> {
        match self {
            Self::Envtest(_) | Self::Kind { .. } => None,
            Self::Existing(found) => Some(found.identity()),
        }
    }

    /// Sets the number of nodes, where the target is made and no number is named: how many are
    /// needed, and how many a new cluster gets.
    pub(crate) fn size(&mut self, nodes: impl FnOnce() -> (u32, u32)) {
        if let Self::Kind { spec, .. } = self
            && spec.nodes.is_none()
        {
            let (needed, preferred_nodes) = nodes();
            (spec.nodes, spec.preferred_nodes) = (Some(needed), Some(preferred_nodes));
        }
    }

    /// Brings targets up for the cases, hands each to the runner, and takes down what it made.
    ///
    /// # Errors
    /// Fails when a target can't be created or breaks, and when the run is cut short.
    pub(crate) async fn serve(self, serve: &mut Serve<'_>) -> Result<(), TargetError> {
        match self {
            Self::Envtest(spec) => envtest::serve(&spec, serve).await,
            Self::Kind { spec, .. } => kind::serve(&spec, serve).await,
            Self::Existing(found) => found.serve(serve).await,
        }
    }
}
