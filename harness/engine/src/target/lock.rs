//! The processes that change a cluster and those that use it. A lock ends with its process,
//! whatever ends the process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{ClusterError, file};
pub use crate::process::Holder;
use crate::process::{FileLock, Liveness, LockError, Probe, ProcessIdentity, stop_point};
use crate::progress::Progress;

/// The behaviour while another process works on the cluster.
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

/// Longest wait for another process.
const LONGEST: Duration = Duration::from_mins(10);

/// The right to change a cluster; ends when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _lock: FileLock,
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
        let mut told = false;
        let waits = |holder: &Holder, waited| {
            let goes_on = matches!(patience, Patience::Wait(longest) if waited < longest);
            if goes_on {
                tell(&mut told, holder, progress);
            }
            goes_on
        };
        match FileLock::hold(&folder.join("lock"), doing, waits).await {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(LockError::Held { holder, .. }) => Err(ClusterError::Locked {
                name: name.into(),
                holder,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the lock when it is free, however short others have it; gives up where a living
    /// process that `lets_be` accepts has it, or another for too long, and returns that one.
    pub(super) async fn take_unless(
        folder: &Path,
        doing: &str,
        lets_be: impl Fn(&Holder) -> bool,
        progress: &dyn Progress,
    ) -> Result<Result<Self, Holder>, ClusterError> {
        std::fs::create_dir_all(folder).map_err(file("making", folder))?;
        let mut told = false;
        let waits = |holder: &Holder, waited| {
            // A process that has just got the lock has not written its record yet, so the record
            // may be that of the previous holder.
            let is_other = holder.process.as_deref().is_some_and(|process| {
                process != ProcessIdentity::current() && process.liveness() == Liveness::Runs
            });
            let goes_on = !(is_other && lets_be(holder)) && waited <= LONGEST;
            if goes_on {
                tell(&mut told, holder, progress);
            }
            goes_on
        };
        match FileLock::hold(&folder.join("lock"), doing, waits).await {
            Ok(lock) => Ok(Ok(Self { _lock: lock })),
            Err(LockError::Held { holder, .. }) => Ok(Err(holder)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Prints once which process is waited for.
fn tell(told: &mut bool, holder: &Holder, progress: &dyn Progress) {
    if !std::mem::replace(told, true) {
        progress.update("cluster", &format!("waiting for {holder}"));
    }
}

/// The mark of a user of a cluster, as long as it is held; nobody takes a cluster down that others
/// use.
#[derive(Debug)]
pub(crate) struct Lease {
    path: PathBuf,
    _lock: FileLock,
}

impl Lease {
    /// Must be called with the [`Lock`] held, so that `cluster down` sees it.
    pub(crate) fn take(folder: &Path, doing: &str) -> Result<Self, ClusterError> {
        let folder = folder.join("users");
        std::fs::create_dir_all(&folder).map_err(file("making", &folder))?;
        let mut number = 0;
        loop {
            let path = folder.join(format!("{}-{number}", ProcessIdentity::current().short()));
            match FileLock::try_hold(&path, doing) {
                Ok(lock) => return Ok(Self { path, _lock: lock }),
                Err(LockError::Held { .. }) => number += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the processes that use the cluster, and removes the marks of processes that have
    /// ended.
    pub(crate) fn users(folder: &Path) -> Result<Vec<Holder>, ClusterError> {
        let folder = folder.join("users");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(file("reading", &folder)(source)),
        };
        let mut users = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            match FileLock::probe(&path)? {
                Probe::Absent => {}
                Probe::Free(_lock) => {
                    stop_point("mark-probed");
                    let _ = std::fs::remove_file(&path);
                }
                Probe::Held(holder) => users.push(holder),
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

#[cfg(test)]
mod tests;
