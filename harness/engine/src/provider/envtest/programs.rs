//! The programs of the target, and how API servers are made of them.

use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;

use super::release::{EnvtestRelease, named};
use super::stored::StoredCrds;
use crate::artifact::{Programs, Store};
use crate::contract::{class_of, unverified};
use crate::operator::{Beside, BesideOptions, crds_are_served, create_crds};
use crate::plan::TestCase;
use crate::process::OWN_PROGRAM;
use crate::progress::Progress;
use crate::provider::{EnvtestSpec, OperatorProgram, ReleaseSpec, TargetError};
use crate::results::{Environment, ImageRecord, Origin, Outcome};
use crate::scenario::OperatorSettings;
use crate::target::{ApiServer, ControlPlane, ControlPlaneOptions};

/// The name of an operator in results that a run got as a file.
pub const GIVEN_OPERATOR: &str = "operator given as a file";

/// The files of an operator.
pub(crate) struct OperatorFiles {
    pub(super) release: Version,
    program: PathBuf,
    crds: PathBuf,
    samples: PathBuf,
    pub(super) record: ImageRecord,
}

/// Programs of the target, before anything is started.
pub(crate) struct EnvtestPrograms {
    programs: Programs,
    store: Store,
    progress: Arc<dyn Progress>,
    etcd: PathBuf,
    api_server: PathBuf,
    supervisor: PathBuf,
    pub(super) parts: Vec<OperatorFiles>,
    pub(super) environment: Environment,
}

impl EnvtestPrograms {
    /// The files of a release.
    pub(super) fn parts_of(&self, release: &Version) -> Option<&OperatorFiles> {
        self.parts.iter().find(|parts| parts.release == *release)
    }

    /// Finds, builds or pulls all programs of these releases.
    pub(crate) async fn new(
        releases: &ReleaseSpec,
        spec: &EnvtestSpec,
        operators: &[Version],
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let store = Store::open()?;
        let programs = Programs::new(store.clone(), spec.source, Arc::clone(&progress));
        let pins = programs.pins();
        let kubernetes = spec.kubernetes.as_ref().unwrap_or(&pins.kubernetes);
        let (kubernetes, etcd_release) = (kubernetes.clone(), pins.etcd.version.clone());
        let (etcd, api_server) = (
            programs.etcd().await?,
            programs.api_server(&kubernetes).await?,
        );
        let source = format!("k8s.io/kubernetes v{kubernetes}");
        let api_record = programs
            .record("kube-apiserver", source, &api_server)
            .await?;
        let source = format!("go.etcd.io/etcd/server/v3 v{etcd_release}");
        let etcd_record = programs.record("etcd", source, &etcd).await?;
        let mut setup = Self {
            programs,
            store,
            progress,
            etcd,
            api_server,
            supervisor: spec
                .supervisor
                .clone()
                .unwrap_or_else(|| OWN_PROGRAM.into()),
            parts: Vec::new(),
            environment: Environment {
                kubernetes: format!("v{kubernetes}"),
                engine: "none (etcd, kube-apiserver and operators as processes)".into(),
                images: vec![api_record, etcd_record],
            },
        };
        for release in operators {
            // A release with which a case begins is itself.
            let own = spec.operator.as_ref();
            let own = own.filter(|_| releases.operators.contains(release));
            let parts = match own {
                Some(own) => setup.custom(own, release).await?,
                None => setup.of_release(release).await?,
            };
            setup.environment.images.push(parts.record.clone());
            setup.parts.push(parts);
        }
        Ok(setup)
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The images on which the result of a case depends.
    pub(crate) fn images(&self, case: &TestCase) -> Vec<ImageRecord> {
        let operator = self
            .parts
            .iter()
            .find(|parts| parts.release == case.operator);
        let operator = operator.map(|parts| parts.record.clone());
        operator.into_iter().chain([named(&case.ray)]).collect()
    }

    /// Whether what is up is made of the same programs and has every release.
    pub(crate) fn is_met_by(&self, environment: &Environment, up: &[EnvtestRelease]) -> bool {
        let has = |parts: &OperatorFiles| {
            let mut own = up.iter().filter(|up| up.release == parts.release);
            own.any(|up| up.operator == parts.record && up.crds == parts.crds)
        };
        // The first two are the API server and etcd.
        let common = self.environment.images.iter().take(2);
        common
            .into_iter()
            .all(|image| environment.images.contains(image))
            && self.parts.iter().all(has)
    }

    async fn of_release(&self, release: &Version) -> Result<OperatorFiles, TargetError> {
        let program = self.programs.operator(release).await?;
        let module = self.programs.operator_module(release).await?;
        Ok(OperatorFiles {
            release: release.clone(),
            record: self.programs.operator_record(release, &program).await?,
            program,
            crds: module.join("config/crd/bases"),
            samples: module.join("config/samples"),
        })
    }

    /// A program of the user's own making, of a release that need not be pinned where its CRDs are
    /// given, too.
    async fn custom(
        &self,
        own: &OperatorProgram,
        release: &Version,
    ) -> Result<OperatorFiles, TargetError> {
        let program = &own.program;
        let file = |source| TargetError::File {
            doing: "looking for the operator",
            path: program.clone(),
            source,
        };
        let program = std::fs::canonicalize(program).map_err(file)?;
        let (crds, samples) = if let Some(crds) = &own.crds {
            let beside = crds.join("../../samples");
            (crds.clone(), beside)
        } else {
            let module = self.programs.operator_module(release).await?;
            (
                module.join("config/crd/bases"),
                module.join("config/samples"),
            )
        };
        let source = format!("the file {}", program.display());
        if let Some(reason) = unverified(release) {
            self.progress.line(&format!(
                "{reason}; its Pods are compared with the snapshots of class {}, and checks fail where they \
                 differ",
                class_of(release).name
            ));
        }
        let mut record = self
            .programs
            .record(GIVEN_OPERATOR, source.clone(), &program)
            .await?;
        (record.origin, record.source) = (Origin::Built, source);
        record.pinned = false;
        Ok(OperatorFiles {
            release: release.clone(),
            program,
            crds,
            samples,
            record,
        })
    }

    /// Starts etcd.
    pub(crate) async fn start(&self) -> Result<ControlPlane, TargetError> {
        let options = ControlPlaneOptions {
            etcd: &self.etcd,
            state: self.store.root(),
            helper: &self.supervisor,
            progress: &*self.progress,
        };
        Ok(ControlPlane::start(options).await?)
    }

    /// Brings up a release's API server with its CRDs.
    pub(super) async fn serve(
        &self,
        control_plane: &ControlPlane,
        parts: &OperatorFiles,
    ) -> Result<ApiServer, TargetError> {
        let task = format!("KubeRay {}", parts.release);
        self.progress.update(&task, "starting its API server");
        let name = parts.release.to_string();
        let digest = self
            .environment
            .images
            .first()
            .map_or("", |api| &api.digest);
        let file = |source| TargetError::File {
            doing: "reading the CRDs in",
            path: parts.crds.clone(),
            source,
        };
        let crds = StoredCrds::of(self.store.clone(), digest, &parts.crds).map_err(file)?;
        let stored = crds.read().map_err(file)?;
        if let Some(stored) = &stored {
            control_plane.put_crds(&name, stored).await?;
        }
        let api = control_plane.api_server(&self.api_server, &name).await?;
        if let Some(stored) = &stored {
            let names: Vec<&str> = stored.keys().map(String::as_str).collect();
            crds_are_served(&api.client, &names).await?;
        } else {
            self.progress.update(&task, "creating its CRDs");
            create_crds(&api.client, &parts.crds, &parts.release).await?;
            crds.keep(&control_plane.crds(&name).await?).await?;
        }
        self.progress
            .finish(&task, Outcome::Passed, "its API server runs");
        Ok(api)
    }

    /// Starts a release's operator.
    pub(crate) fn operate(
        &self,
        control_plane: &ControlPlane,
        parts: &OperatorFiles,
        api: &ApiServer,
        settings: OperatorSettings,
    ) -> Result<(EnvtestRelease, Beside), TargetError> {
        let operator = Beside::start(BesideOptions {
            release: &parts.release,
            program: &parts.program,
            settings: &settings,
            kubeconfig: &api.kubeconfig,
            folder: &api.folder,
            helper: control_plane.helper(),
            first_end: control_plane.first_end(),
            flags: &[],
        })?;
        let up = EnvtestRelease {
            release: parts.release.clone(),
            settings,
            kubernetes: self.environment.kubernetes.clone(),
            kubeconfig: api.kubeconfig.clone(),
            operator: parts.record.clone(),
            operator_log: operator.log(),
            crds: parts.crds.clone(),
            samples: parts.samples.clone(),
            stays: false,
        };
        Ok((up, operator))
    }
}
