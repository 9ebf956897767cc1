//! Brings up every release, one beside the other.

use semver::Version;
use tokio::sync::{RwLock, Semaphore};

use super::Running;
use super::programs::{EnvtestPrograms, OperatorFiles};
use super::release::EnvtestRelease;
use super::replaceable::Replaceable;
use crate::operator::Beside;
use crate::provider::{RunEnd, TargetError};
use crate::scenario::OperatorSettings;
use crate::target::ControlPlane;

impl EnvtestPrograms {
    /// Brings up every release beside the others, and hands each on as soon as it is ready; what
    /// comes of them is in the order of the releases. Starting takes a core, so that not more than
    /// there are start at once.
    ///
    /// `settings` says how the operator of a release is to be set up; a release for which it says
    /// nothing is left out. For each of them in turn the operator is started anew, after the one
    /// before has ended: two operators would both work on every object, and no release has a
    /// setting that excludes objects. In the end `upgrades` may replace the operator.
    ///
    /// Programs that are starting when the run ends are dropped; running ones are waited for.
    pub(crate) async fn each<T, E: From<TargetError>>(
        &self,
        (control_plane, end): (&ControlPlane, &RunEnd),
        settings: impl Fn(&Version) -> Vec<OperatorSettings>,
        then: impl AsyncFn(EnvtestRelease) -> Result<T, E>,
        upgrades: impl AsyncFn(&Replaceable<'_>) -> Result<Option<T>, E>,
    ) -> Result<Vec<(Vec<T>, Running)>, E> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let turns = Semaphore::new(cores);
        let one = async |(parts, settings): (&OperatorFiles, Vec<OperatorSettings>)| {
            let started = async {
                let turn = turns.acquire().await;
                Ok::<_, TargetError>((Some(turn), self.serve(control_plane, parts).await?))
            };
            let (mut turn, api) = match end.limit(started).await {
                Ok(started) => started,
                Err(ended) if end.is_over() => return Ok(Err(ended)),
                Err(error) => return Err(error.into()),
            };
            let (mut results, mut running) = (Vec::new(), None::<Beside>);
            for settings in settings {
                if let Some(before) = running.take() {
                    before.stop().await;
                }
                let (up, operator) = self.operate(control_plane, parts, &api, settings)?;
                drop(turn.take());
                running = Some(operator);
                results.push(then(up).await?);
            }
            let replaceable = Replaceable::new(self, control_plane, parts, &api, running);
            results.extend(upgrades(&replaceable).await?);
            let operator = RwLock::new(replaceable.into_running());
            drop(turn);
            Ok::<_, E>(Ok((results, Running { operator, api })))
        };
        let wanted = self
            .parts
            .iter()
            .map(|parts| (parts, settings(&parts.release)));
        let wanted = wanted.filter(|(_, settings)| !settings.is_empty());
        let done = futures::future::try_join_all(wanted.map(one)).await?;
        let done: Result<Vec<_>, TargetError> = done.into_iter().collect();
        Ok(done?)
    }
}
