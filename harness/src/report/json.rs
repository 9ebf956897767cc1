//! `results.json` and its schema.

use serde::Serialize;

use super::{ReportError, RunResult};

pub(super) fn render(run: &RunResult) -> Result<String, ReportError> {
    pretty("results.json", run)
}

/// The JSON schema of `results.json`, as committed in `docs/schema/results.schema.json`.
///
/// # Errors
/// Never in practice; a schema can always be written.
pub fn results_schema() -> Result<String, ReportError> {
    pretty("results.schema.json", &schemars::schema_for!(RunResult))
}

fn pretty(name: &'static str, value: &impl Serialize) -> Result<String, ReportError> {
    let text = serde_json::to_string_pretty(value).map_err(|source| ReportError::render(name, source))?;
    Ok(text + "\n")
}
