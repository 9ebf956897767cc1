//! The reasons why a cluster could not be created or removed.

use std::path::PathBuf;

use super::lock::Holder;
use super::preflight::PreflightFinding;
use crate::artifact::ArtifactError;
use crate::process::{LockError, ProcessError};

/// A reason why a cluster could not be created, used or removed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A lock could not be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Something could not be kept in the store.
    #[error(transparent)]
    Artifact(Box<ArtifactError>),
    /// The machine lacks what a node needs.
    #[error("this machine can't run the cluster:{}", findings(.0))]
    Preflight(Vec<PreflightFinding>),
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
    /// The state file can't be understood.
    #[error("the state file {path} can't be read ({problem}); it lists what `cluster down` must remove, so inspect it before you delete it", path = .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// Another process works on this cluster.
    #[error("the cluster {name} is locked by {holder}; wait for it, or use another --cluster")]
    Locked {
        /// The cluster.
        name: String,
        /// The process that holds the lock.
        holder: Holder,
    },
    /// Another process uses this cluster, and it would have to go.
    #[error("the cluster {name} is used by {}; {consequence}", who(.users))]
    InUse {
        /// The cluster.
        name: String,
        /// The processes that use it.
        users: Vec<Holder>,
        /// The consequence.
        consequence: &'static str,
    },
    /// Something has a name that we need, and we did not make it.
    #[error(
        "{what} already exists and was not created by this cache folder; remove it, or use another --cluster"
    )]
    NotOurs {
        /// Its kind and its name.
        what: String,
    },
    /// The cluster was made with the other engine.
    #[error(
        "the cluster {name} was created with {made}, but the engine is {now}; choose {made}, or run `cluster down` with it first"
    )]
    OtherEngine {
        /// The cluster.
        name: String,
        /// The engine that made it.
        made: &'static str,
        /// The engine in use.
        now: &'static str,
    },
    /// No cluster of this name is up.
    #[error("the cluster {name} is not up ({why}); `cluster up` brings it up")]
    NotUp {
        /// The cluster.
        name: String,
        /// The missing part.
        why: String,
    },
    /// A cluster name that can't be used.
    #[error(
        "`{0}` can't be a cluster's name: use lower-case letters, digits and inner hyphens, at most 40 of them"
    )]
    Name(String),
    /// The API server can't be used.
    #[error("{doing}: {source}")]
    Api {
        /// The action that failed.
        doing: &'static str,
        /// The answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The nodes did not become what they must in time.
    #[error("after {seconds} s {awaited}; last seen: {seen}")]
    Deadline {
        /// The wait, in seconds.
        seconds: u64,
        /// The condition that was not met.
        awaited: &'static str,
        /// The last state.
        seen: String,
    },
    /// A program of an API server did not do what it must.
    #[error("{name}: {problem}")]
    Program {
        /// Which program.
        name: String,
        /// The problem.
        problem: String,
    },
    /// Certificates could not be made.
    #[error("making the certificates of an API server: {0}")]
    Certificates(String),
    /// The local registry did not do what it must.
    #[error("the local registry: {0}")]
    Registry(String),
    /// A program answered something that can't be understood.
    #[error("{doing}: unexpected answer `{answer}`")]
    Answer {
        /// The action that failed.
        doing: &'static str,
        /// The answer.
        answer: String,
    },
}

impl From<ArtifactError> for ClusterError {
    fn from(error: ArtifactError) -> Self {
        Self::Artifact(Box::new(error))
    }
}

/// Accepts that the thing to remove does not exist.
pub(super) fn or_gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Names what was being done to which file, for `map_err`.
pub(super) fn file(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(std::io::Error) -> ClusterError {
    let path = path.into();
    move |source| ClusterError::File {
        doing,
        path,
        source,
    }
}

fn findings(findings: &[PreflightFinding]) -> String {
    findings
        .iter()
        .map(|finding| format!("\n  - {finding}"))
        .collect()
}

pub(crate) fn who(users: &[Holder]) -> String {
    users
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and ")
}
