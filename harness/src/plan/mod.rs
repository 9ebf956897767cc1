//! Plans: scenarios, releases and lanes become cells, narrowed by filters.

mod cells;
mod durations;
mod model;
mod pair;
mod releases;
mod shard;
#[cfg(test)]
mod tests;
mod version;

pub use cells::{Plan, Skipped, cells};
pub use durations::Durations;
pub use model::*;
pub use pair::{Pair, PairError, Pairs};
pub use releases::{EmptyRange, Releases};
pub use shard::{Division, Shard, ShardError};
pub use version::{VersionError, parse_version};
