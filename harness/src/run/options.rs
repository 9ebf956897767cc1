//! What a run is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use super::EvidencePolicy;
use crate::artifact::Source;
use crate::cluster::EngineKind;
use crate::plan::Filter;
use crate::scenario::Lane;

/// The cluster's name, unless another is given.
pub const CLUSTER: &str = "kuberay-conformance";

/// What a run is asked to do; `up`, `down` and `status` look only at what concerns the cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// Releases of the operator; the lane `kind` takes one.
    pub operators: Vec<Version>,
    /// Release of Ray.
    pub ray: Version,
    /// Where cells run.
    pub lanes: Vec<Lane>,
    /// The folder of scenarios.
    pub scenarios: PathBuf,
    /// What narrows the plan.
    pub filter: Filter,
    /// Where reports and evidence go.
    pub output: PathBuf,
    /// Leave the cluster up.
    pub keep: bool,
    /// Failures of provisional scenarios fail the run, too.
    pub strict: bool,
    /// Where images and binaries come from.
    pub source: Source,
    /// The container engine; the first that can run kind's nodes when absent.
    pub engine: Option<EngineKind>,
    /// When evidence is kept.
    pub evidence: EvidencePolicy,
    /// Cells at once; as many as the nodes can hold when absent.
    pub jobs: Option<usize>,
    /// Limit for the whole run; none when absent.
    pub timeout: Option<Duration>,
    /// Another image for the operator than its release's own.
    pub operator_image: Option<String>,
    /// A program to run as the operator in the lane `control-plane` instead of its release's own.
    pub operator_binary: Option<PathBuf>,
    /// The folder with its CRDs; those of its release when absent.
    pub crds: Option<PathBuf>,
    /// The cluster's name.
    pub cluster: String,
    /// Nodes of the kind cluster that accept Pods; as many as the scenarios need when absent.
    pub nodes: Option<u32>,
}

impl Options {
    /// The one release that a kind cluster gets.
    ///
    /// # Errors
    /// When several are asked for.
    pub(super) fn operator(&self) -> Result<&Version, super::RunError> {
        match self.operators.as_slice() {
            [one] => Ok(one),
            several => Err(super::RunError::OneRelease(several.len())),
        }
    }

    /// Everything in `scenarios`, in the lane `kind`, with these releases.
    pub fn new(operator: Version, ray: Version) -> Self {
        Self {
            operators: vec![operator],
            ray,
            lanes: vec![Lane::Kind],
            scenarios: "scenarios".into(),
            filter: Filter::default(),
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
            cluster: CLUSTER.into(),
            nodes: None,
        }
    }
}
