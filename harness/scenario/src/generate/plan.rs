//! A generated RayCluster and its manifest.

use serde_json::{Map, Value, json};

/// The longest name that a release takes for a RayCluster.
pub(super) fn longest_name(limited: bool) -> usize {
    // A label holds 63 characters; from 1.4 on the operator refuses more than 53.
    if limited { 53 } else { 63 }
}

/// A RayCluster but for its name.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterPlan {
    /// What follows the part of the name that makes it unique.
    pub name_tail: String,
    /// The longest name that the release takes.
    pub longest_name: usize,
    /// Labels and annotations of the RayCluster.
    pub labels: Map<String, Value>,
    /// Annotations of the RayCluster.
    pub annotations: Map<String, Value>,
    /// Fields of the spec beside the groups.
    pub options: Map<String, Value>,
    /// Whether the head's service has a name of its own.
    pub named_service: bool,
    /// The head's group.
    pub head: GroupPlan,
    /// Worker groups.
    pub workers: Vec<GroupPlan>,
}

/// A group of Pods.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPlan {
    /// What follows the unique part of a worker group's name.
    pub name_tail: String,
    /// `rayStartParams`.
    pub params: Map<String, Value>,
    /// Fields of the group beside those.
    pub fields: Map<String, Value>,
    /// Annotations of the Pod template.
    pub annotations: Map<String, Value>,
    /// Fields of the Ray container beside name and image.
    pub container: Map<String, Value>,
    /// Whether the user has a second container.
    pub sidecar: bool,
    /// Whether the user has an init container.
    pub init: bool,
}

impl ClusterPlan {
    /// How many Ray containers it holds.
    pub fn cases(&self) -> usize {
        1 + self.workers.len()
    }

    /// The object, under a name that begins with `unique`, which must begin with a letter.
    pub fn manifest(&self, unique: &str, namespace: &str) -> Value {
        let name = joined(unique, &self.name_tail, self.longest_name);
        let mut head = self.head.group();
        if self.named_service {
            head.insert(
                "headService".into(),
                json!({"metadata": {"name": format!("{unique}-svc")}}),
            );
        }
        let workers = self.workers.iter().enumerate().map(|(index, plan)| {
            let mut group = plan.group();
            group.insert(
                "groupName".into(),
                joined(&format!("g{index}"), &plan.name_tail, 63).into(),
            );
            for replicas in ["replicas", "minReplicas", "maxReplicas"] {
                group.insert(replicas.into(), 1.into());
            }
            Value::Object(group)
        });
        let mut spec = self.options.clone();
        let workers: Vec<Value> = workers.collect();
        spec.insert("headGroupSpec".into(), head.into());
        if !workers.is_empty() {
            spec.insert("workerGroupSpecs".into(), workers.into());
        }
        let mut metadata = Map::from_iter([
            ("name".to_owned(), name.into()),
            ("namespace".to_owned(), namespace.into()),
        ]);
        for (key, map) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !map.is_empty() {
                metadata.insert(key.into(), map.clone().into());
            }
        }
        json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": metadata, "spec": spec})
    }
}

impl GroupPlan {
    fn group(&self) -> Map<String, Value> {
        let mut container = self.container.clone();
        container.insert("name".into(), "ray".into());
        container.insert("image".into(), "ray".into());
        let mut spec = json!({"containers": [container]});
        if self.sidecar {
            let sidecar = json!({"name": "side", "image": "side", "command": ["side"], "args": ["ray start"]});
            spec["containers"]
                .as_array_mut()
                .into_iter()
                .for_each(|list| list.push(sidecar.clone()));
        }
        if self.init {
            spec["initContainers"] =
                json!([{"name": "prepare", "image": "side", "env": [{"name": "A", "value": "1"}]}]);
        }
        let mut template = json!({"spec": spec});
        if !self.annotations.is_empty() {
            template["metadata"] = json!({"annotations": self.annotations});
        }
        let mut group = self.fields.clone();
        group.insert("rayStartParams".into(), self.params.clone().into());
        group.insert("template".into(), template);
        group
    }
}

/// A name of at most `longest` characters.
fn joined(unique: &str, tail: &str, longest: usize) -> String {
    if tail.is_empty() {
        return unique.into();
    }
    let whole = format!("{unique}-{tail}");
    let cut = whole.get(..longest).unwrap_or(&whole);
    cut.trim_end_matches('-').into()
}
