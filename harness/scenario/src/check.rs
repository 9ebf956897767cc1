//! Checks: the state of a cluster becomes a verdict; nothing here waits, reads or writes.

mod cause;
mod dashboard;
mod duration;
mod environment;
mod generated;
mod grants;
mod kind;
mod kinds;
mod line;
mod lines;
mod memory;
mod milestone;
mod model;
mod operator_refusals;
mod pattern;
mod pods;
pub mod requests;
mod resources;
mod stuck;
mod terminal;
#[cfg(test)]
mod tests;

pub use grants::milestones;
pub(crate) use kinds::all as kinds;
pub use kinds::{Check, LineExpectation, LogsCheck, PodCheck};
pub use lines::{Bounds, LINE_BYTES, Line, Lines};
pub use memory::{Memory, environment_fault};
pub use milestone::Milestone;
pub use model::*;
pub use operator_refusals::operator_refusals;
pub use pods::{has_started, replica_failure};
pub use resources::ResourceExpectation;
pub use terminal::{terminal, terminal_logs, unexpected_rejection};
