//! The folder of a control plane: nobody else can read it, and it goes with the process that made
//! it, at the latest when the next begins.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::super::error::{ClusterError, file, or_gone};
use super::super::lock::{Lock, Patience};
use super::super::processes::{self, Signature};
use crate::process::{FileLock, Probe, ProcessIdentity, stop_point};
use crate::progress::Progress;

/// The file that is locked as long as the process lives that made the folder.
const OWNER: &str = "owner";

/// A folder below `<state>/envtest` for as long as this is kept.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _owner: FileLock,
}

impl Folder {
    /// Makes one, after it has removed what killed processes have left.
    pub(super) async fn make(state: &Path, progress: &dyn Progress) -> Result<Self, ClusterError> {
        let all = state.join("envtest");
        std::fs::create_dir_all(&all).map_err(file("making", &all))?;
        // Nobody looks for leftovers while another makes a folder whose lock is still to come.
        let gate = Lock::take(&all, "API servers", "begin", Patience::default(), progress).await?;
        remove_left(&all, progress).await?;
        // This process may have others that still are, and an earlier one may have had its id.
        let path = (0..u16::MAX)
            .map(|number| all.join(format!("{}-{number}", ProcessIdentity::current().short())))
            .find(|path| !path.exists())
            .unwrap_or_else(|| all.join("0"));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(file("making", &path))?;
        let owner = FileLock::try_hold(&path.join(OWNER), "run")?;
        drop(gate);
        Ok(Self {
            path,
            _owner: owner,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A program that was killed just now may still write a last file.
        for _ in 0..20 {
            // The file that says whose it is goes last: without it, others would take the rest for
            // left behind.
            let emptied = remove_all_but_owner(&self.path);
            stop_point("folder-emptied");
            match emptied.and_then(|()| std::fs::remove_dir_all(&self.path)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                _ => return,
            }
        }
    }
}

fn remove_all_but_owner(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == OWNER {
            continue;
        }
        or_gone(if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        })?;
    }
    Ok(())
}

/// Removes the folders whose process has ended without removing them, and ends its programs, should
/// one still run.
async fn remove_left(all: &Path, progress: &dyn Progress) -> Result<(), ClusterError> {
    let entries = std::fs::read_dir(all).map_err(file("reading", all))?;
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        if let Ok(Probe::Held(_)) = FileLock::probe(&path.join(OWNER)) {
            continue;
        }
        stop_point("leftover-found");
        let mut ended = Vec::new();
        for (program, argument) in [
            (
                "etcd",
                format!("--data-dir={}", path.join("etcd").display()),
            ),
            (
                "kube-apiserver",
                format!("--client-ca-file={}", path.join("ca.crt").display()),
            ),
        ] {
            let arguments: &[&str] = &[&argument];
            ended.extend(processes::end(Signature { program, arguments }).await);
        }
        match std::fs::remove_dir_all(&path) {
            // Whose it was has removed it meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            removed => removed.map_err(file("removing", &path))?,
        }
        let programs = if ended.is_empty() {
            String::new()
        } else {
            format!(" and ended its processes {ended:?}")
        };
        progress.line(&format!(
            "removed {}, which a run that was killed has left{programs}",
            path.display()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
