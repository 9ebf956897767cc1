//! Why a run could not be done.

use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use super::JournalError;
use crate::artifact::ArtifactError;
use crate::container::EngineError;
use crate::expect::ExpectError;
use crate::operator::{DiscoverError, OperatorError};
use crate::output::OutputError;
use crate::process::LockError;
use crate::reports::ReportError;
use crate::scenario::{Diagnostics, written_duration};
use crate::target::{ClusterError, ContextError, Holder, PermissionError, who};

/// Why a run could not be done, or could not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Scenario files are malformed.
    #[error("{0}")]
    Scenarios(#[from] Diagnostics),
    /// Snapshots lie beside scenarios that no check looks at.
    #[error("no check refers to {}; remove what is not needed, or add the field to a `pod` check", list(.0))]
    Unreferenced(Vec<PathBuf>),
    /// Snapshots can't be read.
    #[error(transparent)]
    Expect(#[from] ExpectError),
    /// Nothing is left to run.
    #[error("no case is left to run{}", reasons(.0))]
    NoCases(Vec<String>),
    /// Several releases for a kind cluster.
    #[error(
        "a kind cluster has one release of operator and Ray at a time, and {0} are asked for; name one with --operator or \
         --pair"
    )]
    OneRelease(usize),
    /// Control planes that should stay up can't be used.
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
    /// What an earlier run noted can't be used, or this one note nothing.
    #[error(transparent)]
    Journal(#[from] JournalError),
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
        "an operator runs in the namespace {0} already, and two would fight; leave --install-operator out to use it"
    )]
    OperatorIsThere(String),
    /// Manifests that the user brings are of another release than asked for.
    #[error(
        "the operator in {origin} is KubeRay {told}, and --operator asks for {asked}; leave one of them out"
    )]
    CustomManifestsRelease {
        /// Where they come from.
        origin: String,
        /// What their image says.
        told: Version,
        /// What was asked for.
        asked: Version,
    },
    /// Manifests that the user brings don't tell their release.
    #[error(
        "the image of the operator in {0} names no release; say with --operator which one it is like"
    )]
    CustomManifestsUnknown(String),
    /// A Job can't be submitted or collected.
    #[error("{0}")]
    Job(String),
    /// Results of a Job can't be kept or read.
    #[error(transparent)]
    Results(#[from] super::ResultsError),
    /// Results can't be merged.
    #[error(transparent)]
    Merge(#[from] crate::merge::MergeError),
    /// No case can run on the cluster.
    #[error(transparent)]
    Start(#[from] super::StartError),
    /// An object of a case could not be sent or read.
    #[error(transparent)]
    Case(#[from] super::CaseError),
    /// The API server could not be asked.
    #[error("{doing}: {source}")]
    Api {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        source: Box<kube::Error>,
    },
    /// The output folder can't be used.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file of ours could not be read or written.
    #[error("{doing} {path}: {source}", path = .path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The cluster is up, but `cluster up` did not come to its end.
    #[error(
        "the cluster is up, but what runs in it is not known; run `kuberay-conformance cluster up` again"
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
        /// Who uses it.
        users: Vec<Holder>,
        /// Releases that run there.
        releases: String,
    },
    /// Ctrl-C.
    #[error("the run was interrupted")]
    Interrupted,
    /// The limit of `cluster up`.
    #[error(
        "`cluster up` was not done within its time limit of {}; it was at {doing}. Give it more with --timeout, or run it again: \
         it goes on with what is there",
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

impl RunError {
    /// 2 for bad use and bad files, 3 for a broken environment.
    pub fn exit_code(&self) -> u8 {
        if self.is_bad_use() { 2 } else { 3 }
    }

    /// Whether arguments or scenario files are to blame, not the environment.
    pub fn is_bad_use(&self) -> bool {
        if let Self::Expect(error) = self {
            return !error.is_of_the_system();
        }
        matches!(
            self,
            Self::Scenarios(_)
                | Self::Unreferenced(_)
                | Self::NoCases(_)
                | Self::OneRelease(_)
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
                | Self::Output(OutputError::InUse { .. } | OutputError::NoFolder { .. })
                | Self::Journal(JournalError::OtherRun { .. } | JournalError::Entry { .. })
        )
    }
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

/// As many reasons as fit on a screen; a single one stands in the same line.
fn reasons(reasons: &[String]) -> String {
    const SHOWN: usize = 8;
    if let [one] = reasons {
        return format!(": {one}");
    }
    let mut text: String = reasons
        .iter()
        .take(SHOWN)
        .map(|reason| format!("\n  - {reason}"))
        .collect();
    if let Some(more) = reasons.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!(
            "\n  - and {more} more; `kuberay-conformance plan` lists all"
        ));
    }
    text
}
