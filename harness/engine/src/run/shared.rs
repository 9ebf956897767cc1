//! Permits that hold across processes, because `run`, `cargo test` and nextest (a process for each trial) share a cluster.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fs4::fs_std::FileExt as _;

use super::Resources;
use crate::process::ProcessIdentity;

/// A folder in which every permit is a file that its holder keeps locked; a lock ends with its process, whatever ends that.
#[derive(Debug)]
pub(super) struct Shared {
    folder: PathBuf,
    noted: AtomicUsize,
}

/// The right to look at permits and to note one; ends when dropped.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "it is held for its lock")] File);

/// What a permit leaves in the folder while it is held.
#[derive(Debug)]
pub(super) struct Slip {
    path: PathBuf,
    file: File,
}

const TURN: &str = "turn";
/// The first byte of a slip: whether its cell counts as one that runs. One byte, so that nobody reads half of a change.
const RUNS: u8 = b'+';
const RESTS: u8 = b'-';

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

    /// The turn, unless another process has it.
    pub(super) fn turn(&self) -> io::Result<Option<Turn>> {
        let file = open(&self.folder.join(TURN))?;
        Ok(file.try_lock_exclusive()?.then_some(Turn(file)))
    }

    /// What all processes use, and with how many permits; what ended processes have left is removed.
    pub(super) fn used(&self, _turn: &Turn) -> io::Result<(Resources, usize)> {
        let mut used = (Resources::default(), 0);
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == TURN) {
                continue;
            }
            let file = match File::open(&path) {
                // Just given back.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            if file.try_lock_exclusive()? {
                remove(&path)?;
                continue;
            }
            let text = match std::fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text?,
            };
            let (mark, amount) = text.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
            let amount = serde_json::from_slice::<Resources>(amount)?;
            used = (used.0.plus(amount), used.1 + usize::from(*mark == RUNS));
        }
        Ok(used)
    }

    /// Notes a permit.
    pub(super) fn note(&self, _turn: &Turn, amount: Resources) -> io::Result<Slip> {
        let number = self.noted.fetch_add(1, Ordering::Relaxed);
        // Two engines of one process count for themselves.
        let address = std::ptr::from_ref(self).addr();
        let path = self
            .folder
            .join(format!("{}-{address:x}-{number}", ProcessIdentity::current().short()));
        let mut file = open(&path)?;
        file.lock_exclusive()?;
        let mut text = vec![RUNS];
        serde_json::to_writer(&mut text, &amount)?;
        file.write_all(&text)?;
        Ok(Slip { path, file })
    }
}

impl Slip {
    /// Counts no longer as a cell that runs; its room stays taken.
    pub(super) fn rest(&self) {
        // Where this fails, others wait until it ends.
        let _ = self.file.write_all_at(&[RESTS], 0);
    }
}

impl Drop for Slip {
    fn drop(&mut self) {
        // Where this fails, the lock ends all the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
