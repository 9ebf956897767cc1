//! Names of runs, of the namespaces of their cells, and of folders of evidence.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::output::evidence_of;
use crate::plan::Cell;

/// The longest name of a namespace.
const LONGEST: usize = 63;

/// Identifies a run on this machine: when it began and which process it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// Of a run that began at `started` in process `pid`.
    pub fn new(started: Timestamp, pid: u32) -> Self {
        let time = started.to_zoned(TimeZone::UTC).strftime("%m%d-%H%M%S");
        Self(format!("{time}-{pid:x}"))
    }
}

/// The process of the run with this id; none where the text is no such id.
pub(super) fn process_of(run: &str) -> Option<u32> {
    u32::from_str_radix(run.rsplit('-').next()?, 16).ok()
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The namespace of a cell: unlike any other of this or another run, and telling people which scenario it is. `number`
/// counts the cells of the run.
pub fn namespace_name(run: &RunId, number: usize, scenario: &str) -> String {
    let name = format!("kc-{run}-{number}-{scenario}");
    let cut: String = name.chars().take(LONGEST).collect();
    cut.trim_end_matches('-').to_owned()
}

/// The folder of a cell's evidence below the output folder.
pub fn evidence_folder(cell: &Cell) -> String {
    evidence_of(&cell.id())
}

#[cfg(test)]
mod tests;
