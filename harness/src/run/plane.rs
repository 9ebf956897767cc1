//! The control-plane lane: for each release an API server and its operator, side by side on one etcd.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use super::{Engine, EngineOptions, Operator, Options, RunError, Subjects};
use crate::artifact::{Programs, Store};
use crate::cluster::{ApiServer, ControlPlane, PlaneOptions};
use crate::operator::{Beside, BesideOptions};
use crate::process::{Alarm, OWN_PROGRAM};
use crate::report::{Environment, ImageRecord, Origin, Progress};

/// Cells of one release at once; more wait longer for the operator, which works on one object at a time.
pub const JOBS: usize = 16;

/// A release with its API server and its operator, as those see it who run cells against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// The operator's release.
    pub release: Version,
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
    operator: Beside,
    api: ApiServer,
}

impl Running {
    pub(super) async fn stop(self) {
        self.operator.stop().await;
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
    Own(Vec<Running>, Box<ControlPlane>),
    /// Another, for as long as it likes.
    Standing(Standing),
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
                environment: setup.environment,
                held: Held::Standing(standing),
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
        let up = setup.each(&plane, async |site| Ok(site)).await?;
        let (sites, running) = up.into_iter().unzip();
        Ok(Self {
            sites,
            environment: setup.environment,
            held: Held::Own(running, Box::new(plane)),
        })
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
            Held::Own(_, plane) => plane.alarm(),
            Held::Standing(standing) => standing.alarm(),
        }
    }

    /// Ends all of it and removes its folder, where it is our own.
    pub async fn stop(self) {
        if let Held::Own(running, plane) = self.held {
            join_all(running.into_iter().map(Running::stop)).await;
            plane.stop().await;
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
    pub(super) async fn each<T>(
        &self,
        plane: &ControlPlane,
        then: impl AsyncFn(Site) -> Result<T, RunError>,
    ) -> Result<Vec<(T, Running)>, RunError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let turns = Semaphore::new(cores);
        let one = async |parts: &Parts| {
            let turn = turns.acquire().await;
            let (site, running) = self.bring_up(plane, parts).await?;
            drop(turn);
            Ok::<_, RunError>((then(site).await?, running))
        };
        futures::future::try_join_all(self.parts.iter().map(one)).await
    }

    async fn bring_up(&self, plane: &ControlPlane, parts: &Parts) -> Result<(Site, Running), RunError> {
        let task = format!("KubeRay {}", parts.release);
        self.progress.update(&task, "starting its API server");
        let api = plane.api_server(&self.api_server, &parts.release.to_string()).await?;
        self.progress.update(&task, "creating its CRDs");
        let options = BesideOptions {
            release: &parts.release,
            program: &parts.program,
            crds: &parts.crds,
            env: BTreeMap::new(),
            kubeconfig: &api.kubeconfig,
            folder: &api.folder,
            helper: plane.helper(),
            alarm: plane.alarm(),
        };
        let operator = Beside::start(&api.client, options).await?;
        self.progress
            .finish(&task, crate::report::Outcome::Passed, "API server and operator run");
        let site = Site {
            release: parts.release.clone(),
            kubeconfig: api.kubeconfig.clone(),
            operator: parts.record.clone(),
            operator_log: operator.log(),
            crds: parts.crds.clone(),
            samples: parts.samples.clone(),
            stays: false,
        };
        Ok((site, Running { operator, api }))
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
        };
        let engine = Engine::new(client, subjects, options, progress, cancel).await;
        engine.map_err(|source| RunError::Api {
            doing: "beginning to watch a control plane",
            source: Box::new(source),
        })
    }
}
