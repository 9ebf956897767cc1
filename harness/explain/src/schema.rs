//! The JSON schema of the document, generated from the types.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Explanation;

/// The JSON schema of what `explain --format json` writes, as committed in
/// `docs/schema/explain.schema.json`.
pub fn explain_schema() -> Value {
    SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<Explanation>()
        .to_value()
}
