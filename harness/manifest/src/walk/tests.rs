use std::path::Path;

use rstest::rstest;

use super::*;

fn walk(text: &str) -> Walk {
    let source = Source::new(Path::new("f.yaml"), text);
    let documents = yaml::parse(&source).unwrap();
    let sought = Sought {
        group: "ray.io",
        api_version: "ray.io/v1",
        templates: &[("headGroupSpec", "RayCluster")],
    };
    items(&source, documents, &sought)
}

fn summary(text: &str) -> Vec<(String, String, usize)> {
    let found = walk(text).items.into_iter();
    found
        .map(|item| {
            let kind = super::text(&item.node, "kind").to_owned();
            (kind, item.path, item.node.place.location.line)
        })
        .collect()
}

const RAY: &str = "{apiVersion: ray.io/v1, kind: RayJob, spec: {}}";

#[rstest]
#[case("apiVersion: ray.io/v1\nkind: RayJob\n", &[("RayJob", "", 1)])]
#[case(&format!("kind: List\nitems:\n- {RAY}\n- kind: Pod\n"), &[("RayJob", "items[0]", 3), ("Pod", "items[1]", 4)])]
#[case("apiVersion: ray.io/v1\nkind: RayJobList\nitems:\n- metadata: {name: a}\n", &[("RayJob", "items[0]", 4)])]
#[case(&format!("[{RAY},\n {RAY}]"), &[("RayJob", "[0]", 1), ("RayJob", "[1]", 2)])]
#[case(&format!("kind: AppWrapper\nspec:\n  components:\n  - template: {RAY}\n"), &[("RayJob", "spec.components[0].template", 4)])]
#[case(&format!("kind: List\nitems:\n- kind: ManifestWork\n  spec:\n    workload:\n      manifests:\n      - {RAY}\n"), &[("RayJob", "items[0].spec.workload.manifests[0]", 7)])]
#[case("kind: Pod\nmetadata:\n  ownerReferences:\n  - {apiVersion: ray.io/v1, kind: RayCluster, name: a}\n", &[("Pod", "", 1)])]
fn objects_are_found_where_they_lie(#[case] text: &str, #[case] expected: &[(&str, &str, usize)]) {
    let found = summary(text);
    let found: Vec<_> = found
        .iter()
        .map(|(kind, path, line)| (kind.as_str(), path.as_str(), *line))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_manifest_in_a_text_has_the_lines_of_the_file() {
    let text = "kind: WorkflowTemplate\nspec:\n  templates:\n  - name: a\n    resource:\n      manifest: |\n        apiVersion: ray.io/v1\n        kind: RayJob\n\n        spec:\n          entrypoint: run\n";
    let found = walk(text);
    let item = &found.items[0];
    assert_eq!(item.path, "spec.templates[0].resource.manifest");
    let entrypoint = item.node.get("spec").unwrap().get("entrypoint").unwrap();
    assert_eq!(
        entrypoint.place.location,
        Location {
            line: 11,
            column: 23
        }
    );
    assert_eq!(&text[entrypoint.place.span.clone()], "run");
}

#[test]
fn a_manifest_in_a_quoted_text_lies_where_the_text_is() {
    let text = "kind: Workflow\nspec:\n  resource:\n    manifest: \"apiVersion: ray.io/v1\\nkind: RayJob\\n\"\n";
    let found = walk(text);
    assert_eq!(found.items[0].node.place.location.line, 4);
}

#[test]
fn a_manifest_with_templates_is_not_read() {
    let text = "kind: Workflow\nspec:\n  resource:\n    manifest: |\n      apiVersion: ray.io/v1\n      {{x}}: [\n";
    let found = walk(text);
    assert_eq!(found.items.len(), 0);
    assert_eq!(found.unread.len(), 1);
}

#[test]
fn templates_without_a_kind_are_objects_that_their_owner_names() {
    let text = "kind: RayClusterFleet\nmetadata: {name: f}\nspec:\n  template:\n    metadata: {labels: {a: b}}\n    \
                spec: {headGroupSpec: {}}\n";
    let found = walk(text).items;
    let metadata = found[0].node.get("metadata").unwrap().to_json();
    assert_eq!(found[0].path, "spec.template");
    assert_eq!(metadata["generateName"], "f-");
    assert_eq!(
        found[0].node.get("kind").and_then(Node::text),
        Some("RayCluster")
    );
    assert_eq!(found[0].owner.as_ref().unwrap().kind, "RayClusterFleet");
}

#[test]
fn text_that_is_filled_in_later_leaves_a_hole() {
    let text = "kind: Workflow\nspec:\n  templates:\n  - resource:\n      manifest: |\n        apiVersion: ray.io/v1\n        \
                kind: RayCluster\n        metadata: {name: {{workflow.name}}}\n        spec: {a: 1}\n";
    let found = walk(text);
    assert!(found.unread.is_empty());
    assert!(found.items[0].holes);
    let name = found.items[0]
        .node
        .get("metadata")
        .unwrap()
        .get("name")
        .unwrap();
    assert_eq!(name.text(), Some("xxxxxxxxxxxxxxxxx"));
    assert_eq!(name.place.location.line, 8);
}
