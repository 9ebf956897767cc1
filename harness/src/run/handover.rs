//! A run that ends while another still uses its cluster leaves it to that one to take down.

use std::path::PathBuf;

use super::RunError;
use super::session::remove_if_there;
use super::setup::Setup;

fn mark(setup: &Setup) -> PathBuf {
    setup.cluster.kubeconfig().with_file_name("take-down")
}

/// Whoever uses the cluster last takes it down.
pub(super) fn leave_to_others(setup: &Setup) -> Result<(), RunError> {
    let path = mark(setup);
    std::fs::write(&path, "").map_err(|source| RunError::File {
        doing: "writing",
        path,
        source,
    })
}

/// Whether a run that has ended left the cluster to others.
pub(super) fn is_left_to_us(setup: &Setup) -> Result<bool, RunError> {
    let path = mark(setup);
    path.try_exists().map_err(|source| RunError::File {
        doing: "looking for",
        path,
        source,
    })
}

/// The cluster is gone, or stays because somebody asked for that.
pub(super) fn clear(setup: &Setup) -> Result<(), RunError> {
    remove_if_there(mark(setup))
}
