//! An operator beside an API server that cases replace by another release, as an upgrade does.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use semver::Version;
use tokio::sync::Mutex;

use super::programs::{EnvtestPrograms, OperatorFiles};
use super::release::EnvtestRelease;
use crate::operator::Beside;
use crate::provider::{TargetError, Upgrade};
use crate::scenario::OperatorSettings;
use crate::target::{ApiServer, ControlPlane};

/// The API server of a release with its CRDs, and the operator that runs beside it now.
pub(crate) struct Replaceable<'a> {
    programs: &'a EnvtestPrograms,
    control_plane: &'a ControlPlane,
    parts: &'a OperatorFiles,
    api: &'a ApiServer,
    running: Mutex<Option<Beside>>,
}

impl<'a> Replaceable<'a> {
    pub(super) fn new(
        programs: &'a EnvtestPrograms,
        control_plane: &'a ControlPlane,
        parts: &'a OperatorFiles,
        api: &'a ApiServer,
        running: Option<Beside>,
    ) -> Self {
        Self {
            programs,
            control_plane,
            parts,
            api,
            running: Mutex::new(running),
        }
    }

    /// The release whose CRDs are there.
    pub(crate) fn release(&self) -> &Version {
        &self.parts.release
    }

    /// Ends what runs and starts the operator of a release.
    ///
    /// # Errors
    /// When it can't be started, or the setup does not have it.
    pub(crate) async fn put(
        &self,
        release: &Version,
        settings: &OperatorSettings,
    ) -> Result<EnvtestRelease, TargetError> {
        let parts = self.programs.parts_of(release).ok_or_else(|| {
            TargetError::Daemon(format!("the operator of KubeRay {release} is not there"))
        })?;
        let mut running = self.running.lock().await;
        if let Some(before) = running.take() {
            before.stop().await;
        }
        let settings = settings.clone();
        let (mut up, operator) =
            self.programs
                .operate(self.control_plane, parts, self.api, settings)?;
        *running = Some(operator);
        // What cases prove, they prove of the release that they end with.
        up.operator = self.parts.record.clone();
        Ok(up)
    }

    /// Ends what runs.
    pub(crate) async fn end(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.stop().await;
        }
    }

    pub(super) fn into_running(self) -> Option<Beside> {
        self.running.into_inner()
    }
}

/// Puts the release of the API server in the place of the one that runs.
pub(super) struct ToNewer<'a> {
    pub(crate) operator: &'a Replaceable<'a>,
    pub(crate) settings: &'a OperatorSettings,
}

impl Upgrade for ToNewer<'_> {
    /// It was put there with the target.
    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    fn end(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            self.operator.end().await;
            Ok(())
        }
        .boxed()
    }

    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            let put = self.operator.put(self.operator.release(), self.settings);
            put.await.map(|_| ()).map_err(|error| error.to_string())
        }
        .boxed()
    }
}
