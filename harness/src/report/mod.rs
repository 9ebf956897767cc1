//! Reports: results become text for a terminal, JUnit, JSON, Markdown and GitHub annotations.

mod model;

pub use model::*;
