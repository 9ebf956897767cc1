//! Scenario files: YAML text becomes a [`Scenario`], with line and column in every error.

mod absent;
mod changes;
mod checks;
mod duration;
mod flag_values;
mod lint;
mod load;
mod manifest;
mod model;
mod pod_checks;
mod rules;
mod schema;
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
pub use lint::lint;
pub use load::{load, load_all};
pub use manifest::{later_objects, manifests};
pub use model::*;
pub use pod_checks::*;
pub use schema::json_schema;
pub use subject::Subject;
