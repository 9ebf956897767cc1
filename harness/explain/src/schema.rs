//! The JSON schema of the document, generated from the types.

use serde_json::Value;

use super::Explanation;

/// The JSON schema of what `explain --format json` writes, as committed in
/// `docs/schema/explain.schema.json`.
///
/// ```
/// let schema = kuberay_explain::explain_schema();
/// assert_eq!(schema["title"], "Explanation");
/// ```
pub fn explain_schema() -> Value {
    kuberay_manifest::schema_of::<Explanation>()
}
