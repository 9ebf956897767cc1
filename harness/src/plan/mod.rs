//! Plans: scenarios, releases and lanes become cells, narrowed by filters.

mod cells;
mod model;
mod pair;
mod releases;
#[cfg(test)]
mod tests;
mod version;

pub use cells::{Plan, Skipped, cells};
pub use model::*;
pub use pair::{Pair, PairError, Pairs};
pub use releases::{EmptyRange, Releases};
pub use version::{VersionError, parse_version};
