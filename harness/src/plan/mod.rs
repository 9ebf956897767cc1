//! Plans: scenarios, releases and lanes become cells, narrowed by filters.

mod model;

pub use model::*;
