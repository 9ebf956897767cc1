//! The engine: cells run, deadlines hold, evidence is kept, and what was made is cleaned up.

mod capacity;
mod cell;
mod cleanup;
mod conduct;
mod demand;
mod engine;
mod error;
mod evidence;
mod explore;
mod handover;
mod ledger;
mod names;
mod namespace;
mod options;
mod phases;
mod plane;
mod secrets;
mod session;
mod setup;
mod shared;
pub mod standing;
mod stimulus;

pub use capacity::{Capacity, Permit, PermitError, Resources};
pub use conduct::{down, run, status, up};
pub use demand::demand;
pub use engine::{CellError, Engine, EngineOptions, EvidencePolicy, Operator, StartError, Subjects};
pub use error::RunError;
pub use explore::{ExploreOptions, Explored, Finding, Sample, Surprise, explore};
pub use names::{RunId, evidence_folder, namespace_name};
pub use options::{CLUSTER, Options};
use phases::Phases;
pub use plane::{JOBS, Planes, Site, planes_are_at_hand};
pub use session::{Session, new_run_id, noted_releases};
