//! Checks: the state of a cluster becomes a verdict; nothing here waits, reads or writes.

mod cause;
mod dashboard;
mod duration;
mod environment;
mod generated;
mod kind;
mod kinds;
mod line;
mod line_order;
mod lines;
mod memory;
mod milestone;
mod model;
mod operator_refusals;
mod pattern;
mod pods;
mod reading;
pub mod requests;
mod resources;
mod stuck;
mod terminal;
#[cfg(test)]
mod tests;

pub use environment::environment_fault;
pub(crate) use kinds::all as kinds;
pub use kinds::{Check, LineExpectation, LogsCheck, PodCheck};
pub use lines::{Bounds, LINE_BYTES, Line, Lines};
pub use memory::Memory;
pub use milestone::{Milestone, milestones};
pub use model::*;
pub use operator_refusals::operator_refusals;
pub use pods::{has_started, replica_failure};
pub use resources::ResourceExpectation;
pub use terminal::{terminal, terminal_logs, unexpected_rejection};
