//! Folders that the program writes into, and the paths in them that come from data.
//!
//! Data is what comes from a cluster, an archive, `results.json` or a scenario: none of it may name
//! a file outside of its folder, and no link in the folder is followed.

mod bounded;
mod evidence;
mod files;
mod leftovers;
mod lock;
mod paths;

pub(crate) use bounded::{Bounded, too_much};
pub use evidence::{EvidenceFile, evidence_files, evidence_tail};
pub(crate) use files::{create_file, create_folder, folder_without_links, open_file, remove};
pub(crate) use leftovers::{cases_of_before, clear_evidence, evidence_of};
pub use lock::{OutputError, OutputLock};
pub(crate) use paths::{evidence_parts, file_name, parts};
