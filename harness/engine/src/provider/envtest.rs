//! The envtest: for each release an API server and its operator, side by side on one etcd.

mod bring_up;
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
use crate::process::FirstEnd;
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

/// The API server and the operator of a release; both end when this is stopped or dropped.
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
    lifetime: Lifetime,
}

/// The process that keeps API servers up.
enum Lifetime {
    /// This process; they go when this is stopped or dropped.
    Run(Box<OwnServers>),
    /// Another, for as long as it likes.
    Daemon(Box<Attached>),
}

/// API servers of another process.
struct Attached {
    daemon: Daemon,
    /// API servers and operators for cases that need other settings than those of the daemon's
    /// operators.
    annex: OnceCell<Envtest>,
    programs: Mutex<Option<EnvtestPrograms>>,
}

/// API servers that this process keeps up.
struct OwnServers {
    programs: EnvtestPrograms,
    running: Vec<Running>,
    control_plane: ControlPlane,
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
                lifetime: Lifetime::Daemon(Box::new(Attached {
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
        let control_plane = programs.start().await?;
        let settings = |_: &Version| vec![OperatorSettings::default()];
        let end = RunEnd::never();
        let up = programs.each(
            (&control_plane, &end),
            settings,
            async |up| Ok::<_, TargetError>(up),
            async |_| Ok(None),
        );
        let up = up.await?;
        let (releases, running): (Vec<Vec<EnvtestRelease>>, _) = up.into_iter().unzip();
        Ok(Self {
            releases: releases.into_iter().flatten().collect(),
            environment: programs.environment().clone(),
            lifetime: Lifetime::Run(Box::new(OwnServers {
                programs,
                running,
                control_plane,
            })),
        })
    }

    /// Does the work while the operator of a release has these settings. Work with other settings
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
        match &self.lifetime {
            Lifetime::Daemon(_) if settings.is_default() => Ok(work(&self.releases[index]).await),
            Lifetime::Daemon(attached) => {
                let annex = attached.annex.get_or_try_init(async || {
                    let programs = attached
                        .programs
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take();
                    let annex = Self::own(programs.ok_or_else(absent)?).await?;
                    // Users of either wait for one first end.
                    let (own, common) = (
                        annex.first_end().clone(),
                        attached.daemon.first_end().clone(),
                    );
                    tokio::spawn(async move { common.report(own.ended().await) });
                    Ok::<_, TargetError>(annex)
                });
                let annex = Box::pin(annex).await?;
                Box::pin(annex.with_settings(release, settings, work)).await
            }
            Lifetime::Run(own) => {
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
                        .operate(&own.control_plane, parts, &running.api, settings)
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

    /// Returns the environment of the releases, for reports.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The first end of a program of them.
    pub fn first_end(&self) -> &FirstEnd {
        match &self.lifetime {
            Lifetime::Run(own) => own.control_plane.first_end(),
            Lifetime::Daemon(attached) => attached.daemon.first_end(),
        }
    }

    /// Ends all of it and removes its folder, where it is our own.
    pub async fn stop(self) {
        match self.lifetime {
            Lifetime::Run(own) => {
                join_all(own.running.into_iter().map(Running::stop)).await;
                own.control_plane.stop().await;
            }
            Lifetime::Daemon(attached) => {
                if let Some(annex) = attached.annex.into_inner() {
                    Box::pin(annex.stop()).await;
                }
            }
        }
    }
}
