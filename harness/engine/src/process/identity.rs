//! Identity of a process, which no other has: not in another container, not on another machine, not
//! after a reboot.

use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The inode number of the first PID namespace of every Linux kernel (`PROC_PID_INIT_INO`).
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

static CURRENT: LazyLock<ProcessIdentity> = LazyLock::new(|| {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let pid = std::process::id();
    ProcessIdentity {
        pid,
        started: running_since(pid).unwrap_or_default(),
        namespace: namespace.to_string_lossy().into_owned(),
        boot: read("/proc/sys/kernel/random/boot_id"),
        machine: read("/etc/machine-id"),
    }
});

/// Identifies a process wherever its record is read.
///
/// A PID alone does not: two containers of one image both have a process 1, often the same machine
/// id, and sometimes the same hostname, and a PID is given again when its process has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its id in its PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since the kernel booted (`/proc/PID/stat`, field 22).
    pub started: u64,
    /// Its PID namespace, as `/proc/self/ns/pid` links to it.
    pub namespace: String,
    /// The id of the kernel's boot.
    pub boot: String,
    /// `/etc/machine-id`; empty where there is none.
    pub machine: String,
}

/// What is known of a recorded process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Runs,
    /// It has ended.
    Ended,
    /// It can't be seen from here: it is of another machine or of another PID namespace.
    Unknown,
}

impl ProcessIdentity {
    /// Returns the identity of this process.
    pub fn current() -> &'static Self {
        &CURRENT
    }

    /// Returns whether the process still runs. It is [`Liveness::Unknown`] unless that is certain.
    pub fn liveness(&self) -> Liveness {
        let here = Self::current();
        if self.boot.is_empty() || self.namespace.is_empty() || self.started == 0 {
            return Liveness::Unknown;
        }
        if self.boot != here.boot {
            // Every process of an earlier boot has ended. A container may run on another machine
            // under the same machine id, so this holds only outside of containers.
            let rebooted = !self.machine.is_empty() && self.machine == here.machine;
            let on_host = self.namespace == FIRST_NAMESPACE && here.namespace == FIRST_NAMESPACE;
            return if rebooted && on_host {
                Liveness::Ended
            } else {
                Liveness::Unknown
            };
        }
        if self.namespace != here.namespace {
            return Liveness::Unknown;
        }
        if running_since(self.pid) == Some(self.started) {
            Liveness::Runs
        } else {
            Liveness::Ended
        }
    }

    /// Returns eight hexadecimal digits that stand for the process in names.
    pub fn short(&self) -> String {
        let parts = format!(
            "{} {} {} {} {}",
            self.pid, self.started, self.namespace, self.boot, self.machine
        );
        format!("{:x}", Sha256::digest(parts))[..8].to_owned()
    }
}

impl fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let here = Self::current();
        write!(f, "process {}", self.pid)?;
        if self.boot != here.boot {
            f.write_str(" of another machine")
        } else if self.namespace != here.namespace {
            f.write_str(" of another container")
        } else {
            Ok(())
        }
    }
}

/// When the process with this id started; `None` where it has ended or can't be read.
fn running_since(pid: u32) -> Option<u64> {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    since(&stat)
}

/// The start in a text of `/proc/PID/stat`; `None` where the process is a zombie, which has ended.
fn since(stat: &str) -> Option<u64> {
    // "pid (name) state …"; the name may hold anything, also brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(test)]
mod tests;
