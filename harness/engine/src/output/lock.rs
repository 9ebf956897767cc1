//! One process at a time writes into an output folder.

use std::path::{Path, PathBuf};

use super::files::open_or_create_file;
use crate::process::{FileLock, Holder, LockError, LockMode};

/// The file that is locked; it stays, so that nobody locks one that another has just removed.
const NAME: &str = ".kuberay-conformance.lock";

/// Why an output folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Another process writes into it.
    #[error(
        "the output folder {path} is in use by {holder}: wait until that has ended, or name another folder with --output",
        path = .path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that uses it.
        holder: Holder,
    },
    /// It is a file.
    #[error("{path} is no folder: name a folder for the reports with --output", path = .path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
    /// It can't be read or written.
    #[error("{doing} the output folder {path}: {source}; is it writable, and is there free space?", path = .path.display())]
    Access {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// The right to write into an output folder; ends when dropped, and with its process whatever ends
/// that.
#[derive(Debug)]
pub struct OutputLock(
    #[cfg_attr(not(test), expect(dead_code, reason = "it is held for its lock"))] FileLock,
);

impl OutputLock {
    /// Makes the folder where there is none, and takes its lock.
    ///
    /// # Errors
    /// Fails when another process has the lock, and when the folder can't be written.
    pub fn take(folder: &Path, doing: &str) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Access {
            doing: "locking",
            path: folder.into(),
            source,
        };
        if folder.exists() && !folder.is_dir() {
            return Err(OutputError::NoFolder {
                path: folder.into(),
            });
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = open_or_create_file(folder, NAME).map_err(failed)?;
        match FileLock::of(file, &folder.join(NAME), LockMode::Exclusive) {
            Ok(lock) => {
                lock.record(doing).map_err(failed)?;
                Ok(Self(lock))
            }
            Err(LockError::Held { holder, .. }) => Err(OutputError::InUse {
                path: folder.into(),
                holder,
            }),
            Err(LockError::Access { source, .. }) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
#[path = "lock/tests.rs"]
mod tests;
