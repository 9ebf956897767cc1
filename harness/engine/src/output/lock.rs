//! One process at a time writes into an output folder.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::files::open_or_create_file;
use crate::cluster::Holder;

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
        /// Who uses it.
        holder: Holder,
    },
    /// It can't be read or written.
    #[error("{doing} the output folder {path}: {source}; is it writable, and is there room?", path = .path.display())]
    Access {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// The right to write into an output folder; ends when dropped, and with its process whatever ends that.
#[derive(Debug)]
pub struct OutputLock(File);

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
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = open_or_create_file(folder, NAME).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OutputError::InUse {
                    path: folder.into(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut lock = Self(file);
        lock.write(&Holder::me(doing)).map_err(failed)?;
        Ok(lock)
    }

    fn write(&mut self, holder: &Holder) -> std::io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        serde_json::to_writer(&mut self.0, holder)?;
        self.0.flush()
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // A program that is being started has every file of ours open for a moment, so that closing it is not enough.
        let _ = self.0.unlock();
    }
}

/// Returns who has the lock, as far as that is written yet.
fn holder(file: &mut File) -> Holder {
    let mut text = Vec::new();
    let _ = file.take(4096).read_to_end(&mut text);
    serde_json::from_slice(&text).unwrap_or_else(|_| Holder {
        process: None,
        since: "now".into(),
        doing: "unknown".into(),
    })
}

#[cfg(test)]
#[path = "lock/tests.rs"]
mod tests;
