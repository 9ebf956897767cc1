//! The command contract of each KubeRay release, as a table of dated behaviour classes.

mod classes;
mod document;
mod rules;
mod start_command;

pub use classes::*;
pub use document::document;
pub use rules::*;
pub use start_command::{flags_of_args, sorted_args, sorted_command};
