//! The JSON schema of the document, generated from the types.

use serde_json::Value;

use super::Explanation;

/// Returns the JSON schema of [`Explanation`], which `explain --format json` writes and
/// `docs/schema/explain.schema.json` contains.
///
/// ```
/// let schema = kuberay_explain::explain_schema();
/// assert_eq!(schema["title"], "Explanation");
/// ```
pub fn explain_schema() -> Value {
    kuberay_manifest::schema_of::<Explanation>()
}
