//! The reasons why a target can't be provided.

use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use crate::artifact::ArtifactError;
use crate::container::EngineError;
use crate::operator::{DiscoverError, OperatorError};
use crate::process::LockError;
use crate::scenario::written_duration;
use crate::target::{ClusterError, ContextError, Holder, PermissionError, who};

/// A reason why a target can't be provided, or work on it did not finish.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Several releases for a kind cluster.
    #[error(
        "a kind cluster has one release of operator and Ray at a time, and {0} are asked for; name one with --operator or \
         --pair"
    )]
    OneRelease(usize),
    /// API servers that should stay up can't be used.
    #[error("{0}")]
    Daemon(String),
    /// A lock could not be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A program that must run on has ended.
    #[error("{0}")]
    Broken(String),
    /// An image or a program could not be had.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// No container engine can be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The cluster can't be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The operator does not run.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The context can't be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The context's user may not do what a run does.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// The operator that is in the cluster can't be used.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// An operator runs where one would be installed.
    #[error(
        "an operator runs in the namespace {0} already, and two operators would conflict; leave --install-operator out to use it"
    )]
    OperatorIsThere(String),
    /// Manifests that the user brings are of another release than asked for.
    #[error(
        "the operator in {origin} is KubeRay {found}, but --operator asks for {asked}; leave one of them out"
    )]
    CustomManifestsRelease {
        /// Where they come from.
        origin: String,
        /// The release of their image.
        found: Version,
        /// The requested release.
        asked: Version,
    },
    /// Manifests that the user brings don't tell their release.
    #[error(
        "the image of the operator in {0} names no release; set --operator to the release that it matches"
    )]
    CustomManifestsUnknown(String),
    /// No case can run on the target.
    #[error(transparent)]
    Start(Box<dyn std::error::Error + Send + Sync>),
    /// The API server could not be asked.
    #[error("{doing}: {source}")]
    Api {
        /// The action that failed.
        doing: &'static str,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// A file of ours could not be read or written.
    #[error("{doing} {path}: {source}", path = .path.display())]
    File {
        /// The action that failed.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The cluster is up, but `cluster up` was cut short.
    #[error(
        "the cluster is up, but its releases are not recorded; run `kuberay-conformance cluster up` again"
    )]
    Unfinished,
    /// Others use the cluster with other releases than those asked for.
    #[error(
        "the cluster {cluster} runs {releases} for {}; wait until it has ended, or use another cluster: --cluster NAME",
        who(.users)
    )]
    OtherReleases {
        /// The cluster.
        cluster: String,
        /// The processes that use it.
        users: Vec<Holder>,
        /// Releases that run there.
        releases: String,
    },
    /// Ctrl-C.
    #[error("the run was interrupted")]
    Interrupted,
    /// The limit of `cluster up`.
    #[error(
        "`cluster up` exceeded its time limit of {} at {doing}. Raise --timeout, or run it again: it continues where it \
         stopped",
        written_duration(*.limit)
    )]
    UpTimeout {
        /// The limit.
        limit: Duration,
        /// What it did.
        doing: String,
    },
    /// The run's own limit.
    #[error(
        "the run's time limit of {} was over before every case had its verdict; give it more with --timeout",
        written_duration(*.0)
    )]
    Timeout(Duration),
}

impl TargetError {
    /// Returns whether arguments are to blame, not the environment.
    pub fn is_bad_use(&self) -> bool {
        matches!(
            self,
            Self::OneRelease(_)
                | Self::OperatorIsThere(_)
                | Self::CustomManifestsRelease { .. }
                | Self::CustomManifestsUnknown(_)
                | Self::Context(
                    ContextError::Kubeconfig { .. }
                        | ContextError::Unknown { .. }
                        | ContextError::Refused { .. }
                        | ContextError::AllowsAnother { .. }
                )
                | Self::Discover(
                    DiscoverError::OtherRelease { .. }
                        | DiscoverError::UnknownRelease { .. }
                        | DiscoverError::Several(_)
                )
                | Self::Artifact(
                    ArtifactError::UnknownRelease(_)
                        | ArtifactError::NoCheckout { .. }
                        | ArtifactError::NoCrds { .. }
                )
                | Self::Cluster(ClusterError::Name(_))
        )
    }
}
