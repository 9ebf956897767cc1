//! Artifacts: where binaries and images come from, pulled or built, kept in a store keyed by content.

mod model;

pub use model::*;
