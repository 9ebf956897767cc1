//! Makes a new scenario of manifests.

use std::collections::BTreeSet;

use kuberay_manifest::{Diagnostic, Diagnostics, LAST_APPLIED, Source, objects};
use serde_json::{Map, Value, json};

use super::generate::Saved;
use super::model::is_name;

/// What a new scenario takes snapshots of.
const FIELDS: [&str; 4] = ["command", "args", "env", "initContainers"];
/// The schema that `scenario init` writes beside the folders of the scenarios.
pub const SCHEMA_FILE: &str = "scenario.schema.json";

/// A scenario's folder, and what it checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScenario {
    /// The folder's files.
    pub saved: Saved,
    /// The Pods that it has a check for, such as `worker group small`.
    pub checks: Vec<String>,
    /// What it does not check, and why.
    pub notes: Vec<String>,
}

/// Makes a scenario of each Ray object of the manifests, with a check for each Pod that the
/// operator creates of it. The objects of other kinds go into each of the scenarios. What only an
/// API server writes, such as `status` and `uid`, is left out, so the output of `kubectl get … -o
/// yaml` is a manifest, too. Scenarios are shared, so a Secret keeps its keys, and each value becomes
/// `placeholder`.
///
/// One Ray object gives a scenario called `name`; of several, each is called `name-OBJECT`.
///
/// # Errors
/// When `name` is no scenario's name, a manifest can't be read, or the manifests hold no object
/// that the operator creates Pods of at once.
pub fn init(name: &str, manifests: &[Source]) -> Result<Vec<NewScenario>, Diagnostics> {
    if !is_name(name) {
        let message = format!("`{}` is no name of a scenario", name.escape_debug());
        let problem = Diagnostic::of_file(std::path::Path::new(name), message);
        let help = "use lower-case letters, digits and dashes, such as `my-cluster`";
        return Err(vec![problem.with_help(help)].into());
    }
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for source in manifests {
        match objects(source) {
            Ok(objects) => all.extend(objects.into_iter().map(|object| (source, object))),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let (ray, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, object)| is_ray(object));
    let made: Vec<&(&Source, Value)> = ray
        .iter()
        .filter(|(_, object)| !is_made_by_ray(object, &ray))
        .collect();
    if made.is_empty() {
        let path = manifests
            .first()
            .map_or(std::path::Path::new("."), |source| &source.path);
        let problem = Diagnostic::of_file(
            path,
            "the manifests hold no RayCluster, RayJob or RayService",
        );
        let help = "give the object itself, such as from `kubectl get raycluster NAME -o yaml`";
        return Err(vec![problem.with_help(help)].into());
    }
    let mut others: Vec<Value> = others
        .into_iter()
        .map(|(_, object)| manifest(object))
        .collect();
    let secrets: Vec<String> = others.iter_mut().filter_map(without_values).collect();
    let mut names = BTreeSet::new();
    let mut scenarios = Vec::new();
    for (source, object) in &made {
        let own = match made.len() {
            1 => name.to_owned(),
            _ => format!(
                "{name}-{}",
                object["metadata"]["name"].as_str().unwrap_or_default()
            ),
        };
        if !names.insert(own.clone()) || !is_name(&own) {
            let message = format!("`{}` can't name a second scenario", own.escape_debug());
            let problem = Diagnostic::of_file(&source.path, message);
            problems.push(
                problem.with_help("give each Ray object a run of `scenario init` of its own"),
            );
            continue;
        }
        match scenario(&own, object, &others) {
            Ok(mut scenario) => {
                scenario.notes.extend(secrets.iter().cloned());
                scenarios.push(scenario);
            }
            Err(message) => {
                let help = "give an object that the operator creates Pods of at once";
                problems.push(Diagnostic::of_file(&source.path, message).with_help(help));
            }
        }
    }
    if problems.is_empty() {
        Ok(scenarios)
    } else {
        Err(problems.into())
    }
}

fn is_ray(object: &Value) -> bool {
    let group = object["apiVersion"].as_str().unwrap_or_default();
    group.starts_with("ray.io/")
}

/// Whether another of the objects makes this one, as a `RayJob` makes its `RayCluster`.
fn is_made_by_ray(object: &Value, all: &[(&Source, Value)]) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        all.iter().any(|(_, other)| {
            other["kind"] == owner["kind"] && other["metadata"]["name"] == owner["name"]
        })
    })
}

/// The object without what an API server, `kubectl` or a controller added to it.
fn manifest(mut object: Value) -> Value {
    const OF_SERVER: [&str; 11] = [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    if let Some(fields) = object.as_object_mut() {
        fields.shift_remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| !OF_SERVER.contains(&name.as_str()) && name != "namespace");
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.shift_remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.shift_remove("annotations");
            }
        }
    }
    object
}

/// Replaces the values of a Secret, and says so.
fn without_values(object: &mut Value) -> Option<String> {
    if object["kind"] != "Secret" {
        return None;
    }
    let mut replaced = false;
    for (field, text, json) in [
        ("data", "cGxhY2Vob2xkZXI=", "e30="),
        ("stringData", "placeholder", "{}"),
    ] {
        let values = object.get_mut(field).and_then(Value::as_object_mut);
        for (key, value) in values.into_iter().flatten() {
            // The API server reads these two as JSON.
            let is_json = [".dockerconfigjson", ".dockercfg"].contains(&key.as_str());
            *value = if is_json { json } else { text }.into();
            replaced = true;
        }
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    replaced.then(|| {
        format!(
            "each value of the Secret `{name}` is `placeholder` now; if a container needs another \
             one, write it in manifest.yaml"
        )
    })
}

fn scenario(name: &str, object: &Value, others: &[Value]) -> Result<NewScenario, String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let who = format!(
        "the {kind} {}",
        object["metadata"]["name"].as_str().unwrap_or_default()
    );
    let spec = &object["spec"];
    let cluster = match kind {
        "RayCluster" => spec,
        "RayJob" => &spec["rayClusterSpec"],
        "RayService" => &spec["rayClusterConfig"],
        "RayCronJob" => return Err(format!("{who} creates RayJobs only on its schedule")),
        _ => {
            return Err(format!(
                "{who} has a kind that this release of the harness does not support"
            ));
        }
    };
    if cluster["headGroupSpec"].is_null() {
        return Err(format!("{who} has no head group"));
    }
    if spec["suspend"] == true || cluster["suspend"] == true {
        return Err(format!("{who} is suspended, so it has no Pods"));
    }
    let mut checks = vec![json!({"pod": {"role": "head", "snapshot": FIELDS}})];
    let mut titles = vec!["head".to_owned()];
    let mut notes = Vec::new();
    for group in cluster["workerGroupSpecs"].as_array().into_iter().flatten() {
        let group_name = group["groupName"].as_str().unwrap_or_default();
        if workers(group) == 0 {
            notes.push(format!(
                "the worker group `{group_name}` has no replicas, so it has no check"
            ));
            continue;
        }
        checks.push(json!({"pod": {"role": "worker", "group": group_name, "snapshot": FIELDS}}));
        titles.push(format!("worker group {group_name}"));
    }
    for account in accounts(cluster) {
        if !others.iter().any(|other| is_account(other, account)) {
            notes.push(format!(
                "the Pods use the ServiceAccount `{account}`, which no manifest contains; if the operator requires it, add it \
                 to manifest.yaml"
            ));
        }
    }
    let mode = spec["submissionMode"].as_str();
    let submits = kind == "RayJob" && matches!(mode, None | Some("" | "K8sJobMode"));
    if submits {
        checks.push(json!({"pod": {"role": "submitter", "snapshot": ["command", "args", "env"]}}));
        titles.push("submitter".into());
    }
    let mut body = Map::new();
    body.insert(
        "description".into(),
        format!("The operator generates the commands of the Pods of {who}.").into(),
    );
    body.insert("manifests".into(), json!(["manifest.yaml"]));
    if submits {
        // No kubelet makes the head ready on envtest, and the operator submits only to one that is.
        body.insert("steps".into(), json!({"markReady": true}));
    }
    body.insert("checks".into(), checks.into());
    let file = json!({
        "apiVersion": "kuberay-conformance/v1beta1",
        "kind": "Scenario",
        "metadata": {"name": name},
        "spec": body,
    });
    let documents: Vec<String> = others
        .iter()
        .chain([&manifest(object.clone())])
        .map(yaml)
        .collect();
    let schema = format!("# yaml-language-server: $schema=../{SCHEMA_FILE}\n");
    Ok(NewScenario {
        saved: Saved {
            name: name.into(),
            files: vec![
                ("scenario.yaml".into(), schema + &yaml(&file)),
                ("manifest.yaml".into(), documents.join("---\n")),
            ],
        },
        checks: titles,
        notes,
    })
}

/// The service accounts that the Pods of a RayCluster name, each once.
fn accounts(cluster: &Value) -> BTreeSet<&str> {
    let workers = cluster["workerGroupSpecs"].as_array().into_iter().flatten();
    std::iter::once(&cluster["headGroupSpec"])
        .chain(workers)
        .filter_map(|group| group["template"]["spec"]["serviceAccountName"].as_str())
        .filter(|name| !matches!(*name, "" | "default"))
        .collect()
}

fn is_account(object: &Value, name: &str) -> bool {
    object["kind"] == "ServiceAccount" && object["metadata"]["name"] == name
}

/// The number of workers that a group begins with: `replicas` within its bounds, as the operator
/// counts them.
fn workers(group: &Value) -> u64 {
    if group["suspend"] == true {
        return 0;
    }
    let number = |field: &str, default| group[field].as_u64().unwrap_or(default);
    let (least, most) = (number("minReplicas", 0), number("maxReplicas", u64::MAX));
    number("replicas", 0).max(least).min(most)
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}\n"))
}
