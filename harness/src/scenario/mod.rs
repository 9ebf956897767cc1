//! Scenario files: YAML text becomes a [`Scenario`], with line and column in every error.

mod model;

pub use model::*;
