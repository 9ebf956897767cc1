//! Allocations that hold across processes, because `run`, `cargo test` and nextest (a process for
//! each trial) share a cluster.

use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Resources;
use crate::process::{FileLock, LockError, LockMode, Probe, ProcessIdentity};

/// A folder in which every allocation is a file that its holder keeps locked; a lock ends with its
/// process, whatever ends that.
#[derive(Debug)]
pub(super) struct Shared {
    folder: PathBuf,
    noted: AtomicUsize,
}

/// The right to look at allocations and to note one; ends when dropped.
#[derive(Debug)]
pub(super) struct AllocationsLock(
    #[expect(dead_code, reason = "it is held for its lock")] FileLock,
);

/// The capacity that all processes use.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) amount: Resources,
    /// Cases that count as running.
    pub(super) cases: usize,
    /// Pods of those cases.
    pub(super) starting: u64,
}

/// The file of an allocation in the folder, while the allocation is held.
#[derive(Debug)]
pub(super) struct Reservation {
    path: PathBuf,
    lock: FileLock,
}

const LOCK: &str = "lock";
/// The first byte of a reservation: the case runs, or it only overlaps and does not count as one
/// that runs. One byte, so that no process reads half of a change.
const RUNS: u8 = b'+';
const OVERLAPS: u8 = b'-';

impl Shared {
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            noted: AtomicUsize::new(0),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lock, unless another process has it.
    pub(super) fn lock(&self) -> io::Result<Option<AllocationsLock>> {
        match FileLock::try_hold(&self.folder.join(LOCK), "wait for capacity on the nodes") {
            Ok(lock) => Ok(Some(AllocationsLock(lock))),
            Err(LockError::Held { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the capacity that all processes use, and removes the files of processes that have
    /// ended.
    pub(super) fn used(&self, _lock: &AllocationsLock) -> io::Result<Used> {
        let mut used = Used::default();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == LOCK) {
                continue;
            }
            match FileLock::probe(&path)? {
                // Just given back.
                Probe::Absent => continue,
                Probe::Free(_lock) => {
                    remove(&path)?;
                    continue;
                }
                Probe::Held(_) => {}
            }
            let text = match std::fs::read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                text => text?,
            };
            let (mark, amount) = text.split_first().ok_or(ErrorKind::UnexpectedEof)?;
            let amount = serde_json::from_slice::<Resources>(amount)?;
            used.amount = used.amount.plus(amount);
            if *mark == RUNS {
                used.cases += 1;
                used.starting = used.starting.saturating_add(amount.pods());
            }
        }
        Ok(used)
    }

    /// Notes an allocation.
    pub(super) fn note(
        &self,
        _lock: &AllocationsLock,
        amount: Resources,
    ) -> io::Result<Reservation> {
        let number = self.noted.fetch_add(1, Ordering::Relaxed);
        // Two engines of one process count for themselves.
        let address = std::ptr::from_ref(self).addr();
        let path = self.folder.join(format!(
            "{}-{address:x}-{number}",
            ProcessIdentity::current().short()
        ));
        let lock = FileLock::try_take(&path, LockMode::Exclusive)?;
        let mut text = vec![RUNS];
        serde_json::to_writer(&mut text, &amount)?;
        lock.file().write_all_at(&text, 0)?;
        Ok(Reservation { path, lock })
    }
}

impl Reservation {
    /// Counts no longer as a case that runs; its capacity stays taken.
    pub(super) fn stop_counting(&self) {
        // Where this fails, others wait until it ends.
        let _ = self.lock.file().write_all_at(&[OVERLAPS], 0);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // Where this fails, the lock ends all the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod mutated;
#[cfg(test)]
mod tests;
