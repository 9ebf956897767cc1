//! Checks: the state of a cluster becomes a verdict; nothing here waits, reads or writes.

mod model;

pub use model::*;
