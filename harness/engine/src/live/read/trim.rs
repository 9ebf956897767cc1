//! Makes a bundle small: nodes keep what a scheduler asks of them, and `managedFields` become
//! writers.

use serde_json::{Map, Value, json};

use crate::live::bundle::{Bundle, Writer};

/// Writers of one object, and fields of one writer.
const WRITERS: usize = 16;
const FIELDS: usize = 64;

pub(super) fn bundle(bundle: &mut Bundle) {
    let mut writers = Vec::new();
    for object in bundle.objects.iter().chain(&bundle.pods) {
        writers.extend(of_object(object));
    }
    bundle.writers = writers;
    for node in &mut bundle.nodes {
        *node = of_node(node);
    }
    for operator in &mut bundle.operators {
        for pod in &mut operator.pods {
            *pod = json!({"kind": "Pod", "metadata": pick(&pod["metadata"], &["name", "namespace"]),
                "status": pod["status"]});
        }
    }
}

fn pick(value: &Value, fields: &[&str]) -> Value {
    let picked: Map<String, Value> = fields
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), value.get(*field)?.clone())))
        .collect();
    picked.into()
}

fn of_node(node: &Value) -> Value {
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    let ready: Vec<Value> = ready
        .filter(|condition| condition["type"] == "Ready")
        .map(|condition| pick(condition, &["type", "status", "reason"]))
        .collect();
    json!({"kind": "Node", "metadata": pick(&node["metadata"], &["name", "labels"]),
        "spec": pick(&node["spec"], &["unschedulable", "taints"]),
        "status": {"allocatable": node["status"]["allocatable"], "conditions": ready}})
}

/// The writers of an object's `spec`.
pub(super) fn of_object(object: &Value) -> Vec<Writer> {
    let meta = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = meta["managedFields"].as_array().into_iter().flatten();
    let writers = entries.filter_map(|entry| {
        let mut fields = Vec::new();
        let spec = entry["fieldsV1"].get("f:spec")?;
        paths(spec, "spec", 6, &mut fields);
        Some(Writer {
            kind: text(&object["kind"]),
            namespace: text(&meta["namespace"]),
            name: text(&meta["name"]),
            manager: text(&entry["manager"]),
            time: entry["time"].as_str().and_then(|time| time.parse().ok()),
            fields,
        })
    });
    writers.take(WRITERS).collect()
}

/// The paths of a field set, without keys of elements such as `k:{"name":"x"}` in full.
fn paths(set: &Value, path: &str, depth: usize, into: &mut Vec<String>) {
    let children: Vec<(&String, &Value)> = set
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != ".")
        .collect();
    if into.len() >= FIELDS {
        return;
    }
    if depth == 0 || children.is_empty() {
        into.push(path.to_owned());
        return;
    }
    for (key, child) in children {
        let next = match key.strip_prefix("f:") {
            Some(name) => format!("{path}.{name}"),
            None => format!("{path}[{}]", element(key)),
        };
        paths(child, &next, depth - 1, into);
    }
}

/// The name in the key of an element, `k:{"name":"x"}`.
fn element(key: &str) -> String {
    let json = key.strip_prefix("k:").unwrap_or(key);
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    value["name"].as_str().unwrap_or("…").to_owned()
}
