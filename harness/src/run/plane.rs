//! The control-plane lane: for each release an API server and its operator, side by side on one etcd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Engine, EngineOptions, Operator, Options, RunError, Subjects};
use crate::artifact::{Programs, Store};
use crate::cluster::{ApiServer, ControlPlane, PlaneOptions};
use crate::operator::{Beside, BesideOptions, create_crds};
use crate::process::OWN_PROGRAM;
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
    pub settings: OperatorSettings,
    /// Where its API server is.
    pub kubeconfig: PathBuf,
    operator: ImageRecord,
    operator_log: PathBuf,
    samples: PathBuf,
}

/// What keeps a site up; it goes when this is stopped or dropped.
pub(super) struct Running {
    operator: Option<Beside>,
    api: ApiServer,
}

impl Running {
    pub(super) async fn stop(self) {
        if let Some(operator) = self.operator {
            operator.stop().await;
        }
        self.api.stop().await;
    }
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
    /// `settings` says how the operator of a release is to be set up. For each of them it is started anew, after the one
    /// before has ended: two operators would both work on every object, and no release can be told to leave some
    /// alone.
    pub(super) async fn each<T>(
        &self,
        plane: &ControlPlane,
        settings: impl Fn(&Version) -> BTreeSet<OperatorSettings>,
        then: impl AsyncFn(Site) -> Result<T, RunError>,
    ) -> Result<Vec<(Vec<T>, Running)>, RunError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let turns = Semaphore::new(cores);
        let one = async |parts: &Parts| {
            let turn = turns.acquire().await;
            let api = self.serve(plane, parts).await?;
            let mut turn = Some(turn);
            let (mut results, mut running) = (Vec::new(), None::<Beside>);
            for settings in settings(&parts.release) {
                if let Some(before) = running.take() {
                    before.stop().await;
                }
                let (site, operator) = self.operate(plane, parts, &api, settings)?;
                drop(turn.take());
                running = Some(operator);
                results.push(then(site).await?);
            }
            let operator = running;
            Ok::<_, RunError>((results, Running { operator, api }))
        };
        futures::future::try_join_all(self.parts.iter().map(one)).await
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
        &self,
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
            samples: parts.samples.clone(),
        };
        Ok((site, operator))
    }
}

impl Site {
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
            operator: Operator::Beside(self.operator_log.clone()),
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
