//! A small file system in memory that gets full, has no inodes left, or can't be written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::sandbox::text;

/// More than all that a command writes.
const LARGE: u64 = 1 << 30;
const MANY: u64 = 100_000;

/// A mounted tmpfs, which goes when this is dropped.
pub struct Disk {
    folder: tempfile::TempDir,
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// So many more bytes fit.
    Full(u64),
    /// So many more files fit.
    NoInodes(u64),
    ReadOnly,
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .output();
    }
}

impl Disk {
    /// Mounts one.
    ///
    /// # Errors
    /// Why that is not allowed here.
    pub fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "tmpfs"]).arg(folder.path());
        let mounted = mount.output().map_err(|error| format!("mount: {error}"))?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr);
            return Err(format!("mounting is not allowed here: {}", why.trim()));
        }
        Ok(Self { folder })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]);
        let mounted = mount.arg(self.path()).output().unwrap();
        assert!(mounted.status.success(), "{options}: {}", text(&mounted));
    }

    /// Gives the disk a fault, until it is mended.
    pub fn break_it(&self, fault: DiskFault) {
        let used = rustix::fs::statvfs(self.path()).unwrap();
        match fault {
            DiskFault::Full(more) => {
                let bytes = (used.f_blocks - used.f_bfree) * used.f_frsize + more;
                // None at all means no limit.
                self.remount(&format!("size={}", bytes.max(4096)));
            }
            DiskFault::NoInodes(more) => {
                let files = used.f_files - used.f_ffree + more;
                self.remount(&format!("nr_inodes={files}"));
            }
            DiskFault::ReadOnly => self.remount("ro"),
        }
    }

    /// Takes the fault away.
    pub fn mend(&self) {
        self.remount(&format!("rw,size={LARGE},nr_inodes={MANY}"));
    }

    /// Runs a command on the disk with a fault.
    pub fn with(&self, fault: DiskFault, command: &mut Command) -> Output {
        self.break_it(fault);
        let output = command.output();
        self.mend();
        output.unwrap()
    }

    /// Runs a command again and again, each time with a little more room, until it ends otherwise
    /// than with 3: so each file that it writes is once the first without room. It must name the
    /// cause and where. `begin` brings the disk back to what the command begins with, `end` looks
    /// at what it left. Returns how often it failed, and how it ended at last.
    pub fn sweep(
        &self,
        step: impl Fn(u64) -> DiskFault,
        begin: impl Fn(),
        mut command: impl FnMut() -> Command,
        end: impl Fn(&Output),
    ) -> (u64, Output) {
        for round in 0.. {
            begin();
            let fault = step(round);
            let output = self.with(fault, &mut command());
            let said = format!("{fault:?}: {}", text(&output));
            end(&output);
            if output.status.code() != Some(3) {
                return (round, output);
            }
            self.is_named(fault, &said);
            assert!(round < 500, "it never has enough: {said}");
        }
        unreachable!("there are always more rounds");
    }

    /// Sees that an error names what is wrong with the disk, and a file on it.
    pub fn is_named(&self, fault: DiskFault, said: &str) {
        let cause = match fault {
            DiskFault::Full(_) | DiskFault::NoInodes(_) => "No space left on device",
            DiskFault::ReadOnly => "Read-only file system",
        };
        assert!(said.contains(cause), "`{cause}` is not told: {said}");
        let place = self.path().to_str().unwrap();
        assert!(said.contains(place), "no file of {place} is named: {said}");
    }
}
