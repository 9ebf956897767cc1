//! How a run gets its targets: a provider brings them up one after the other and hands each to the
//! runner with its cases.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use semver::Version;
use tokio_util::sync::CancellationToken;

use super::existing::ExistingProvider;
use super::{
    EnvtestSpec, KindSpec, Phases, ReleaseSpec, RunEnd, Target, TargetError, TargetSpec, Upgrade,
    custom_manifests, envtest, kind,
};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::results::{Environment, ImageRecord};
use crate::scenario::TargetKind;

/// The provider of a target of a run.
pub(crate) enum Provider {
    /// Of envtest.
    Envtest(EnvtestSpec),
    /// Of a kind cluster.
    Kind {
        /// How it is made.
        spec: Box<KindSpec>,
        /// The release of the operator that the user brings.
        release: Option<Version>,
    },
    /// Of a cluster that exists.
    Existing(Box<ExistingProvider>),
}

/// What a provider serves.
pub(crate) struct Serve<'a> {
    /// The releases of the run.
    pub(crate) releases: &'a ReleaseSpec,
    /// The cases for this target.
    pub(crate) cases: &'a [TestCase],
    /// When the run ends.
    pub(crate) end: &'a RunEnd,
    pub(crate) progress: &'a Arc<dyn Progress>,
    /// Times the parts of the run.
    pub(crate) phases: &'a mut Phases,
    /// Runs the cases.
    pub(crate) runner: &'a dyn CaseRunner,
}

/// Cases for a target that is up.
pub(crate) struct Batch<'a> {
    /// What they run against.
    pub(crate) target: Target,
    /// The cases.
    pub(crate) cases: Vec<TestCase>,
    /// Ends them.
    pub(crate) cancel: &'a CancellationToken,
    /// Replaces the operator during the case, where it begins with an older release.
    pub(crate) upgrade: Option<&'a dyn Upgrade>,
}

/// Ends when the objects of a batch are removed. A provider that removes the whole target need not
/// wait for it.
pub(crate) type CleanUp = LocalBoxFuture<'static, ()>;

/// The runner, as providers see it.
pub(crate) trait CaseRunner: Sync {
    /// Learns what a target is made of, as soon as that is known.
    fn made_of(&self, target: TargetKind, environment: &Environment);

    /// Returns the cases that are still to be run on these images: those that did not pass before.
    fn rest(
        &self,
        cases: &[TestCase],
        images: &dyn Fn(&TestCase) -> Vec<ImageRecord>,
    ) -> Vec<TestCase>;

    /// Runs cases on a target until each has its result.
    ///
    /// # Errors
    /// Fails when no case can run there.
    fn run<'a>(&'a self, batch: Batch<'a>) -> LocalBoxFuture<'a, Result<CleanUp, TargetError>>;
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
            let (needed, roomy) = nodes();
            (spec.nodes, spec.roomy) = (Some(needed), Some(roomy));
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
