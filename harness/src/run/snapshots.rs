//! The snapshots of a cell: those of its release, and of an upgrade those of the release before for what was made before.

use std::path::PathBuf;

use serde_json::Value;

use crate::check::{Comparison, Expectations, Subject};
use crate::expect::{SnapshotFolder, Verified};
use crate::plan::Cell;
use crate::scenario::Made;

/// What the Pods of a cell are compared with.
pub(super) struct CellSnapshots {
    own: SnapshotFolder,
    /// As the release before an upgrade sees the folder.
    before: Option<SnapshotFolder>,
}

impl CellSnapshots {
    pub(super) fn new(cell: &Cell, namespace: &str, verified: &Verified) -> Self {
        let folder = |operator| SnapshotFolder::new(cell.scenario.dir.clone(), operator, namespace, verified.clone());
        Self {
            own: folder(cell.operator.clone()),
            before: cell.scenario.upgrade_from.clone().map(folder),
        }
    }

    fn all(&self) -> impl Iterator<Item = &SnapshotFolder> {
        std::iter::once(&self.own).chain(&self.before)
    }

    /// What went wrong beside the comparisons themselves.
    pub(super) fn problems(&self) -> Vec<String> {
        self.all().flat_map(SnapshotFolder::problems).collect()
    }

    /// Notes in the headers of equal snapshots what they were verified on; returns those that changed, and what failed.
    pub(super) fn record_verified(&self) -> (Vec<PathBuf>, Vec<String>) {
        let (mut changed, mut problems) = (Vec::new(), Vec::new());
        for folder in self.all() {
            match folder.record_verified() {
                Ok(paths) => changed.extend(paths),
                Err(error) => problems.push(error.to_string()),
            }
        }
        (changed, problems)
    }
}

impl Expectations for CellSnapshots {
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        let before = self.before.as_ref().filter(|_| subject.made == Some(Made::Before));
        before.unwrap_or(&self.own).compare(subject, found)
    }
}
