//! Objects as they are created in the rehearsal: without what the API server writes, one Pod for
//! each worker group, and stand-ins for what admission and operator look up.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::ObjectKey;

/// The annotation in which `kubectl apply` keeps what it sent.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Which object it is.
pub(super) fn key_of(object: &Value) -> ObjectKey {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ObjectKey {
        kind: text(&object["kind"]),
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
    }
}

/// An object for people.
pub(super) fn shown(key: &ObjectKey) -> String {
    if key.namespace.is_empty() {
        return format!("{} {}", key.kind, key.name);
    }
    format!("{} {}/{}", key.kind, key.namespace, key.name)
}

/// The object as its user wrote it.
pub(super) fn stripped(object: &Value) -> Value {
    let meta = &object["metadata"];
    let mut kept = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        if !meta[field].is_null() {
            kept.insert(field.into(), meta[field].clone());
        }
    }
    if let Some(annotations) = kept.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let mut stripped = object.clone();
    if let Some(fields) = stripped.as_object_mut() {
        fields.remove("status");
        fields.insert("metadata".into(), kept.into());
    }
    stripped
}

/// The parts of an object that describe a RayCluster.
fn clusters_mut(object: &mut Value) -> Option<&mut Value> {
    let path = match object["kind"].as_str()? {
        "RayCluster" => "/spec",
        "RayJob" => "/spec/rayClusterSpec",
        "RayService" => "/spec/rayClusterConfig",
        "RayCronJob" => "/spec/jobTemplate/rayClusterSpec",
        _ => return None,
    };
    object.pointer_mut(path)
}

/// Gives each worker group one replica: all Pods of a group are alike, and a group without Pods
/// would show nothing. Returns whether that changed the object.
pub(super) fn with_one_replica(object: &mut Value) -> bool {
    let Some(groups) =
        clusters_mut(object).and_then(|spec| spec["workerGroupSpecs"].as_array_mut())
    else {
        return false;
    };
    let mut changed = false;
    for group in groups.iter_mut().filter(|group| group.is_object()) {
        // One that can have no Pod has none, and what is to be refused must stay so.
        let [least, most] = ["minReplicas", "maxReplicas"].map(|field| group[field].as_i64());
        let least = least.unwrap_or(0);
        if most.is_some_and(|most| most < 1 || most < least) || least < 0 {
            continue;
        }
        let before = group.clone();
        group["replicas"] = json!(1);
        if least > 1 {
            group["minReplicas"] = json!(1);
        }
        if let Some(strategy) = group["scaleStrategy"].as_object_mut() {
            // It names Pods of the cluster.
            strategy.remove("workersToDelete");
        }
        changed |= *group != before;
    }
    changed
}

/// Returns the reason why an object makes no Pods, where it makes none.
pub(super) fn idle(object: &Value) -> Option<&'static str> {
    let state = &object["status"]["jobDeploymentStatus"];
    if object["kind"] == "RayJob" && (state == "Complete" || state == "Failed") {
        return Some("it has ended, and an upgrade does not start it again");
    }
    if object["kind"] == "RayCronJob" {
        return Some("no run was due during the rehearsal; its RayJobs are not rehearsed");
    }
    if object["spec"]["suspend"] == true {
        return Some("it is suspended and has no Pods");
    }
    None
}

/// Objects that admission or the operator look up, and that the rehearsal has to have. Objects of
/// the user take their place where they are given.
pub(super) fn stand_ins(objects: &[Value], others: &[Value]) -> Vec<Value> {
    let mut found = BTreeSet::new();
    for object in objects {
        let mut object = object.clone();
        let namespace = object["metadata"]["namespace"].clone();
        let namespace = namespace.as_str().unwrap_or_default().to_owned();
        let submitter = object["spec"]["submitterPodTemplate"].clone();
        let mut templates = vec![submitter];
        if let Some(spec) = clusters_mut(&mut object) {
            let head = spec["headGroupSpec"]["template"].clone();
            let account = head["spec"]["serviceAccountName"].as_str();
            if let Some(name) = account.filter(|_| spec["enableInTreeAutoscaling"] == true) {
                found.insert(("ServiceAccount", namespace.clone(), name.to_owned()));
            }
            if let Some(name) = spec["authOptions"]["secretName"].as_str() {
                found.insert(("Secret", namespace.clone(), name.to_owned()));
            }
            let groups = spec["workerGroupSpecs"].as_array().cloned();
            let groups = groups.unwrap_or_default().into_iter();
            templates.push(head);
            templates.extend(groups.map(|mut group| group["template"].take()));
        }
        for template in templates {
            for (field, kind) in [
                ("priorityClassName", "PriorityClass"),
                ("runtimeClassName", "RuntimeClass"),
            ] {
                let name = template["spec"][field].as_str().unwrap_or_default();
                if !name.is_empty() && !name.starts_with("system-") {
                    found.insert((kind, String::new(), name.to_owned()));
                }
            }
        }
    }
    let given: BTreeSet<(String, String, String)> = others
        .iter()
        .map(|object| {
            let key = key_of(object);
            let namespace = match key.kind.as_str() {
                "PriorityClass" | "RuntimeClass" => String::new(),
                _ => key.namespace,
            };
            (key.kind, namespace, key.name)
        })
        .collect();
    let missing = found.into_iter().filter(|(kind, namespace, name)| {
        !given.contains(&((*kind).to_owned(), namespace.clone(), name.clone()))
    });
    missing
        .map(|(kind, namespace, name)| stand_in(kind, &namespace, &name))
        .collect()
}

fn stand_in(kind: &str, namespace: &str, name: &str) -> Value {
    match kind {
        "PriorityClass" => json!({"apiVersion": "scheduling.k8s.io/v1", "kind": kind,
            "metadata": {"name": name}, "value": 0}),
        "RuntimeClass" => json!({"apiVersion": "node.k8s.io/v1", "kind": kind,
            "metadata": {"name": name}, "handler": "stand-in"}),
        "Secret" => json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "stringData": {"auth_token": "stand-in"}}),
        _ => json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace}}),
    }
}

/// The paths of fields that a value has and another lacks; elements of lists by their index.
pub(super) fn lost(before: &Value, after: &Value, path: &str, into: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (field, value) in old {
                let path = if path.is_empty() {
                    field.clone()
                } else {
                    format!("{path}.{field}")
                };
                match new.get(field) {
                    Some(other) => lost(value, other, &path, into),
                    // What is empty says nothing.
                    None if is_empty(value) => {}
                    None => into.push(path),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for (index, value) in old.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match new.get(index) {
                    Some(other) => lost(value, other, &path, into),
                    None => into.push(path),
                }
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The fields that a message of strict validation names as unknown.
pub(super) fn unknown_fields(message: &str) -> Vec<String> {
    let parts = message.split("unknown field \"").skip(1);
    let fields = parts.filter_map(|part| part.split('"').next());
    fields.map(str::to_owned).collect()
}
