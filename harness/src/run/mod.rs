//! The engine: cells run, deadlines hold, evidence is kept, and what was made is cleaned up.

mod capacity;
mod cell;
mod cleanup;
mod demand;
mod engine;
mod evidence;
mod ledger;
mod names;
mod namespace;

pub use capacity::{Capacity, Permit, Resources};
pub use demand::demand;
pub use engine::{CellError, Engine, EngineOptions, EvidencePolicy, Subjects};
pub use names::{RunId, evidence_folder, namespace_name};
