//! Expectations: what was found is normalised and compared with a snapshot; pending ones are
//! reviewed and accepted.

mod body;
mod diff;
mod error;
mod file;
mod folder;
mod name;
mod normalise;
mod pending;
mod review;
mod unreferenced;

pub use crate::align::{Row, Segment, WordChange, align, changes, segments};
pub use body::render;
pub use diff::diff;
pub use error::ExpectError;
pub use file::{Header, SnapshotFile};
pub use folder::{SnapshotFolder, Verified, pending_allowed, snapshot_path};
pub use name::SnapshotName;
pub use normalise::{Context, NORMALISATIONS, Normalisation, normalise};
pub use pending::{Pending, accept, pending, reject};
pub use review::{Answer, Decision, Question, Reviewed, Reviewer, review};
pub use unreferenced::{subjects, unreferenced};

#[cfg(test)]
mod tests;
