//! The options with which cases run, and the errors for cases that can't run.

use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use tokio::time::Instant;

use super::names::RunId;
use super::{AllocationError, Resources, RunJournal};
use crate::operator::ObjectError;
use crate::redact::Redactor;
use crate::scenario::Diagnostics;

/// Longest time until the watches on a namespace have their first list.
pub(super) const SYNCED_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

/// When evidence is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EvidencePolicy {
    /// Of cases that did not pass.
    #[default]
    OnFailure,
    /// Of every case.
    Always,
}

/// The options with which cases run.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Identifies the run.
    pub run: RunId,
    /// Where evidence goes.
    pub output: PathBuf,
    /// When evidence is kept.
    pub evidence: EvidencePolicy,
    /// Highest number of cases that run at once; as many as the target allows when absent.
    pub jobs: Option<usize>,
    /// Whether a case that only waits for time to pass lets another begin beside them.
    pub overlap: bool,
    /// Where it is noted what cases came to; nowhere when absent.
    pub journal: Option<Arc<RunJournal>>,
    /// Knows the Secrets of the run's cases.
    pub redactor: Redactor,
    /// When all must be over.
    pub ends: Option<Instant>,
    /// Write missing and different snapshots as pending.
    pub write_pending: bool,
    /// Note in the headers of snapshots that were equal what they were verified on.
    pub record_verified: bool,
}

/// A reason why a case could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Its manifests can't be read.
    #[error(transparent)]
    Manifests(#[from] Diagnostics),
    /// No image of its Ray release is there.
    #[error("there is no image of Ray {0} in the cluster")]
    NoRay(Version),
    /// Its namespace could not be made.
    #[error("making the namespace {namespace}: {source}")]
    Namespace {
        /// Its name.
        namespace: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The watches on its namespace did not begin.
    #[error(
        "the watches on the namespace {namespace} gave no first list within {seconds} s{}",
        and(broken),
        seconds = SYNCED_WITHIN.as_secs()
    )]
    Watch {
        /// Its name.
        namespace: String,
        /// Watches that break, and why.
        broken: Vec<String>,
    },
    /// An object could not be sent.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The cluster is too small.
    #[error(
        "it needs {wanted} Kubernetes nodes that accept Pods, and the cluster has {there}: give it more with --nodes {wanted}"
    )]
    Nodes {
        /// Nodes that it needs.
        wanted: u32,
        /// Nodes that accept Pods.
        there: u32,
    },
    /// Its Pods together ask for more than there is.
    #[error(
        "its Pods request {wanted}, and the cluster's nodes have {there} left for all cases: give it more nodes, on kind with --nodes"
    )]
    Capacity {
        /// The sum of the requests of its Pods.
        wanted: Resources,
        /// The free capacity of the nodes.
        there: Resources,
    },
    /// There is enough, but not in one place.
    #[error(
        "its Pods request {wanted}, and no way was found to place each of them whole on a node: they have {} left; give the \
         cluster more nodes, on kind with --nodes",
        each(left)
    )]
    Scattered {
        /// The sum of the requests of its Pods.
        wanted: Resources,
        /// The free capacity of each node.
        left: Vec<Resources>,
    },
    /// The work of other processes on the cluster is not known.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// The operator that a release takes the place of, or that release, could not be had.
    #[error("the upgrade: {0}")]
    Upgrade(String),
    /// The run was interrupted before it began.
    #[error("the run was interrupted before this case began")]
    Interrupted,
    /// The run's time was over before it began.
    #[error("the run's time was over before this case began{}", and(.0))]
    NoTime(Vec<String>),
}

/// A reason why no case can run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API server could not be asked.
    #[error("looking at the nodes: {0}")]
    Api(#[from] kube::Error),
    /// The work of other processes on the cluster is not known.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
}

fn and(causes: &[String]) -> String {
    causes.iter().map(|cause| format!("; {cause}")).collect()
}

fn each(left: &[Resources]) -> String {
    let left: Vec<_> = left
        .iter()
        .map(|node| node.with_pods(0).to_string())
        .collect();
    left.join("; ")
}

impl CaseError {
    /// Whether the environment is to blame, so that another attempt may well succeed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Namespace { .. } | Self::Watch { .. } | Self::Object(_) => true,
            Self::Manifests(_)
            | Self::NoRay(_)
            | Self::Nodes { .. }
            | Self::Capacity { .. }
            | Self::Scattered { .. }
            | Self::Allocation(_)
            | Self::Upgrade(_)
            | Self::Interrupted
            | Self::NoTime(_) => false,
        }
    }

    /// Whether the API server itself said so; else it is not known what became of the request.
    pub(super) fn is_an_answer(&self) -> bool {
        matches!(self, Self::Namespace { source, .. } if matches!(**source, kube::Error::Api(_)))
    }
}
