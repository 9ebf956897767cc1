//! The control-plane lane: for each release an API server and its operator, side by side on one etcd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use super::{Engine, EngineOptions, Operator, Options, RunError, Subjects};
use crate::artifact::{Programs, Store};
use crate::cluster::{ApiServer, ControlPlane, PlaneOptions};
use crate::operator::{Beside, BesideOptions, create_crds};
use crate::process::{Alarm, OWN_PROGRAM};
use crate::report::{Environment, ImageRecord, Origin, Outcome, Progress};
use crate::scenario::OperatorSettings;

/// Cells of one release at once; more wait longer for the operator, which works on one object at a time.
pub const JOBS: usize = 16;

/// A release with its API server and its operator, as those see it who run cells against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// The operator's release.
    pub release: Version,
    /// How the operator is set up, where that differs from its release's defaults.
    #[serde(default)]
    pub settings: OperatorSettings,
    /// Where its API server is.
    pub kubeconfig: PathBuf,
    operator: ImageRecord,
    operator_log: PathBuf,
    crds: PathBuf,
    samples: PathBuf,
    /// Whether it goes on after those who use it: then each removes what it made.
    #[serde(default)]
    stays: bool,
}

/// What keeps a site up; it goes when this is stopped or dropped.
pub(super) struct Running {
    /// Who reads it, uses the operator; who writes it, puts another in its place for a while.
    operator: RwLock<Option<Beside>>,
    api: ApiServer,
}

impl Running {
    pub(super) async fn stop(self) {
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
    Standing(Box<Attached>),
}

/// Control planes of another process.
struct Attached {
    standing: Standing,
    /// What is brought up for cells that need other settings than the standing operators have.
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
        let setup = PlaneSetup::new(options, &options.operators, progress).await?;
        match Standing::attach(&setup, purpose)? {
            Some(standing) => Ok(Self {
                sites: standing.sites().to_vec(),
                environment: setup.environment.clone(),
                held: Held::Standing(Box::new(Attached {
                    standing,
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
    pub(super) async fn start(options: &Options, progress: Arc<dyn Progress>) -> Result<Self, RunError> {
        Self::own(PlaneSetup::new(options, &options.operators, progress).await?).await
    }

    async fn own(setup: PlaneSetup) -> Result<Self, RunError> {
        let plane = setup.start().await?;
        let settings = |_: &Version| BTreeSet::from([OperatorSettings::default()]);
        let up = setup.each(&plane, settings, async |site| Ok(site)).await?;
        let (sites, running): (Vec<Vec<Site>>, _) = up.into_iter().unzip();
        Ok(Self {
            sites: sites.into_iter().flatten().collect(),
            environment: setup.environment.clone(),
            held: Held::Own(Box::new(Own { setup, running, plane })),
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
        let absent = || RunError::Standing(format!("no control plane of KubeRay {release} is up"));
        let index = self.sites.iter().position(|site| site.release == *release);
        let index = index.ok_or_else(absent)?;
        match &self.held {
            Held::Standing(_) if settings.is_default() => Ok(work(&self.sites[index]).await),
            Held::Standing(attached) => {
                let annex = attached.annex.get_or_try_init(async || {
                    let setup = attached.setup.lock().unwrap_or_else(PoisonError::into_inner).take();
                    Self::own(setup.ok_or_else(absent)?).await
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
                let operate = |settings| PlaneSetup::operate(&own.plane, parts, &running.api, settings);
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
            Held::Standing(attached) => attached.standing.alarm(),
        }
    }

    /// Ends all of it and removes its folder, where it is our own.
    pub async fn stop(self) {
        match self.held {
            Held::Own(own) => {
                join_all(own.running.into_iter().map(Running::stop)).await;
                own.plane.stop().await;
            }
            Held::Standing(attached) => {
                if let Some(annex) = attached.annex.into_inner() {
                    Box::pin(annex.stop()).await;
                }
            }
        }
    }
}

/// Whether nothing long begins when control planes of these releases are started: their programs are there.
pub async fn planes_are_at_hand(options: &Options, progress: Arc<dyn Progress>) -> bool {
    let Ok(store) = Store::open() else { return false };
    Programs::new(store, options.source, progress)
        .are_there(&options.operators)
        .await
}

/// The files that make a site.
struct Parts {
    release: Version,
    program: PathBuf,
    crds: PathBuf,
    samples: PathBuf,
    record: ImageRecord,
}

/// Programs of the lane, before anything is started.
pub(super) struct PlaneSetup {
    programs: Programs,
    state: PathBuf,
    progress: Arc<dyn Progress>,
    etcd: PathBuf,
    api_server: PathBuf,
    parts: Vec<Parts>,
    environment: Environment,
}

impl PlaneSetup {
    /// Finds, builds or pulls all programs of these releases.
    pub(super) async fn new(
        options: &Options,
        releases: &[Version],
        progress: Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let store = Store::open()?;
        let state = store.root().to_owned();
        let programs = Programs::new(store, options.source, Arc::clone(&progress));
        let (etcd, api_server) = (programs.etcd().await?, programs.kubernetes("kube-apiserver").await?);
        let pins = programs.pins();
        let (kubernetes, etcd_release) = (pins.kubernetes.clone(), pins.etcd.version.clone());
        let source = format!("k8s.io/kubernetes v{kubernetes}");
        let api_record = programs.record("kube-apiserver", source, &api_server).await?;
        let source = format!("go.etcd.io/etcd/server/v3 v{etcd_release}");
        let etcd_record = programs.record("etcd", source, &etcd).await?;
        let mut setup = Self {
            programs,
            state,
            progress,
            etcd,
            api_server,
            parts: Vec::new(),
            environment: Environment {
                kubernetes: format!("v{kubernetes}"),
                engine: "none (etcd, kube-apiserver and operators as processes)".into(),
                images: vec![api_record, etcd_record],
            },
        };
        for release in releases {
            let parts = setup.parts(options, release).await?;
            setup.environment.images.push(parts.record.clone());
            setup.parts.push(parts);
        }
        Ok(setup)
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether what is up is made of the same programs and has every release.
    pub(super) fn is_met_by(&self, environment: &Environment, sites: &[Site]) -> bool {
        let has = |parts: &Parts| {
            let mut own = sites.iter().filter(|site| site.release == parts.release);
            own.any(|site| site.operator == parts.record && site.crds == parts.crds)
        };
        // The first two are the API server and etcd.
        let common = self.environment.images.iter().take(2);
        common.into_iter().all(|image| environment.images.contains(image)) && self.parts.iter().all(has)
    }

    async fn parts(&self, options: &Options, release: &Version) -> Result<Parts, RunError> {
        if let Some(program) = &options.operator_binary {
            return self.own(options, release, program).await;
        }
        let program = self.programs.operator(release).await?;
        let module = self.programs.operator_module(release).await?;
        let pin = self.programs.pins().operator(release)?;
        let source = format!("Go module {} {} ({})", pin.module, pin.version, pin.sum);
        let name = format!("{}@{}", pin.module, pin.version);
        Ok(Parts {
            release: release.clone(),
            record: self.programs.record(&name, source, &program).await?,
            program,
            crds: module.join("config/crd/bases"),
            samples: module.join("config/samples"),
        })
    }

    /// A program of the user's own making, of a release that need not be pinned where its CRDs are given, too.
    async fn own(&self, options: &Options, release: &Version, program: &Path) -> Result<Parts, RunError> {
        let file = |source| RunError::File {
            doing: "looking for the operator",
            path: program.into(),
            source,
        };
        let program = std::fs::canonicalize(program).map_err(file)?;
        let (crds, samples) = if let Some(crds) = &options.crds {
            let beside = crds.join("../../samples");
            (crds.clone(), beside)
        } else {
            let module = self.programs.operator_module(release).await?;
            (module.join("config/crd/bases"), module.join("config/samples"))
        };
        let source = format!("the file {}", program.display());
        let mut record = self
            .programs
            .record("operator given as a file", source, &program)
            .await?;
        record.origin = Origin::Built;
        record.pinned = false;
        Ok(Parts {
            release: release.clone(),
            program,
            crds,
            samples,
            record,
        })
    }

    /// Starts etcd.
    pub(super) async fn start(&self) -> Result<ControlPlane, RunError> {
        let options = PlaneOptions {
            etcd: &self.etcd,
            state: &self.state,
            helper: Path::new(OWN_PROGRAM),
            progress: &*self.progress,
        };
        Ok(ControlPlane::start(options).await?)
    }

    /// Brings up every release beside the others, and hands each on as soon as it is ready; what comes of them is in
    /// the order of the releases. Starting takes a core, so that not more than there are start at once.
    ///
    /// `settings` says how the operator of a release is to be set up; a release for which it says nothing is left out.
    /// For each of them the operator is started anew, after the one before has ended: two operators would both work on
    /// every object, and no release can be told to leave some alone.
    pub(super) async fn each<T>(
        &self,
        plane: &ControlPlane,
        settings: impl Fn(&Version) -> BTreeSet<OperatorSettings>,
        then: impl AsyncFn(Site) -> Result<T, RunError>,
    ) -> Result<Vec<(Vec<T>, Running)>, RunError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let turns = Semaphore::new(cores);
        let one = async |(parts, settings): (&Parts, BTreeSet<OperatorSettings>)| {
            let mut turn = Some(turns.acquire().await);
            let api = self.serve(plane, parts).await?;
            let (mut results, mut running) = (Vec::new(), None::<Beside>);
            for settings in settings {
                if let Some(before) = running.take() {
                    before.stop().await;
                }
                let (site, operator) = Self::operate(plane, parts, &api, settings)?;
                drop(turn.take());
                running = Some(operator);
                results.push(then(site).await?);
            }
            let operator = RwLock::new(running);
            Ok::<_, RunError>((results, Running { operator, api }))
        };
        let wanted = self.parts.iter().map(|parts| (parts, settings(&parts.release)));
        let wanted = wanted.filter(|(_, settings)| !settings.is_empty());
        futures::future::try_join_all(wanted.map(one)).await
    }

    /// Brings up a release's API server with its CRDs.
    async fn serve(&self, plane: &ControlPlane, parts: &Parts) -> Result<ApiServer, RunError> {
        let task = format!("KubeRay {}", parts.release);
        self.progress.update(&task, "starting its API server");
        let api = plane.api_server(&self.api_server, &parts.release.to_string()).await?;
        self.progress.update(&task, "creating its CRDs");
        create_crds(&api.client, &parts.crds, &parts.release).await?;
        self.progress.finish(&task, Outcome::Passed, "its API server runs");
        Ok(api)
    }

    /// Starts a release's operator.
    fn operate(
        plane: &ControlPlane,
        parts: &Parts,
        api: &ApiServer,
        settings: OperatorSettings,
    ) -> Result<(Site, Beside), RunError> {
        let operator = Beside::start(BesideOptions {
            release: &parts.release,
            program: &parts.program,
            env: settings.env.clone(),
            kubeconfig: &api.kubeconfig,
            folder: &api.folder,
            helper: plane.helper(),
            alarm: plane.alarm(),
        })?;
        let site = Site {
            release: parts.release.clone(),
            settings,
            kubeconfig: api.kubeconfig.clone(),
            operator: parts.record.clone(),
            operator_log: operator.log(),
            crds: parts.crds.clone(),
            samples: parts.samples.clone(),
            stays: false,
        };
        Ok((site, operator))
    }
}

impl Site {
    /// The file with its operator's output.
    #[must_use]
    pub fn operator_log(&self) -> &Path {
        &self.operator_log
    }

    /// The folder of the release's own samples.
    #[must_use]
    pub fn samples(&self) -> &Path {
        &self.samples
    }

    /// The same, for those who use it while another process keeps it up.
    pub(super) fn that_stays(&self) -> Self {
        Self {
            stays: true,
            ..self.clone()
        }
    }

    /// An engine that runs cells against it. No container starts, so that of Ray only the release matters.
    ///
    /// # Errors
    /// When its API server can't be reached.
    pub async fn engine(
        &self,
        ray: &Version,
        options: EngineOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Result<Engine, RunError> {
        let client = crate::cluster::client(&self.kubeconfig).await?;
        let pins = crate::artifact::Pins::embedded();
        let image = ImageRecord {
            name: format!("{}:{ray}", pins.ray.image),
            origin: Origin::Pulled,
            source: "named only: no container starts".into(),
            digest: String::new(),
            pinned: false,
        };
        let subjects = Subjects {
            operator: Operator::Beside {
                log: self.operator_log.clone(),
                stays: self.stays,
            },
            operator_image: self.operator.clone(),
            samples: self.samples.clone(),
            rays: BTreeMap::from([(ray.clone(), image)]),
            permits: None,
        };
        Ok(Engine::new(client, subjects, options, progress, cancel).await?)
    }
}
