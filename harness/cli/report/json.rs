//! `results.json` and its schema.

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::schema_of;

use super::{ReportError, RuleResult, RunResult, rule_results};

/// What `results.json` holds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Results", extend("$id" = "urn:kuberay-conformance:results:v1"))]
struct Document<'a> {
    #[serde(flatten)]
    run: &'a RunResult,
    /// What the cases say of each rule of the contract.
    rules: Vec<RuleResult>,
}

pub(super) fn render(run: &RunResult) -> Result<String, ReportError> {
    let rules = rule_results(run);
    pretty("results.json", &Document { run, rules })
}

/// The JSON schema of `results.json`, as committed in `docs/schema/results.schema.json`.
///
/// # Errors
/// Never in practice; a schema can always be written.
pub fn results_schema() -> Result<String, ReportError> {
    pretty("results.schema.json", &schema_of::<Document>())
}

fn pretty(name: &'static str, value: &impl Serialize) -> Result<String, ReportError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|source| ReportError::render(name, source))?;
    Ok(text + "\n")
}
