//! The envtest: for each release an API server and its operator, side by side on one etcd.

pub mod daemon;
mod programs;
mod release;
mod replaceable;
mod serve;
mod stored;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use semver::Version;
use tokio::sync::{OnceCell, RwLock};

use super::{EnvtestSpec, ReleaseSpec, RunEnd, TargetError};
use crate::operator::Beside;
use crate::process::Alarm;
use crate::progress::Progress;
use crate::results::Environment;
use crate::scenario::OperatorSettings;
use crate::target::{ApiServer, ControlPlane};
use daemon::Daemon;
pub(crate) use programs::EnvtestPrograms;
pub use programs::GIVEN_OPERATOR;
pub use release::EnvtestRelease;
pub(super) use serve::serve;

/// Cases of one release at once; more wait longer for the operator, which works on one object at a
/// time.
const JOBS: usize = 16;

/// What serves a release; it ends when this is stopped or dropped.
pub(crate) struct Running {
    /// Readers use the operator; a writer replaces it.
    operator: RwLock<Option<Beside>>,
    api: ApiServer,
}

impl Running {
    pub(crate) async fn stop(self) {
        if let Some(operator) = self.operator.into_inner() {
            operator.stop().await;
        }
        self.api.stop().await;
    }
}

/// Several releases that are up, side by side.
pub struct Envtest {
    releases: Vec<EnvtestRelease>,
    environment: Environment,
    kept: KeptBy,
}

/// What keeps API servers up.
enum KeptBy {
    /// This process; they go when this is stopped or dropped.
    Own(Box<Own>),
    /// Another, for as long as it likes.
    Daemon(Box<Attached>),
}

/// API servers of another process.
struct Attached {
    daemon: Daemon,
    /// What is brought up for cases that need other settings than the daemon operators have.
    annex: OnceCell<Envtest>,
    programs: Mutex<Option<EnvtestPrograms>>,
}

/// API servers that this process keeps up.
struct Own {
    programs: EnvtestPrograms,
    running: Vec<Running>,
    plane: ControlPlane,
}

impl Envtest {
    /// Uses those that are up where they are made of the same, else brings up one for each release.
    ///
    /// # Errors
    /// When a program can't be had, or does not come to serve.
    pub async fn find_or_start(
        releases: &ReleaseSpec,
        spec: &EnvtestSpec,
        progress: Arc<dyn Progress>,
        purpose: &str,
    ) -> Result<Self, TargetError> {
        let operators = &releases.operators;
        let programs =
            EnvtestPrograms::new(releases, spec, operators, Arc::clone(&progress)).await?;
        match Daemon::attach(&programs, purpose, &*progress).await? {
            Some(daemon) => Ok(Self {
                releases: daemon.releases().to_vec(),
                environment: programs.environment().clone(),
                kept: KeptBy::Daemon(Box::new(Attached {
                    daemon,
                    annex: OnceCell::new(),
                    programs: Mutex::new(Some(programs)),
                })),
            }),
            None => Self::own(programs).await,
        }
    }

    /// Brings up one for each release.
    ///
    /// # Errors
    /// When a program can't be had, or does not come to serve.
    pub(crate) async fn start(
        releases: &ReleaseSpec,
        spec: &EnvtestSpec,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let operators = &releases.operators;
        Self::own(EnvtestPrograms::new(releases, spec, operators, progress).await?).await
    }

    async fn own(programs: EnvtestPrograms) -> Result<Self, TargetError> {
        let plane = programs.start().await?;
        let settings = |_: &Version| vec![OperatorSettings::default()];
        let end = RunEnd::never();
        let up = programs.each(
            (&plane, &end),
            settings,
            async |up| Ok::<_, TargetError>(up),
            async |_| Ok(None),
        );
        let up = up.await?;
        let (releases, running): (Vec<Vec<EnvtestRelease>>, _) = up.into_iter().unzip();
        Ok(Self {
            releases: releases.into_iter().flatten().collect(),
            environment: programs.environment().clone(),
            kept: KeptBy::Own(Box::new(Own {
                programs,
                running,
                plane,
            })),
        })
    }

    /// Does the work while the operator of a release is set up as given. Who wants it otherwise
    /// waits meanwhile.
    ///
    /// # Errors
    /// When an operator can't be started, or there is none of this release.
    pub async fn with_settings<T>(
        &self,
        release: &Version,
        settings: &OperatorSettings,
        work: impl AsyncFnOnce(&EnvtestRelease) -> T,
    ) -> Result<T, TargetError> {
        let absent = || TargetError::Daemon(format!("no API server of KubeRay {release} is up"));
        let index = self.releases.iter().position(|up| up.release == *release);
        let index = index.ok_or_else(absent)?;
        match &self.kept {
            KeptBy::Daemon(_) if settings.is_default() => Ok(work(&self.releases[index]).await),
            KeptBy::Daemon(attached) => {
                let annex = attached.annex.get_or_try_init(async || {
                    let programs = attached
                        .programs
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take();
                    let annex = Self::own(programs.ok_or_else(absent)?).await?;
                    // Who uses either listens to one alarm.
                    let (own, common) = (annex.alarm().clone(), attached.daemon.alarm().clone());
                    tokio::spawn(async move { common.ring(own.rung().await) });
                    Ok::<_, TargetError>(annex)
                });
                let annex = Box::pin(annex).await?;
                Box::pin(annex.with_settings(release, settings, work)).await
            }
            KeptBy::Own(own) => {
                let (running, parts) = (&own.running[index], &own.programs.parts[index]);
                if settings.is_default() {
                    let _operator = running.operator.read().await;
                    return Ok(work(&self.releases[index]).await);
                }
                let mut operator = running.operator.write().await;
                if let Some(before) = operator.take() {
                    before.stop().await;
                }
                let operate = |settings| {
                    own.programs
                        .operate(&own.plane, parts, &running.api, settings)
                };
                let (up, other) = operate(settings.clone())?;
                let done = work(&up).await;
                other.stop().await;
                *operator = Some(operate(OperatorSettings::default())?.1);
                Ok(done)
            }
        }
    }

    /// The releases that are up.
    pub fn releases(&self) -> &[EnvtestRelease] {
        &self.releases
    }

    /// What they are made of, for reports.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Rings when a program of them ends by itself.
    pub fn alarm(&self) -> &Alarm {
        match &self.kept {
            KeptBy::Own(own) => own.plane.alarm(),
            KeptBy::Daemon(attached) => attached.daemon.alarm(),
        }
    }

    /// Ends all of it and removes its folder, where it is our own.
    pub async fn stop(self) {
        match self.kept {
            KeptBy::Own(own) => {
                join_all(own.running.into_iter().map(Running::stop)).await;
                own.plane.stop().await;
            }
            KeptBy::Daemon(attached) => {
                if let Some(annex) = attached.annex.into_inner() {
                    Box::pin(annex.stop()).await;
                }
            }
        }
    }
}
