//! Plans: scenarios, releases and lanes become cells, narrowed by filters.

mod cells;
mod durations;
mod model;
mod shard;
#[cfg(test)]
mod tests;

pub use kuberay_conformance_pins::{EmptyRange, Pair, PairError, Pairs, Releases, VersionError, parse_version};

pub(crate) use cells::includes;
pub use cells::{Plan, Skipped, cells};
pub use durations::Durations;
pub use model::*;
pub use shard::{Division, Shard, ShardError};
