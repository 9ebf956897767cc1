//! The JSON schema of a scenario file, generated from the types.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::ScenarioFile;

/// The JSON schema that editors complete and check scenario files with; draft 7, which all of them
/// understand.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<ScenarioFile>().to_value();
    unwrap_descriptions(&mut schema);
    schema
}

/// Joins the lines of each paragraph of a description: where the comment in the source breaks a line
/// means nothing to readers.
fn unwrap_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) if key == "description" => {
                        let paragraphs = text.split("\n\n").map(|one| one.replace('\n', " "));
                        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
                    }
                    value => unwrap_descriptions(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_descriptions),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn descriptions_have_paragraphs_and_no_other_line_ends() {
        let mut schema =
            serde_json::json!({"oneOf": [{"description": "a\nb\n\nc", "title": "d\ne"}]});
        super::unwrap_descriptions(&mut schema);
        let expected = serde_json::json!({"oneOf": [{"description": "a b\n\nc", "title": "d\ne"}]});
        assert_eq!(schema, expected);
    }

    #[test]
    fn the_committed_schema_is_current() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/scenario.schema.json");
        let current = format!("{:#}\n", super::json_schema());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "run the tests once with UPDATE_SCHEMAS=1 and commit {}",
            path.display()
        );
    }
}
