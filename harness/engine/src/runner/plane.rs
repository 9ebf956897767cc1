//! The envtest: for each release an API server and its operator, side by side on one etcd.

mod replaceable;
mod setup;
mod site;
mod stored;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use semver::Version;
use tokio::sync::{OnceCell, RwLock};

use super::daemon::Daemon;
use super::{Options, RunError};
use crate::operator::Beside;
use crate::process::Alarm;
use crate::progress::Progress;
use crate::results::Environment;
use crate::scenario::OperatorSettings;
use crate::target::{ApiServer, ControlPlane};
pub(crate) use replaceable::{Replaceable, ToNewer};
pub(crate) use setup::PlaneSetup;
pub use site::Site;

/// Cases of one release at once; more wait longer for the operator, which works on one object at a time.
pub const JOBS: usize = 16;

/// What keeps a site up; it goes when this is stopped or dropped.
pub(crate) struct Running {
    /// Who reads it, uses the operator; who writes it, puts another in its place for a while.
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

/// Control planes of several releases that are up.
pub struct Planes {
    sites: Vec<Site>,
    environment: Environment,
    held: Held,
}

/// What keeps control planes up.
enum Held {
    /// This process; they go when this is stopped or dropped.
    Own(Box<Own>),
    /// Another, for as long as it likes.
    Daemon(Box<Attached>),
}

/// Control planes of another process.
struct Attached {
    daemon: Daemon,
    /// What is brought up for cases that need other settings than the daemon operators have.
    annex: OnceCell<Planes>,
    setup: Mutex<Option<PlaneSetup>>,
}

/// Control planes that this process keeps up.
struct Own {
    setup: PlaneSetup,
    running: Vec<Running>,
    plane: ControlPlane,
}

impl Planes {
    /// Uses those that are up where they are made of the same, else brings up one for each release of the options.
    ///
    /// # Errors
    /// When a program can't be had, or does not come to serve.
    pub async fn find_or_start(
        options: &Options,
        progress: Arc<dyn Progress>,
        purpose: &str,
    ) -> Result<Self, RunError> {
        let setup = PlaneSetup::new(options, &options.operators, Arc::clone(&progress)).await?;
        match Daemon::attach(&setup, purpose, &*progress).await? {
            Some(daemon) => Ok(Self {
                sites: daemon.sites().to_vec(),
                environment: setup.environment.clone(),
                held: Held::Daemon(Box::new(Attached {
                    daemon,
                    annex: OnceCell::new(),
                    setup: Mutex::new(Some(setup)),
                })),
            }),
            None => Self::own(setup).await,
        }
    }

    /// Brings up one for each release of the options.
    ///
    /// # Errors
    /// When a program can't be had, or does not come to serve.
    pub(crate) async fn start(
        options: &Options,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        Self::own(PlaneSetup::new(options, &options.operators, progress).await?).await
    }

    async fn own(setup: PlaneSetup) -> Result<Self, RunError> {
        let plane = setup.start().await?;
        let settings = |_: &Version| BTreeSet::from([OperatorSettings::default()]);
        let up = setup.each(&plane, settings, async |site| Ok(site), async |_| Ok(None));
        let up = up.await?;
        let (sites, running): (Vec<Vec<Site>>, _) = up.into_iter().unzip();
        Ok(Self {
            sites: sites.into_iter().flatten().collect(),
            environment: setup.environment.clone(),
            held: Held::Own(Box::new(Own {
                setup,
                running,
                plane,
            })),
        })
    }

    /// Does the work while the operator of a release is set up as given. Who wants it otherwise waits meanwhile.
    ///
    /// # Errors
    /// When an operator can't be started, or there is none of this release.
    pub async fn with_settings<T>(
        &self,
        release: &Version,
        settings: &OperatorSettings,
        work: impl AsyncFnOnce(&Site) -> T,
    ) -> Result<T, RunError> {
        let absent = || RunError::Daemon(format!("no control plane of KubeRay {release} is up"));
        let index = self.sites.iter().position(|site| site.release == *release);
        let index = index.ok_or_else(absent)?;
        match &self.held {
            Held::Daemon(_) if settings.is_default() => Ok(work(&self.sites[index]).await),
            Held::Daemon(attached) => {
                let annex = attached.annex.get_or_try_init(async || {
                    let setup = attached
                        .setup
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take();
                    let annex = Self::own(setup.ok_or_else(absent)?).await?;
                    // Who uses either listens to one alarm.
                    let (own, common) = (annex.alarm().clone(), attached.daemon.alarm().clone());
                    tokio::spawn(async move { common.ring(own.rung().await) });
                    Ok::<_, RunError>(annex)
                });
                let annex = Box::pin(annex).await?;
                Box::pin(annex.with_settings(release, settings, work)).await
            }
            Held::Own(own) => {
                let (running, parts) = (&own.running[index], &own.setup.parts[index]);
                if settings.is_default() {
                    let _operator = running.operator.read().await;
                    return Ok(work(&self.sites[index]).await);
                }
                let mut operator = running.operator.write().await;
                if let Some(before) = operator.take() {
                    before.stop().await;
                }
                let operate =
                    |settings| own.setup.operate(&own.plane, parts, &running.api, settings);
                let (site, other) = operate(settings.clone())?;
                let done = work(&site).await;
                other.stop().await;
                *operator = Some(operate(OperatorSettings::default())?.1);
                Ok(done)
            }
        }
    }

    /// A site for each release.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// What they are made of, for reports.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Rings when a program of them ends by itself.
    pub fn alarm(&self) -> &Alarm {
        match &self.held {
            Held::Own(own) => own.plane.alarm(),
            Held::Daemon(attached) => attached.daemon.alarm(),
        }
    }

    /// Ends all of it and removes its folder, where it is our own.
    pub async fn stop(self) {
        match self.held {
            Held::Own(own) => {
                join_all(own.running.into_iter().map(Running::stop)).await;
                own.plane.stop().await;
            }
            Held::Daemon(attached) => {
                if let Some(annex) = attached.annex.into_inner() {
                    Box::pin(annex.stop()).await;
                }
            }
        }
    }
}
