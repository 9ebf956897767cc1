//! Scenario files and what is said of them without a cluster: YAML text becomes a [`Scenario`],
//! with line and column in every error; [`check`] judges what a cluster answered, [`expect`]
//! compares it with snapshots, [`plan`] makes cases of scenarios, [`generate`] generates objects,
//! [`diff`] compares two operators, and [`results`] is what a run found.

mod align;
mod changes;
pub mod check;
pub mod diff;
mod duration;
pub mod expect;
pub mod files;
pub mod generate;
mod init;
mod lint;
mod load;
mod manifest;
mod model;
pub mod plan;
mod problems;
mod range;
mod reachable;
pub mod results;
mod role;
mod rules;
mod schema;
mod scope;
mod settings;
mod shape;
mod subject;
#[cfg(test)]
mod tests;

pub use kuberay_manifest::{Diagnostic, Diagnostics, Location, Severity, parse_manifest};

pub use changes::apply_changes;
pub use check::{Check, Milestone, PodCheck};
pub use duration::{DurationError, DurationText, parse_duration, written_duration};
pub use init::{NewScenario, SCHEMA_FILE, init};
pub use lint::lint;
pub use load::{load, load_all};
pub use manifest::{later_objects, manifests, objects_between};
pub use model::*;
pub use reachable::unreachable_checks;
pub use role::{PodOf, Role};
pub use schema::json_schema;
pub use settings::{OperatorSettings, is_of_the_linker};
pub use subject::{PodCreated, PodField, Subject};
