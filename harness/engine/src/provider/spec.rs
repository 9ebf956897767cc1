//! The description of targets: one spec for each kind of target, and the releases that run on it.

use std::path::PathBuf;

use semver::Version;

use super::TargetError;
use crate::artifact::{Pins, RaySource, SourcePolicy};
use crate::container::EngineKind;
use crate::operator::{DeploymentName, Manifests};
use crate::plan::Pair;
use crate::scenario::TargetKind;
use crate::target::ContextOptions;

/// The name of the kind cluster, unless another is given.
pub const CLUSTER: &str = "kuberay-conformance";

/// Releases of the operator and of Ray.
#[derive(Debug, Clone)]
pub struct ReleaseSpec {
    /// Releases of the operator.
    pub operators: Vec<Version>,
    /// The release of the operator that was asked for; none when it is the default.
    pub asked: Option<Version>,
    /// Releases of the operator that were named one by one. Such a release must be available; any
    /// other is left out where it is not.
    pub named: Vec<Version>,
    /// Release of Ray.
    pub ray: Version,
    /// Pairs of releases that kind runs one after the other; every operator with the release of Ray
    /// when empty.
    pub pairs: Vec<Pair>,
}

impl Default for ReleaseSpec {
    /// The default releases of `fixtures/versions.yaml`.
    fn default() -> Self {
        let defaults = Pins::embedded().defaults;
        Self::new(defaults.operator, defaults.ray)
    }
}

impl ReleaseSpec {
    /// One release of the operator with one of Ray, neither of them asked for.
    pub fn new(operator: Version, ray: Version) -> Self {
        Self {
            operators: vec![operator],
            asked: None,
            named: Vec::new(),
            ray,
            pairs: Vec::new(),
        }
    }

    /// Returns the pairs of releases that run on a target.
    pub fn on(&self, target: TargetKind) -> Vec<Pair> {
        if target == TargetKind::Kind && !self.pairs.is_empty() {
            return self.pairs.clone();
        }
        Pair::crossed(&self.operators, std::slice::from_ref(&self.ray))
    }

    /// Returns every release of the operator, each once.
    pub(crate) fn all_operators(&self) -> Vec<Version> {
        let of_pairs = self.pairs.iter().map(|pair| &pair.operator);
        let mut all: Vec<Version> = self.operators.iter().chain(of_pairs).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// Returns the same with one pair alone.
    pub(super) fn with(&self, pair: &Pair) -> Self {
        Self {
            operators: vec![pair.operator.clone()],
            ray: pair.ray.clone(),
            pairs: Vec::new(),
            ..self.clone()
        }
    }

    /// Returns the one release of the operator that a cluster gets.
    ///
    /// # Errors
    /// Fails when several are asked for.
    pub(super) fn operator(&self) -> Result<&Version, TargetError> {
        match self.operators.as_slice() {
            [one] if self.pairs.len() <= 1 => Ok(one),
            several => Err(TargetError::OneRelease(several.len().max(self.pairs.len()))),
        }
    }
}

/// The target of a run, and how it is made or reached.
#[derive(Debug, Clone)]
pub enum TargetSpec {
    /// etcd and kube-apiserver with the operator as a process; no kubelet.
    Envtest(EnvtestSpec),
    /// A kind cluster.
    Kind(KindSpec),
    /// A cluster that exists.
    Existing(ExistingSpec),
}

impl TargetSpec {
    /// Returns the kind of target.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Envtest(_) => TargetKind::Envtest,
            Self::Kind(_) => TargetKind::Kind,
            Self::Existing(_) => TargetKind::Existing,
        }
    }

    /// Returns whether the operator, its CRDs or its manifests come out of the release's module.
    pub(crate) fn needs_modules(&self) -> bool {
        match self {
            Self::Envtest(spec) => {
                let program = spec.operator.as_ref();
                program.is_none_or(|program| program.crds.is_none())
            }
            Self::Kind(spec) => spec.operator.manifests.is_none(),
            Self::Existing(spec) => spec.install_operator && spec.operator.manifests.is_none(),
        }
    }

    /// Returns where images and programs come from.
    pub(crate) fn source(&self) -> SourcePolicy {
        match self {
            Self::Envtest(spec) => spec.source,
            Self::Kind(spec) => spec.source,
            Self::Existing(spec) => spec.source,
        }
    }

    /// Returns whether the target itself says which release its operator has.
    pub(crate) fn knows_its_release(&self) -> bool {
        match self {
            Self::Envtest(_) => false,
            Self::Kind(spec) => spec.operator.manifests.is_some(),
            Self::Existing(_) => true,
        }
    }
}

/// An envtest target.
#[derive(Debug, Clone, Default)]
pub struct EnvtestSpec {
    /// Where programs come from.
    pub source: SourcePolicy,
    /// The operator's program, in place of the release's own.
    pub operator: Option<OperatorProgram>,
    /// A program whose `main` calls [`supervisor`](crate::process::supervisor) first, such as
    /// `kuberay-conformance`. This program when absent; a test of libtest has no `main` of its own
    /// and names one.
    pub supervisor: Option<PathBuf>,
    /// The release of the API server; that of the nodes that are built when absent.
    pub kubernetes: Option<Version>,
}

/// A program to run as the operator.
#[derive(Debug, Clone)]
pub struct OperatorProgram {
    /// The program.
    pub program: PathBuf,
    /// The folder with its CRDs; those of its release when absent.
    pub crds: Option<PathBuf>,
}

/// An operator in a cluster that differs from its release's own.
#[derive(Debug, Clone, Default)]
pub struct CustomOperator {
    /// Another image than the release's own.
    pub image: Option<String>,
    /// Manifests in place of the release's own.
    pub manifests: Option<Manifests>,
}

/// A kind cluster.
#[derive(Debug, Clone)]
pub struct KindSpec {
    /// Where images and programs come from.
    pub source: SourcePolicy,
    /// The container engine; the first that can run kind's nodes when absent.
    pub engine: Option<EngineKind>,
    /// The cluster's name.
    pub cluster: String,
    /// Nodes that accept Pods; as many as the scenarios need when absent.
    pub nodes: Option<u32>,
    /// Number of nodes of a new cluster, if it is larger than `nodes`.
    pub preferred_nodes: Option<u32>,
    /// Whether the API server writes an audit log, which the bench counts requests in.
    pub audit: bool,
    /// Whether the cluster stays up.
    pub keep: bool,
    /// The differences of the operator from that of its release.
    pub operator: CustomOperator,
    /// Where Ray's image comes from.
    pub ray: RaySource,
}

impl Default for KindSpec {
    /// The cluster that `cluster up` makes.
    fn default() -> Self {
        Self {
            source: SourcePolicy::default(),
            engine: None,
            cluster: CLUSTER.into(),
            nodes: None,
            preferred_nodes: None,
            audit: false,
            keep: false,
            operator: CustomOperator::default(),
            ray: RaySource::Release,
        }
    }
}

/// A cluster that exists, and how a run uses it.
#[derive(Debug, Clone)]
pub struct ExistingSpec {
    /// Where manifests and samples come from.
    pub source: SourcePolicy,
    /// Its context.
    pub context: ContextOptions,
    /// Whether the run installs an operator, in a namespace of its own.
    pub install_operator: bool,
    /// The differences of an operator that the run installs from that of its release.
    pub operator: CustomOperator,
    /// The operator's Deployment, where its labels don't tell.
    pub operator_deployment: Option<DeploymentName>,
    /// Another name for Ray's image, such as a mirror's.
    pub ray_image: Option<String>,
    /// Of the capacity of the nodes, use one part of so many: others run there at the same time.
    pub capacity_share: u32,
    /// Whether an operator that the run installed stays.
    pub keep: bool,
}
