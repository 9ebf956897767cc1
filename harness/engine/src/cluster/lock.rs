//! Who works on a cluster, and who uses it; a lock ends with its process, whatever ends that.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::fs_std::FileExt as _;
use serde::{Deserialize, Serialize};

use super::error::{ClusterError, file};
use crate::process::{Liveness, ProcessIdentity, stop_point};
use crate::progress::Progress;

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
    /// This process, now.
    pub(crate) fn me(doing: &str) -> Self {
        Self {
            process: Some(Box::new(ProcessIdentity::current().clone())),
            since: format!("{:.0}", jiff::Timestamp::now()),
            doing: doing.into(),
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

/// What to do when another process works on the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Wait for it, at most so long.
    Wait(Duration),
    /// Fail at once.
    Fail,
}

impl Default for Patience {
    /// Long enough for a cluster to come up on a slow machine.
    fn default() -> Self {
        Self::Wait(LONGEST)
    }
}

/// How long another process is waited for.
const LONGEST: Duration = Duration::from_mins(10);

/// How often a lock is asked for; the system tells nobody when a lock of another process ends.
const INTERVAL: Duration = Duration::from_millis(200);

/// The right to change a cluster; ends when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _held: Held,
}

/// A file that is locked. A lock lasts as long as any process has the file open, and a program that is just being started has all of
/// ours open for a moment; so it is given back, not only closed.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // The system gives it back at the latest when the file is closed.
        let _ = fs4::fs_std::FileExt::unlock(&self.0);
    }
}

impl Lock {
    pub(crate) async fn take(
        folder: &Path,
        name: &str,
        doing: &str,
        patience: Patience,
        progress: &dyn Progress,
    ) -> Result<Self, ClusterError> {
        std::fs::create_dir_all(folder).map_err(file("making", folder))?;
        let path = folder.join("lock");
        let started = Instant::now();
        let mut told = false;
        loop {
            if let Some(file) = hold(&path, doing)? {
                return Ok(Self { _held: file });
            }
            let holder = read(&path);
            match patience {
                Patience::Wait(longest) if started.elapsed() < longest => {}
                _ => {
                    return Err(ClusterError::Locked {
                        name: name.into(),
                        holder,
                    });
                }
            }
            if !told {
                progress.update("cluster", &format!("waiting for {holder}"));
                told = true;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Takes the lock when it is free, however short others have it; gives up where a living process that `lets_be`
    /// accepts has it, or another for too long, and returns that one.
    pub(super) async fn take_unless(
        folder: &Path,
        doing: &str,
        lets_be: impl Fn(&Holder) -> bool,
        progress: &dyn Progress,
    ) -> Result<Result<Self, Holder>, ClusterError> {
        std::fs::create_dir_all(folder).map_err(file("making", folder))?;
        let path = folder.join("lock");
        let started = Instant::now();
        let mut told = false;
        loop {
            if let Some(file) = hold(&path, doing)? {
                return Ok(Ok(Self { _held: file }));
            }
            let holder = read(&path);
            // Who has just got the lock has not written who it is, so that what is read may be of the one before.
            let is_other = holder
                .process
                .as_deref()
                .is_some_and(|process| process != ProcessIdentity::current() && process.liveness() == Liveness::Runs);
            if (is_other && lets_be(&holder)) || started.elapsed() > LONGEST {
                return Ok(Err(holder));
            }
            if !told {
                progress.update("cluster", &format!("waiting for {holder}"));
                told = true;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// The mark of a user of a cluster, as long as it is held; nobody takes a cluster down that others use.
#[derive(Debug)]
pub(crate) struct Lease {
    path: PathBuf,
    _file: Held,
}

impl Lease {
    /// Must be called with the [`Lock`] held, so that `down` sees it.
    pub(crate) fn take(folder: &Path, doing: &str) -> Result<Self, ClusterError> {
        let folder = folder.join("users");
        std::fs::create_dir_all(&folder).map_err(file("making", &folder))?;
        let mut number = 0;
        loop {
            let path = folder.join(format!("{}-{number}", ProcessIdentity::current().short()));
            if let Some(file) = hold(&path, doing)? {
                return Ok(Self { path, _file: file });
            }
            number += 1;
        }
    }

    /// Who uses the cluster now; marks that ended processes left are removed.
    pub(crate) fn users(folder: &Path) -> Result<Vec<Holder>, ClusterError> {
        let folder = folder.join("users");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(file("reading", &folder)(source)),
        };
        let mut users = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let Ok(mark) = File::open(&path) else { continue };
            // Shared, so that several that look don't take each other for users.
            match mark.try_lock_shared() {
                Ok(()) => {
                    stop_point("mark-probed");
                    let _ = std::fs::remove_file(&path);
                }
                Err(TryLockError::WouldBlock) => users.push(read(&path)),
                Err(TryLockError::Error(source)) => return Err(file("locking", &path)(source)),
            }
        }
        Ok(users)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn hold(path: &Path, doing: &str) -> Result<Option<Held>, ClusterError> {
    let handle = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(file("opening", path))?;
    stop_point("lock-opened");
    if !handle.try_lock_exclusive().map_err(file("locking", path))? {
        return Ok(None);
    }
    // Until it was locked it was like a mark that an ended process left, which whoever looks for users removes.
    let own = handle.metadata().map_err(file("looking at", path))?;
    let is_there = std::fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino()));
    if !is_there {
        return Ok(None);
    }
    let mut held = Held(handle);
    let write = || {
        held.0.set_len(0)?;
        held.0.rewind()?;
        serde_json::to_writer(&mut held.0, &Holder::me(doing))?;
        held.0.flush()?;
        Ok(held)
    };
    write().map(Some).map_err(file("writing", path))
}

fn read(path: &Path) -> Holder {
    let text = std::fs::read(path).unwrap_or_default();
    // Between its lock and its writing a holder is not known yet.
    serde_json::from_slice(&text).unwrap_or_else(|_| Holder {
        process: None,
        since: "now".into(),
        doing: "unknown".into(),
    })
}

#[cfg(test)]
mod tests;
