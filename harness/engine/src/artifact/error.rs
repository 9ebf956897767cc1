//! Why an artifact could not be had.

use std::error::Error;
use std::path::PathBuf;

use kuberay_conformance_pins::UnknownRelease;

use crate::process::{LockError, ProcessError};

/// Why an artifact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A release that `fixtures/versions.yaml` does not list.
    #[error(transparent)]
    UnknownRelease(#[from] UnknownRelease),
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A lock could not be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What was downloaded is not what is pinned.
    #[error(
        "{what}: the checksum is {found}, but {expected} is expected; it was not used; copy the file again, or correct the pin"
    )]
    Checksum {
        /// What was downloaded.
        what: String,
        /// The pinned checksum.
        expected: String,
        /// The one found.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{doing} {path}: {source}", path = .path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A program that a build needs is missing and can't be installed by us.
    #[error("{program} is needed to {purpose}; {advice}")]
    Missing {
        /// The program.
        program: &'static str,
        /// What for.
        purpose: &'static str,
        /// What to do.
        advice: String,
    },
    /// A program answered something that can't be understood.
    #[error("{doing}: unexpected answer: {answer}")]
    Answer {
        /// What was being done.
        doing: String,
        /// The answer.
        answer: String,
    },
    /// A Go module can't be downloaded: it is refused, or the module proxy can't be reached.
    #[error("the Go module {module} can't be downloaded: {problem}")]
    Module {
        /// Its path and version.
        module: String,
        /// What the go command says.
        problem: String,
    },
    /// A file could not be downloaded.
    #[error("downloading {url}: {problem}")]
    Download {
        /// Its address.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// An image of a public registry can't be used.
    #[error("{image}: {problem}")]
    Image {
        /// Its name.
        image: String,
        /// What is wrong.
        problem: String,
    },
    /// The cache folder is not known.
    #[error("no cache folder: set KUBERAY_CONFORMANCE_CACHE, XDG_CACHE_HOME or HOME")]
    NoCacheFolder,
    /// A folder that is no checkout of the operator.
    #[error("{folder} is not a checkout of ray-operator: it contains no {missing}; name the folder that contains go.mod and main.go", folder = .folder.display())]
    NoCheckout {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// A file that is no wheel of Ray.
    #[error("{path} is no wheel of Ray: name a file such as ray-2.60.0-cp311-cp311-manylinux2014_x86_64.whl", path = .path.display())]
    NoWheel {
        /// The file.
        path: PathBuf,
    },
    /// An image whose CRDs are not known.
    #[error(
        "the CRDs of the image {image} are not known; name their folder, or the release that it follows"
    )]
    NoCrds {
        /// The image.
        image: String,
    },
    /// Too little room for what is to be built.
    #[error("{path} has {free} MiB free, but {needed} MiB are needed to {purpose}; free some, or set KUBERAY_CONFORMANCE_CACHE to a folder on a larger disk", path = .path.display())]
    Disk {
        /// The folder.
        path: PathBuf,
        /// Free, in MiB.
        free: u64,
        /// Needed, in MiB.
        needed: u64,
        /// What for.
        purpose: &'static str,
    },
}

/// Names what was being done to which file, for `map_err`.
pub(crate) fn file(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(std::io::Error) -> ArtifactError {
    let path = path.into();
    move |source| ArtifactError::File {
        doing,
        path,
        source,
    }
}

/// The message of an error with its causes, which that of a request's error leaves out.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !problem.ends_with(&inner_text) {
            problem.push_str(&format!(": {inner_text}"));
        }
        cause = inner.source();
    }
    problem
}
