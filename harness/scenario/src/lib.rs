//! Scenario files and what is said of them without a cluster: YAML text becomes a [`Scenario`], with line and column in
//! every error; [`check`] judges what a cluster answered, [`expect`] compares it with snapshots, [`plan`] makes cases of
//! scenarios, [`generate`] generates objects, [`diff`] compares two
//! operators, and [`results`] is what a run found.

mod absent;
mod changes;
pub mod check;
mod checks;
pub mod diff;
mod duration;
pub mod expect;
pub mod files;
mod flag_values;
pub mod generate;
mod init;
mod lint;
mod load;
mod manifest;
mod model;
pub mod plan;
mod pod_checks;
mod reachable;
pub mod results;
mod rules;
mod schema;
mod settings;
mod shape;
mod subject;
#[cfg(test)]
mod tests;

pub use kuberay_manifest::{Diagnostic, Diagnostics, Location, Severity, parse_manifest};

pub use absent::AbsentCheck;
pub use changes::apply_changes;
pub use checks::*;
pub use duration::{DurationError, Length, parse_duration, written_duration};
pub use flag_values::FlagValuesCheck;
pub use init::{NewScenario, SCHEMA_FILE, init};
pub use lint::lint;
pub use load::{load, load_all};
pub use manifest::{later_objects, manifests, objects_between};
pub use model::*;
pub use pod_checks::*;
pub use reachable::unreachable_checks;
pub use schema::json_schema;
pub use settings::OperatorSettings;
pub use subject::Subject;
