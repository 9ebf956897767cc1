//! What a run is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use super::EvidencePolicy;
use crate::artifact::Source;
use crate::container::EngineKind;
use crate::operator::{Manifests, Place};
use crate::plan::{Division, Filter, Pair};
use crate::scenario::TargetKind;
use crate::target::ContextOptions;

/// The cluster's name, unless another is given.
pub const CLUSTER: &str = "kuberay-conformance";

/// A cluster that exists, and how a run uses it.
#[derive(Debug, Clone)]
pub struct InExisting {
    /// Its context.
    pub context: ContextOptions,
    /// Install an operator there, in a namespace of its own, for the run.
    pub install_operator: bool,
    /// The operator's Deployment, where its labels don't tell.
    pub operator_deployment: Option<Place>,
    /// Another name for Ray's image, such as a mirror's.
    pub ray_image: Option<String>,
    /// Of the room that nodes have, use one part of so many: others run there at the same time.
    pub capacity_share: u32,
}

/// What a run is asked to do; `cluster up`, `cluster down` and `status` look only at what concerns the cluster.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and none excludes another"
)]
pub struct Options {
    /// Releases of the operator.
    pub operators: Vec<Version>,
    /// The release that somebody named; none when they are the default.
    pub operator_asked: Option<Version>,
    /// Releases of the operator that somebody named one by one: that one of them can't be had is an error. One that is
    /// selected otherwise is left out then.
    pub named: Vec<Version>,
    /// Release of Ray.
    pub ray: Version,
    /// Releases that kind runs with each other, one pair after the other; when there are none, every operator
    /// with the release of Ray.
    pub pairs: Vec<Pair>,
    /// Where cases run.
    pub targets: Vec<TargetKind>,
    /// The folder of scenarios.
    pub scenarios: PathBuf,
    /// Whether nothing may be written into that folder, because its scenarios are part of the program.
    pub built_in: bool,
    /// What narrows the plan.
    pub filter: Filter,
    /// Which part of the plan; all of it when absent.
    pub division: Option<Division>,
    /// Pick up the run that was ended before: what passed then is not run again.
    pub resume: bool,
    /// Where reports and evidence go.
    pub output: PathBuf,
    /// Leave the cluster up.
    pub keep: bool,
    /// Failures of provisional scenarios fail the run, too, and so do flaky cases and those for which the cluster is too small.
    pub strict: bool,
    /// Where images and binaries come from.
    pub source: Source,
    /// The container engine; the first that can run kind's nodes when absent.
    pub engine: Option<EngineKind>,
    /// When evidence is kept.
    pub evidence: EvidencePolicy,
    /// Cases at once; as many as the nodes can hold when absent.
    pub jobs: Option<usize>,
    /// Limit for the whole run; none when absent.
    pub timeout: Option<Duration>,
    /// Another image for the operator than its release's own.
    pub operator_image: Option<String>,
    /// A program to run as the operator in envtest instead of its release's own.
    pub operator_binary: Option<PathBuf>,
    /// The folder with its CRDs; those of its release when absent.
    pub crds: Option<PathBuf>,
    /// Manifests of an operator in place of its release's own.
    pub manifests: Option<Manifests>,
    /// The existing cluster in which kind runs, in place of one of kind.
    pub existing: Option<InExisting>,
    /// The cluster's name.
    pub cluster: String,
    /// Nodes of the kind cluster that accept Pods; as many as the scenarios need when absent.
    pub nodes: Option<u32>,
    /// Nodes of a cluster that has to be made, where that is more.
    pub roomy: Option<u32>,
    /// The command that repeats the run, for its reports.
    pub command: Option<String>,
    /// Whether the kind cluster's API server writes an audit log, which the bench counts requests in.
    pub audit: bool,
}

impl Options {
    /// The pairs of releases that run in each target.
    pub fn releases(&self) -> Vec<(TargetKind, Vec<Pair>)> {
        let of = |target: &TargetKind| match target {
            TargetKind::Kind if !self.pairs.is_empty() => self.pairs.clone(),
            _ => Pair::crossed(&self.operators, std::slice::from_ref(&self.ray)),
        };
        self.targets
            .iter()
            .map(|target| (*target, of(target)))
            .collect()
    }

    /// The same with one pair of releases alone.
    pub(super) fn with(&self, pair: &Pair) -> Self {
        Self {
            operators: vec![pair.operator.clone()],
            ray: pair.ray.clone(),
            pairs: Vec::new(),
            ..self.clone()
        }
    }

    /// The one release that a kind cluster gets.
    ///
    /// # Errors
    /// When several are asked for.
    pub(super) fn operator(&self) -> Result<&Version, super::RunError> {
        match self.operators.as_slice() {
            [one] if self.pairs.len() <= 1 => Ok(one),
            several => Err(super::RunError::OneRelease(
                several.len().max(self.pairs.len()),
            )),
        }
    }

    /// Everything in `scenarios`, on kind, with these releases.
    pub fn new(operator: Version, ray: Version) -> Self {
        Self {
            operators: vec![operator],
            operator_asked: None,
            named: Vec::new(),
            ray,
            pairs: Vec::new(),
            targets: vec![TargetKind::Kind],
            scenarios: "scenarios".into(),
            built_in: false,
            filter: Filter::default(),
            division: None,
            resume: false,
            output: "output".into(),
            keep: false,
            strict: false,
            source: Source::default(),
            engine: None,
            evidence: EvidencePolicy::default(),
            jobs: None,
            timeout: None,
            operator_image: None,
            operator_binary: None,
            crds: None,
            manifests: None,
            existing: None,
            cluster: CLUSTER.into(),
            nodes: None,
            roomy: None,
            audit: false,
            command: None,
        }
    }
}
