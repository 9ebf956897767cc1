//! Checks: the state of a cluster becomes a verdict; nothing here waits, reads or writes.

mod absent;
mod cause;
mod dashboard;
mod duration;
mod environment;
mod evaluate;
mod event;
mod flag_order;
mod flag_values;
mod generated;
mod job;
mod line;
mod lines;
mod logs;
mod memory;
mod model;
mod never;
mod order;
mod pod;
mod pods;
mod reached;
pub mod requests;
mod resources;
mod state;
mod stuck;
mod terminal;
#[cfg(test)]
mod tests;

pub use environment::environment_fault;
pub use evaluate::{evaluate, milestones, needed_logs};
pub use event::operator_refusals;
pub use lines::{Bounds, LINE_BYTES, Line, Lines};
pub use memory::Memory;
pub use model::*;
pub use pods::{has_started, replica_failure};
pub use terminal::{terminal, terminal_logs, unexpected_rejection};
