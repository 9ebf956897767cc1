//! Names of runs, of the namespaces of their cases, and of folders of evidence.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::output::evidence_of;
use crate::plan::TestCase;
use crate::process::ProcessIdentity;

/// The longest name of a namespace.
const LONGEST: usize = 63;

/// Identifies a run among those of all machines and containers: when it began, and a digest of its
/// process and of its number in that process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// Returns the id of the run that began at `started`, the `number`th of a process.
    pub fn new(started: Timestamp, process: &ProcessIdentity, number: usize) -> Self {
        let time = started.to_zoned(TimeZone::UTC).strftime("%m%d-%H%M%S");
        let number = if number == 0 {
            String::new()
        } else {
            format!("{number:x}-")
        };
        Self(format!("{time}-{number}{}", process.short()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new id, of this moment and this process.
pub fn new_run_id() -> RunId {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RunId::new(Timestamp::now(), ProcessIdentity::current(), number)
}

/// The namespace of a case: unlike any other of this or another run, and telling people which
/// scenario it is. `number` counts the cases of the run.
pub fn namespace_name(run: &RunId, number: usize, scenario: &str) -> String {
    let name = format!("kc-{run}-{number}-{scenario}");
    let cut: String = name.chars().take(LONGEST).collect();
    cut.trim_end_matches('-').to_owned()
}

/// The folder of a case's evidence below the output folder.
pub fn evidence_folder(case: &TestCase) -> String {
    evidence_of(&case.id())
}

#[cfg(test)]
mod tests;
