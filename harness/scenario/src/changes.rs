//! The closed list of changes that are made to a scenario's objects before they are sent.

use serde_json::{Value, json};

use super::Changes;
use super::scope::is_cluster_scoped;

/// Makes the changes that a scenario declares, and sets the namespace of every object that has one.
/// Returns a line for each value that became another, for people; a value that already was as
/// wanted gives none.
pub fn apply_changes(
    objects: &mut [Value],
    changes: &Changes,
    namespace: &str,
    ray_image: &str,
    ray_version: &str,
) -> Vec<String> {
    let mut lines = Vec::new();
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default().to_string();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut change = Change {
            object: format!("{kind}/{name}"),
            lines: &mut lines,
        };
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        if !is_cluster_scoped(api_version, &kind) {
            change.set(object, "", &["metadata", "namespace"], json!(namespace));
        }
        let Some(at) = ray_cluster(&kind) else {
            continue;
        };
        let Some(spec) = object.pointer_mut(&format!("/{}", at.replace('.', "/"))) else {
            continue;
        };
        if changes.ray_version {
            change.set(spec, at, &["rayVersion"], json!(ray_version));
        }
        for (container, path) in ray_containers(spec, at) {
            if changes.image {
                change.set(container, &path, &["image"], json!(ray_image));
            }
            if !changes.requests.is_empty() {
                change.set(
                    container,
                    &path,
                    &["resources", "requests"],
                    json!(changes.requests),
                );
            }
        }
    }
    lines
}

/// Where an object of this kind holds the specification of a Ray cluster.
fn ray_cluster(kind: &str) -> Option<&'static str> {
    match kind {
        "RayCluster" => Some("spec"),
        "RayJob" => Some("spec.rayClusterSpec"),
        "RayService" => Some("spec.rayClusterConfig"),
        "RayCronJob" => Some("spec.jobTemplate.rayClusterSpec"),
        _ => None,
    }
}

/// The Ray container of each group and its path. The operator takes the first container for it,
/// whatever its name.
fn ray_containers<'a>(spec: &'a mut Value, at: &str) -> Vec<(&'a mut Value, String)> {
    let mut groups = Vec::new();
    for (key, value) in spec.as_object_mut().into_iter().flatten() {
        match (key.as_str(), value) {
            ("headGroupSpec", head) => groups.push((head, format!("{at}.{key}"))),
            ("workerGroupSpecs", Value::Array(workers)) => {
                let workers = workers.iter_mut().enumerate();
                groups.extend(
                    workers.map(|(index, worker)| (worker, format!("{at}.{key}[{index}]"))),
                );
            }
            _ => {}
        }
    }
    groups
        .into_iter()
        .filter_map(|(group, path)| {
            let container = group.pointer_mut("/template/spec/containers/0")?;
            Some((container, format!("{path}.template.spec.containers[0]")))
        })
        .collect()
}

struct Change<'a> {
    object: String,
    lines: &'a mut Vec<String>,
}

impl Change<'_> {
    /// Sets a field below `target`, which lies at `at`, and says so when it was another.
    fn set(&mut self, target: &mut Value, at: &str, field: &[&str], new: Value) {
        let mut place = target;
        for key in field {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[*key];
        }
        if *place == new {
            return;
        }
        let path = if at.is_empty() {
            field.join(".")
        } else {
            format!("{at}.{}", field.join("."))
        };
        let line = if place.is_null() {
            format!("{} {path}: set to {new}", self.object)
        } else {
            format!("{} {path}: {place} became {new}", self.object)
        };
        self.lines.push(line);
        *place = new;
    }
}
