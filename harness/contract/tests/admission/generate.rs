//! Makes the admission tables from custom resource definitions.
//!
//! The tables are two texts. The first names, for each release, kind and API version, the node that
//! describes the whole object, and the sha256 of the definition that it comes from. The second
//! holds one schema node a line, as JSON, every distinct node once; a node names its children by
//! line, counted from 0. Descriptions and `status` are left out.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The kinds whose definitions are read, with the file names that the operator's repository gives
/// them.
const KINDS: [(&str, &str); 4] = [
    ("RayCluster", "ray.io_rayclusters.yaml"),
    ("RayCronJob", "ray.io_raycronjobs.yaml"),
    ("RayJob", "ray.io_rayjobs.yaml"),
    ("RayService", "ray.io_rayservices.yaml"),
];

/// The two texts of the tables.
pub struct Tables {
    /// `admission.json`.
    pub releases: String,
    /// `admission.nodes`.
    pub nodes: String,
}

/// Reads the definitions of each release, given with the folder that holds them.
pub fn tables(releases: &[(String, &Path)]) -> Tables {
    let mut nodes = Nodes::default();
    let mut table = Map::new();
    for (release, folder) in releases {
        let mut kinds = Map::new();
        for (kind, file) in KINDS {
            let path = folder.join(file);
            let Ok(bytes) = std::fs::read(&path) else {
                assert!(kind == "RayCronJob", "no {}", path.display());
                continue;
            };
            let digest: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let text = String::from_utf8(bytes).expect("a definition is text");
            let roots = nodes.roots(&digest, &text);
            kinds.insert(kind.into(), json!({"sha256": digest, "versions": roots}));
        }
        table.insert(release.clone(), Value::Object(kinds));
    }
    Tables {
        releases: format!("{:#}\n", Value::Object(table)),
        nodes: nodes.text,
    }
}

#[derive(Default)]
struct Nodes {
    text: String,
    known: HashMap<String, usize>,
    /// What was made of a definition, by its digest: most patch releases share theirs.
    read: BTreeMap<String, Value>,
}

impl Nodes {
    fn roots(&mut self, digest: &str, text: &str) -> Value {
        if let Some(roots) = self.read.get(digest) {
            return roots.clone();
        }
        let definition: Value = serde_saphyr::from_str(text).expect("a definition is YAML");
        let mut roots = Map::new();
        for version in definition["spec"]["versions"].as_array().expect("versions") {
            if version["served"] != json!(true) {
                continue;
            }
            let mut schema = version["schema"]["openAPIV3Schema"].clone();
            if let Some(properties) = schema["properties"].as_object_mut() {
                for field in ["apiVersion", "kind", "metadata", "status"] {
                    properties.remove(field);
                }
            }
            let name = version["name"].as_str().expect("a version has a name");
            roots.insert(name.into(), self.add(&schema).into());
        }
        let roots = Value::Object(roots);
        self.read.insert(digest.into(), roots.clone());
        roots
    }

    fn add(&mut self, schema: &Value) -> usize {
        let mut node = Map::new();
        for (key, value) in schema.as_object().expect("a schema is a mapping") {
            let (key, value) = match key.as_str() {
                // The map type matters to merging, not to what is admitted.
                "description" | "x-kubernetes-map-type" => continue,
                // Both say what int-or-string says.
                "anyOf" if schema["x-kubernetes-int-or-string"] == json!(true) => continue,
                "x-kubernetes-int-or-string" => ("t", json!("int-or-string")),
                "x-kubernetes-list-type" if value == "atomic" => continue,
                "type" => ("t", value.clone()),
                "properties" => {
                    let children = value.as_object().expect("properties are a mapping");
                    let children = children
                        .iter()
                        .map(|(name, child)| (name.clone(), self.add(child).into()));
                    ("p", Value::Object(children.collect()))
                }
                "items" => ("i", self.add(value).into()),
                "additionalProperties" if value.is_object() => ("a", self.add(value).into()),
                "required" => ("r", value.clone()),
                "default" => ("d", value.clone()),
                "enum" => ("e", value.clone()),
                "pattern" => ("pattern", value.clone()),
                "nullable" => ("n", value.clone()),
                "format" => ("f", value.clone()),
                "x-kubernetes-preserve-unknown-fields" => ("open", value.clone()),
                "x-kubernetes-embedded-resource" => ("embedded", value.clone()),
                "x-kubernetes-list-type" => ("list", value.clone()),
                "x-kubernetes-list-map-keys" => ("keys", value.clone()),
                "x-kubernetes-validations" => ("cel", rules(value)),
                "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems"
                | "minProperties" | "maxProperties" => (key.as_str(), value.clone()),
                other => panic!("{other} is not part of the tables yet"),
            };
            node.insert(key.into(), value);
        }
        node.sort_keys();
        let line = Value::Object(node).to_string();
        if let Some(number) = self.known.get(&line) {
            return *number;
        }
        let number = self.known.len();
        self.text.push_str(&line);
        self.text.push('\n');
        self.known.insert(line, number);
        number
    }
}

/// Rules of the Common Expression Language; `update` marks those that compare with the old object.
fn rules(value: &Value) -> Value {
    let rules = value
        .as_array()
        .expect("rules are a list")
        .iter()
        .map(|rule| {
            let text = rule["rule"].as_str().expect("a rule is text");
            let update = text.contains("oldSelf");
            let mut made = json!({"rule": text, "message": rule["message"]});
            if update {
                made["update"] = true.into();
            }
            made
        });
    rules.collect()
}
