//! The JSON schema of the document, generated from the types.

use serde_json::Value;

use super::Explanation;

/// The JSON schema of what `explain --format json` writes, as committed in
/// `docs/schema/explain.schema.json`.
pub fn explain_schema() -> Value {
    kuberay_manifest::schema_of::<Explanation>()
}
