//! Why no operator runs.

use std::time::Duration;

use semver::Version;

use super::objects::{MANAGED_BY, MANAGER, ObjectError};
use crate::artifact::ArtifactError;
use crate::process::ProcessError;

/// Why no operator runs.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// What a release renders to could not be made or kept.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// What was rendered is not an operator.
    #[error("{origin} does not render to an operator: {message}")]
    Malformed {
        /// Where the manifests come from.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// The API server refused one of its objects.
    #[error("installing the operator {release}: {source}")]
    Object {
        /// The release.
        release: Version,
        /// The refusal.
        source: ObjectError,
    },
    /// The API server could not be asked.
    #[error("{doing}: {source}")]
    Api {
        /// What was being done.
        doing: String,
        /// What went wrong.
        source: Box<kube::Error>,
    },
    /// A file for it can't be written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// It did not become available in time.
    #[error("the operator {release} was not available within {} s; last seen: {last}", within.as_secs())]
    Deadline {
        /// The release.
        release: Version,
        /// The limit.
        within: Duration,
        /// What was last seen of it.
        last: String,
    },
    /// Something is there that the harness did not make, and would have to change.
    #[error(
        "an operator can't be installed, because the cluster has objects that the harness did not create: {}; use the \
         operator of the cluster (without --install-operator), or remove these objects", .0.join(", ")
    )]
    Foreign(Vec<String>),
    /// What was made could not be removed.
    #[error(
        "removing the operator that a run installed: {0}; `cluster down --context` tries again"
    )]
    Removal(String),
    /// What was made is not known any more.
    #[error(
        "the ConfigMap {namespace}/{name}, which lists the objects of an installed operator, can't be read: {problem}; nothing \
         was removed. Remove the objects with the label {MANAGED_BY}={MANAGER} that you don't need, then the namespace"
    )]
    Inventory {
        /// Its namespace.
        namespace: &'static str,
        /// Its name.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// It can't become available.
    #[error("the operator {release} can't start: {cause}")]
    Terminal {
        /// The release.
        release: Version,
        /// Why, with the last lines of its log where it wrote some.
        cause: String,
    },
}

pub(super) fn api_error(doing: &str) -> impl FnOnce(kube::Error) -> OperatorError + use<> {
    let doing = doing.to_owned();
    move |source| OperatorError::Api {
        doing,
        source: Box::new(source),
    }
}
