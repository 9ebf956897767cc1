//! Who makes things in a cluster that others use, too: only what has the same owner may be looked after.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::names::process_of;

/// The label with the owner of what a run makes.
pub(super) const OWNER: &str = "kuberay-conformance/owner";
/// Names the owner in place of this machine: a Job gives it to its Pods, of which one takes the other's place.
pub(super) const VARIABLE: &str = "KUBERAY_CONFORMANCE_OWNER";

/// The owner of what this process makes.
pub(super) fn owner() -> String {
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => format!("job-{name}"),
        _ => format!("machine-{}", machine()),
    }
}

/// This machine, and among containers that share its kernel, this one.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let parts = [read("/etc/machine-id"), read("/proc/sys/kernel/hostname")].join("\n");
    format!("{:x}", Sha256::digest(parts))[..12].to_owned()
}

/// Whether the run that made something has ended: `made_by` and `run` are its labels, `here` and `now` are this process's.
pub(super) fn has_ended(made_by: Option<&str>, run: Option<&str>, here: &str, now: u32) -> bool {
    if made_by != Some(here) {
        return false;
    }
    // Of one owner of a Job there is one process at a time.
    if here.starts_with("job-") {
        return true;
    }
    let process = run.and_then(process_of);
    process.is_some_and(|process| process == now || !Path::new("/proc").join(process.to_string()).exists())
}

#[cfg(test)]
mod tests;
