//! The fields that the custom resource definitions of a release know, without Pod templates.

use std::collections::BTreeSet;

use semver::Version;
use serde_json::Value;

use super::table::{self, node};

/// Depth to which fields are listed: `spec.headGroupSpec.resources` has a depth of three.
const DEPTH: usize = 4;

/// Fields whose content is Kubernetes' own, or the operator's.
const SKIPPED: [&str; 7] = [
    "headService",
    "ingress",
    "metadata",
    "serveService",
    "status",
    "submitterPodTemplate",
    "template",
];

/// Returns the paths of the fields that a release's definition of a kind knows, at most four names
/// deep. Fields of Pod templates, Services and `status` are left out; a kind that the release does
/// not serve has none.
///
/// ```
/// use kuberay_contract::admission::known_fields;
///
/// let known = |release: &str| known_fields(&release.parse().unwrap(), "RayCluster");
/// assert!(known("1.6.2").contains("spec.upgradeStrategy"));
/// assert!(!known("1.5.2").contains("spec.upgradeStrategy"));
/// ```
pub fn known_fields(release: &Version, kind: &str) -> BTreeSet<String> {
    let mut into = BTreeSet::new();
    let root = table::versions(release, kind).and_then(|versions| versions.get("v1"));
    if let Some(root) = root {
        of_node(*root, "", DEPTH, &mut into);
    }
    into
}

fn of_node(number: usize, path: &str, depth: usize, into: &mut BTreeSet<String>) {
    let mut found = node(number);
    while let Some(items) = found.items {
        found = node(items);
    }
    for (name, child) in &found.properties {
        if let Some((path, depth)) = step(path, name, depth, into) {
            of_node(*child, &path, depth, into);
        }
    }
}

/// Returns the paths that [`known_fields`] returns, for the `openAPIV3Schema` of a custom resource
/// definition.
///
/// ```
/// use kuberay_contract::admission::fields_of_schema;
///
/// let schema = serde_json::json!({"properties": {"spec": {"properties": {"suspend": {}}}}});
/// assert!(fields_of_schema(&schema).iter().eq(["spec", "spec.suspend"]));
/// ```
pub fn fields_of_schema(schema: &Value) -> BTreeSet<String> {
    let mut into = BTreeSet::new();
    of_schema(schema, "", DEPTH, &mut into);
    into
}

fn of_schema(schema: &Value, path: &str, depth: usize, into: &mut BTreeSet<String>) {
    let mut found = schema;
    while let Some(items) = found.get("items") {
        found = items;
    }
    let properties = found.get("properties").and_then(Value::as_object);
    for (name, child) in properties.into_iter().flatten() {
        if let Some((path, depth)) = step(path, name, depth, into) {
            of_schema(child, &path, depth, into);
        }
    }
}

/// Notes a field; returns its path and the depth that is left where its own fields count.
fn step(
    path: &str,
    name: &str,
    depth: usize,
    into: &mut BTreeSet<String>,
) -> Option<(String, usize)> {
    let path = if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    };
    into.insert(path.clone());
    let depth = depth - 1;
    (depth > 0 && !SKIPPED.contains(&name)).then_some((path, depth))
}

#[cfg(test)]
mod tests {
    use assertables::{assert_contains, assert_not_contains};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_and_the_table_are_walked_alike() {
        let schema = json!({"properties": {"spec": {"properties": {
            "groups": {"items": {"properties": {
                "template": {"properties": {"spec": {}}},
                "labels": {},
            }}},
        }}}});
        let found: Vec<String> = fields_of_schema(&schema).into_iter().collect();
        assert_eq!(
            found,
            [
                "spec",
                "spec.groups",
                "spec.groups.labels",
                "spec.groups.template"
            ]
        );
    }

    #[test]
    fn a_newer_release_knows_more() {
        let known = |release: &str| known_fields(&release.parse().unwrap(), "RayCluster");
        assert_contains!(known("1.3.2"), "spec.gcsFaultToleranceOptions");
        assert_not_contains!(known("1.2.2"), "spec.gcsFaultToleranceOptions");
        assert!(known("1.7.0").is_superset(&known("1.6.2")));
        assert!(known_fields(&"1.5.1".parse().unwrap(), "RayCronJob").is_empty());
    }
}
