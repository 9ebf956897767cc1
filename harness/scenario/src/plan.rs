//! Plans: scenarios, releases and targets become cases, narrowed by filters.

mod cases;
mod durations;
mod model;
mod shard;
#[cfg(test)]
mod tests;

pub use kuberay_conformance_pins::{
    EmptyRange, Pair, PairError, Pairs, Releases, VersionError, parse_version,
};

pub use crate::range::includes;
pub use cases::{Plan, Skipped, cases};
pub use durations::Durations;
pub use model::*;
pub use shard::{Division, Shard, ShardError};
