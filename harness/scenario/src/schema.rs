//! The JSON schema of a scenario file, generated from the types.

use kuberay_manifest::schema_of;
use serde_json::Value;

use super::ScenarioFile;

/// The JSON schema that editors complete and check scenario files with.
pub fn json_schema() -> Value {
    schema_of::<ScenarioFile>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
