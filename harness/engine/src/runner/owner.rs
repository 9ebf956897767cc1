//! The owner of the objects that runs make in a shared cluster: a run cleans up only objects of its
//! own owner.

use sha2::{Digest, Sha256};

use crate::process::{Liveness, ProcessIdentity};

/// The label with the owner of what a run makes.
pub(super) const OWNER: &str = "kuberay-conformance/owner";
/// The annotation with the process of the run that made something, as JSON: a label's value could
/// not hold it.
pub(super) const PROCESS: &str = "kuberay-conformance/process";
/// Names the owner in place of this machine: a Job gives it to its Pods, of which one takes the
/// other's place.
pub(super) const VARIABLE: &str = "KUBERAY_CONFORMANCE_OWNER";

/// The owner of what this process makes.
pub(super) fn owner() -> String {
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => format!("job-{name}"),
        _ => format!("machine-{}", machine()),
    }
}

/// The machine, as far as its files tell: two containers of one image may have the same name here.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let parts = [read("/etc/machine-id"), read("/proc/sys/kernel/hostname")].join("\n");
    format!("{:x}", Sha256::digest(parts))[..12].to_owned()
}

/// Returns the value of [`PROCESS`] for what this process makes.
pub(super) fn process() -> String {
    serde_json::to_string(ProcessIdentity::current()).unwrap_or_default()
}

/// Returns whether the run that made something has ended. `made_by` and `process` are the values of
/// [`OWNER`] and [`PROCESS`] on it, `here` is the owner of what this process makes. A process that
/// can't be seen from here, such as one of another container, counts as running.
pub(super) fn has_ended(made_by: Option<&str>, process: Option<&str>, here: &str) -> bool {
    if made_by != Some(here) {
        return false;
    }
    // One process at a time has an owner of a Job: `podReplacementPolicy: Failed` starts the next
    // Pod of an index only after the one before has ended.
    if here.starts_with("job-") {
        return true;
    }
    let process = process.and_then(|text| serde_json::from_str::<ProcessIdentity>(text).ok());
    process.is_some_and(|process| process.liveness() == Liveness::Ended)
}

#[cfg(test)]
mod tests;
