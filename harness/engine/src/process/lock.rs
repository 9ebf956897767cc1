//! Locks between processes. A lock is a lock of a file, so it ends with its process, whatever ends
//! that.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{ProcessIdentity, stop_point};

/// How often a waiting process asks again; the system reports the end of another process's lock to
/// nobody.
const INTERVAL: Duration = Duration::from_millis(50);
/// How much of a lock's file is read for its holder, in bytes.
const LONGEST_RECORD: u64 = 4096;

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which process it is; `None` until it has written that.
    pub process: Option<Box<ProcessIdentity>>,
    /// When it got the lock, RFC 3339.
    pub since: String,
    /// What it does with it.
    pub doing: String,
}

impl Holder {
    /// Returns this process, from this moment on.
    pub(crate) fn me(doing: &str) -> Self {
        Self {
            process: Some(Box::new(ProcessIdentity::current().clone())),
            since: format!("{:.0}", jiff::Timestamp::now()),
            doing: doing.into(),
        }
    }

    /// Reads the holder that a lock's file names. It is unknown between the lock and the record of
    /// its holder, and for shared locks.
    fn read(mut file: &File) -> Self {
        let mut text = Vec::new();
        let _ = file.rewind();
        let _ = file.take(LONGEST_RECORD).read_to_end(&mut text);
        serde_json::from_slice(&text).unwrap_or_else(|_| Self::unknown())
    }

    fn unknown() -> Self {
        Self {
            process: None,
            since: "now".into(),
            doing: "unknown".into(),
        }
    }

    /// Returns the id of its process in that process's PID namespace, where it is known.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.pid)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some(process) => process.fmt(formatter)?,
            None => formatter.write_str("an unknown process")?,
        }
        write!(formatter, " ({}, since {})", self.doing, self.since)
    }
}

/// How many processes may hold a lock at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Any number, as long as none holds it exclusively.
    Shared,
    /// One.
    Exclusive,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("the lock {path} is held by {holder}", path = .path.display())]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// The process that holds it.
        holder: Holder,
    },
    /// Its file can't be used.
    #[error("{doing} the lock {path}: {source}", path = .path.display())]
    Access {
        /// What was being done.
        doing: &'static str,
        /// The lock's file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl LockError {
    fn access(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Access {
            doing,
            path,
            source,
        }
    }
}

impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Access { source, .. } => source,
            held @ LockError::Held { .. } => Self::new(ErrorKind::WouldBlock, held),
        }
    }
}

/// The lock of a file; it ends when this is dropped.
///
/// A system's lock lasts as long as any process has the file open, and a program that is being
/// started has every file of this process open for a moment. So the lock is released, not only its
/// file closed.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl Drop for FileLock {
    fn drop(&mut self) {
        // The system releases it at the latest when the file is closed.
        let _ = self.0.unlock();
    }
}

/// What a look at a lock finds.
#[derive(Debug)]
pub(crate) enum Probe {
    /// There is no such file.
    Absent,
    /// No process held the lock, and this process now shares it.
    Free(FileLock),
    /// A process holds it exclusively.
    Held(Holder),
}

impl FileLock {
    /// Takes the lock of a file unless another process holds it. Makes the file where there is
    /// none.
    ///
    /// # Errors
    /// Fails when another process holds the lock, and when the file can't be opened or made.
    pub(crate) fn try_take(path: &Path, mode: LockMode) -> Result<Self, LockError> {
        loop {
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            let file = options
                .open(path)
                .map_err(LockError::access("opening", path))?;
            stop_point("lock-opened");
            let lock = Self::of(file, path, mode)?;
            // Until it was locked, the file was like one that an ended process left, which other
            // processes remove.
            let own = lock
                .0
                .metadata()
                .map_err(LockError::access("examining", path))?;
            let is_there = std::fs::metadata(path)
                .is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino()));
            if is_there {
                return Ok(lock);
            }
        }
    }

    /// Takes the lock of an open file, unless another process holds it; `path` is for the error.
    ///
    /// # Errors
    /// Fails when another process holds the lock, and when the system refuses.
    pub(crate) fn of(file: File, path: &Path, mode: LockMode) -> Result<Self, LockError> {
        let locked = match mode {
            LockMode::Shared => file.try_lock_shared(),
            LockMode::Exclusive => file.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                path: path.into(),
                holder: Holder::read(&file),
            }),
            Err(TryLockError::Error(source)) => Err(LockError::access("locking", path)(source)),
        }
    }

    /// Takes the exclusive lock of a file as [`FileLock::try_take`], and records this process in
    /// it.
    ///
    /// # Errors
    /// As [`FileLock::try_take`], and when the file can't be written.
    pub(crate) fn try_hold(path: &Path, doing: &str) -> Result<Self, LockError> {
        let lock = Self::try_take(path, LockMode::Exclusive)?;
        lock.record(doing)
            .map_err(LockError::access("writing", path))?;
        Ok(lock)
    }

    /// Takes the exclusive lock of a file, and records this process in it. While another process
    /// holds the lock, `waits` decides from that process and the time spent waiting whether to go
    /// on. Dropping the future ends the wait.
    ///
    /// # Errors
    /// As [`FileLock::try_hold`]; [`LockError::Held`] once `waits` returns false.
    pub(crate) async fn hold(
        path: &Path,
        doing: &str,
        waits: impl FnMut(&Holder, Duration) -> bool,
    ) -> Result<Self, LockError> {
        wait(|| Self::try_hold(path, doing), waits).await
    }

    /// Shares the lock of a file; waits as [`FileLock::hold`] does.
    ///
    /// # Errors
    /// As [`FileLock::try_take`]; [`LockError::Held`] once `waits` returns false.
    pub(crate) async fn share(
        path: &Path,
        waits: impl FnMut(&Holder, Duration) -> bool,
    ) -> Result<Self, LockError> {
        wait(|| Self::try_take(path, LockMode::Shared), waits).await
    }

    /// Examines a lock without making its file. The lock is shared, so that two processes that look
    /// at it do not take each other for its holder.
    ///
    /// # Errors
    /// Fails when the file can't be opened or locked.
    pub(crate) fn probe(path: &Path) -> Result<Probe, LockError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Probe::Absent),
            opened => opened.map_err(LockError::access("opening", path))?,
        };
        match Self::of(file, path, LockMode::Shared) {
            Ok(lock) => Ok(Probe::Free(lock)),
            Err(LockError::Held { holder, .. }) => Ok(Probe::Held(holder)),
            Err(error) => Err(error),
        }
    }

    /// Records this process as the holder, for the errors of other processes.
    ///
    /// # Errors
    /// Fails when the file can't be written.
    pub(crate) fn record(&self, doing: &str) -> io::Result<()> {
        let text = serde_json::to_vec(&Holder::me(doing))?;
        let mut file = &self.0;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }

    /// Returns the locked file.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

async fn wait(
    mut take: impl FnMut() -> Result<FileLock, LockError>,
    mut waits: impl FnMut(&Holder, Duration) -> bool,
) -> Result<FileLock, LockError> {
    let began = Instant::now();
    loop {
        match take() {
            Err(LockError::Held { holder, .. }) if waits(&holder, began.elapsed()) => {}
            done => return done,
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod mutated;
#[cfg(test)]
mod tests;
