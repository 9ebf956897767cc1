//! JSON schemas of documents, generated from their types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Returns the JSON schema of a document's type, in draft 7, which all editors understand.
///
/// Descriptions are those of the doc comments, without examples and without line breaks inside of a
/// paragraph.
///
/// ```
/// use kuberay_manifest::{Location, schema_of};
///
/// let schema = schema_of::<Location>();
/// assert_eq!(schema["properties"]["line"]["description"], "Line, from 1.");
/// ```
pub fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    describe(&mut schema);
    schema
}

/// Leaves examples out of descriptions and joins the lines of each paragraph.
fn describe(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) if key == "description" => {
                        let text_alone = text.split("\n\n```").next().unwrap_or_default();
                        let paragraphs = text_alone.split("\n\n");
                        let paragraphs = paragraphs.map(|one| one.replace('\n', " "));
                        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
                    }
                    value => describe(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(describe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn descriptions_have_paragraphs_and_neither_other_line_ends_nor_examples() {
        let mut schema = serde_json::json!({
            "oneOf": [{"description": "a\nb\n\nc\n\n```\nlet d = 1;\n```", "title": "d\ne"}],
        });
        super::describe(&mut schema);
        let expected = serde_json::json!({"oneOf": [{"description": "a b\n\nc", "title": "d\ne"}]});
        assert_eq!(schema, expected);
    }
}
