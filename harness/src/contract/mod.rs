//! The command contract of each KubeRay release: a table of dated features, the classes of releases that follow from
//! it, and the Pods that a release makes of an object.

mod classes;
mod compare;
mod env;
mod feature;
mod features;
mod go;
mod init;
mod input;
mod names;
mod output;
mod params;
mod pods;
mod predict;
mod quantity;
mod rules;
mod settings;
mod start_command;
mod submitter;
#[cfg(test)]
mod tests;
mod text;

pub use classes::*;
pub use compare::{Difference, differences};
pub use feature::{Feature, FeatureEntry, features};
pub use input::ModelError;
pub use output::*;
pub use predict::predict;
pub use quantity::Quantity;
pub use rules::*;
pub use settings::OperatorSettings;
pub use start_command::{flags_of_args, sorted_args, sorted_command};
pub use text::Text;
