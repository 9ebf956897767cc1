//! Provides kind clusters: pulls and builds what they are made of, and installs the operator.

pub(super) mod lifecycle;
mod serve;
mod target;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use semver::Version;

use super::{KindSpec, Phases, ReleaseSpec, TargetError, custom_manifests};
use crate::artifact::{Artifacts, Image, Store, system};
use crate::container::{Engine, EngineError, EngineKind};
use crate::operator::{self, Installed, Wanted};
use crate::progress::Progress;
use crate::results::{Environment, ImageRecord, Origin};
use crate::target::{ClusterHandle, EarlyCluster, KindCluster, Lock, Patience, Unpack, UpOptions};

/// Longest time until nodes are Ready.
const NODES_WITHIN: Duration = Duration::from_mins(5);

pub(super) use serve::serve;
use target::bring_up;
pub use target::{KindTarget, noted_releases};

/// The purpose that a run names for its use of the cluster.
const RUN: &str = "run";

/// Engine, store, artifacts and the cluster's provider.
pub(crate) struct KindProvider {
    pub(crate) cluster: KindCluster,
    artifacts: Artifacts,
    note: PathBuf,
    registry_data: PathBuf,
    engine: String,
    progress: Arc<dyn Progress>,
}

/// The parts of a cluster, and the images and operator in it.
struct StackArtifacts {
    module: PathBuf,
    operator_image: Image,
    ray_image: Image,
    registry_image: Image,
    node_image: Image,
    kind: PathBuf,
}

/// A cluster with everything in it that cases need.
struct Stack {
    handle: ClusterHandle,
    client: kube::Client,
    operator: Installed,
    operator_image: ImageRecord,
    ray_image: ImageRecord,
    samples: PathBuf,
    environment: Environment,
}

impl KindProvider {
    /// Finds the container engine and opens the store.
    pub(crate) async fn new(
        spec: &KindSpec,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let store = Store::open()?;
        let engine = Engine::detect(spec.engine, store.root()).await?;
        Self::with(engine, store, spec, progress)
    }

    /// As [`KindProvider::new`], but where no engine can be used and podman is missing, podman is
    /// installed if we may: a bare Debian machine as root needs nothing by hand.
    pub(crate) async fn ready_to_bring_up(
        spec: &KindSpec,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let store = Store::open()?;
        let engine = match Engine::detect(spec.engine, store.root()).await {
            Err(EngineError::None(_))
                if spec.engine != Some(EngineKind::Docker)
                    && system::may_install(&[system::PODMAN]) =>
            {
                system::ensure(&[system::PODMAN], &*progress).await?;
                Engine::detect(spec.engine, store.root()).await?
            }
            detected => detected?,
        };
        Self::with(engine, store, spec, progress)
    }

    fn with(
        engine: Engine,
        store: Store,
        spec: &KindSpec,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TargetError> {
        let cluster = KindCluster::new(
            engine.clone(),
            &spec.cluster,
            store.root(),
            Arc::clone(&progress),
        )?;
        Ok(Self {
            cluster,
            engine: format!("{} {}", engine.kind.program(), engine.version),
            note: KindCluster::note(store.root(), &spec.cluster),
            registry_data: store.root().join("registry"),
            artifacts: Artifacts::new(engine, store, spec.source, Arc::clone(&progress)),
            progress,
        })
    }

    /// The engine and its release.
    pub(crate) fn engine(&self) -> &str {
        &self.engine
    }

    /// Where is noted what runs in the cluster.
    fn note(&self) -> &Path {
        &self.note
    }

    /// Pulls or builds what the cluster is made of; nothing of the cluster is touched.
    async fn artifacts(
        &self,
        spec: &KindSpec,
        releases: &ReleaseSpec,
        phases: &mut Phases,
    ) -> Result<StackArtifacts, TargetError> {
        // The operator's manifests first: a release that is not known is told before anything long
        // begins.
        let release = releases.operator()?;
        let artifacts = StackArtifacts {
            module: self.artifacts.programs().operator_module(release).await?,
            operator_image: self.artifacts.operator_image(release).await?,
            ray_image: self
                .artifacts
                .ray_image_of(&spec.ray, &releases.ray)
                .await?,
            registry_image: self.artifacts.registry_image().await?,
            node_image: self.artifacts.node_image().await?,
            kind: self.artifacts.kind().await?,
        };
        phases.end("artifacts");
        Ok(artifacts)
    }

    /// Brings everything up, and uses again what is there.
    async fn up(
        &self,
        lock: &Lock,
        spec: &KindSpec,
        releases: &ReleaseSpec,
        artifacts: StackArtifacts,
        phases: &mut Phases,
    ) -> Result<Stack, TargetError> {
        let release = releases.operator()?;
        let StackArtifacts {
            module,
            operator_image,
            ray_image,
            registry_image,
            node_image,
            kind,
        } = artifacts;
        let up = UpOptions {
            kind: &kind,
            node_image: &node_image,
            registry_image: Some(&registry_image),
            registry_data: &self.registry_data,
            unpacked: Some(Unpack {
                store: self.artifacts.programs().store(),
                images: &[&ray_image],
            }),
            workers: spec
                .preferred_nodes
                .max(spec.nodes)
                .unwrap_or(1)
                .saturating_sub(1),
            least_workers: spec.nodes.unwrap_or(1).saturating_sub(1),
            audit: spec.audit,
            // Where images were built because no registry can be reached, asking one would only
            // take time.
            upstream: node_image.record.origin == Origin::Pulled,
            patience: Patience::default(),
            deadline: NODES_WITHIN,
            helper: None,
            purpose: RUN,
            keep: spec.keep,
        };
        let install = async |early: EarlyCluster| {
            early.push(&operator_image).await?;
            let installing = self.ensure(
                &early.client,
                (spec, releases),
                release,
                &operator_image,
                early.nodes_are_ready(),
            );
            // Ray's image is large; where the registry has it not, that takes as long as the
            // operator.
            let (operator, _) = tokio::try_join!(installing, async {
                early.push(&ray_image).await.map_err(TargetError::from)
            })?;
            Ok::<_, TargetError>(operator)
        };
        let (handle, operator) = self.cluster.up_holding(lock, &up, install).await?;
        phases.add(&handle.phases);
        let client = handle.client().await?;
        let environment = Environment {
            kubernetes: handle.kubernetes.clone(),
            engine: self.engine.clone(),
            images: [&node_image, &registry_image, &operator_image, &ray_image]
                .map(|image| image.record.clone())
                .into(),
        };
        Ok(Stack {
            handle,
            client,
            operator,
            operator_image: operator_image.record,
            ray_image: ray_image.record,
            samples: module.join("config/samples"),
            environment,
        })
    }

    /// Makes a release of the operator run in the cluster, in the place of any other.
    async fn install(
        &self,
        handle: &ClusterHandle,
        client: &kube::Client,
        specs: (&KindSpec, &ReleaseSpec),
        release: &Version,
    ) -> Result<(), TargetError> {
        let image = self.artifacts.operator_image(release).await?;
        handle.push(&image).await?;
        self.ensure(client, specs, release, &image, std::future::ready(()))
            .await?;
        Ok(())
    }

    async fn ensure(
        &self,
        client: &kube::Client,
        (spec, releases): (&KindSpec, &ReleaseSpec),
        release: &Version,
        image: &Image,
        nodes: impl Future<Output = ()>,
    ) -> Result<Installed, TargetError> {
        let programs = self.artifacts.programs();
        let manifests =
            custom_manifests::manifests(&spec.operator, releases, programs, release).await?;
        let renderers = custom_manifests::renderers(programs, &manifests).await?;
        let departures = operator::InstallOptions {
            // The release that an upgrade begins with is its own.
            image: spec
                .operator
                .image
                .clone()
                .filter(|_| releases.operators.contains(release)),
            ..operator::InstallOptions::default()
        };
        let wanted = Wanted {
            release,
            manifests: &manifests,
            image,
            options: &departures,
        };
        Ok(operator::ensure(client, &renderers, wanted, &*self.progress, nodes).await?)
    }
}

/// The harness's own image, for a Job.
///
/// # Errors
/// When no engine can be used, or the image can't be built.
pub async fn harness_image(
    spec: &KindSpec,
    program: &Path,
    scenarios: &Path,
    progress: Arc<dyn Progress>,
) -> Result<Image, TargetError> {
    let setup = KindProvider::ready_to_bring_up(spec, progress).await?;
    Ok(setup.artifacts.harness_image(program, scenarios).await?)
}

/// Gives the harness's own image to the nodes of the kind cluster that is up; returns a client for
/// it and the image's name there.
///
/// # Errors
/// When no cluster is up, or the image can't be built or pushed.
pub async fn push_harness(
    spec: &KindSpec,
    program: &Path,
    scenarios: &Path,
    progress: Arc<dyn Progress>,
) -> Result<(kube::Client, String), TargetError> {
    let setup = KindProvider::new(spec, progress).await?;
    let handle = setup.cluster.attach("submit").await?;
    let image = setup.artifacts.harness_image(program, scenarios).await?;
    handle.push(&image).await?;
    Ok((handle.client().await?, image.public_name))
}

/// A client for the kind cluster that is up.
///
/// # Errors
/// When none is.
pub async fn kind_client(
    spec: &KindSpec,
    progress: Arc<dyn Progress>,
) -> Result<kube::Client, TargetError> {
    let setup = KindProvider::new(spec, progress).await?;
    Ok(setup.cluster.attach("collect").await?.client().await?)
}
