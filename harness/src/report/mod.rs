//! Reports: results become text for a terminal, JUnit, JSON, Markdown and GitHub annotations.

mod model;
mod progress;

pub use model::*;
pub use progress::*;
