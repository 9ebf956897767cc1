//! The input of a provider, and its output for the runner: targets with their cases.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use super::{Phases, ReleaseSpec, RunEnd, Target, TargetError, Upgrade};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::results::{Environment, ImageRecord};
use crate::scenario::TargetKind;

/// The cases that a provider serves, and the runner for them.
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
    /// The target that they run against.
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
