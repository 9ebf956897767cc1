//! An object that a search found becomes a scenario folder.

use kuberay_contract::{Difference, PodRole};
use semver::Version;
use serde_json::{Value, json};

use crate::OperatorSettings;

/// The files of a scenario folder, as name and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The folder's name, and the scenario's.
    pub name: String,
    /// File names with what they hold.
    pub files: Vec<(String, String)>,
}

/// What a generated object showed, and with which operator.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The operator's release.
    pub release: &'a Version,
    /// The operator's settings.
    pub settings: &'a OperatorSettings,
    /// The object.
    pub object: &'a Value,
    /// The role of the Pod that differed.
    pub role: PodRole,
    /// The group of that Pod.
    pub group: &'a str,
    /// What differed.
    pub differences: &'a [Difference],
}

/// The scenario that keeps a found object: its manifest, and a check that takes snapshots of the
/// Pod that differed. What the difference was stands in the description, for whoever decides what
/// it means.
pub fn save(name: &str, shown: &Shown) -> Saved {
    let differences = shown.differences.iter();
    let what: Vec<String> = differences.map(ToString::to_string).collect();
    let release = shown.release;
    let role = match shown.role {
        PodRole::Head => "head",
        PodRole::Worker => "worker",
        PodRole::Submitter => "submitter",
    };
    let mut pod = json!({
        "role": role,
        "snapshot": ["command", "args", "env", "containers", "initContainers"],
    });
    if shown.role == PodRole::Worker {
        pod["group"] = json!(shown.group);
    }
    let mut object = shown.object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.insert("name".into(), name.into());
        metadata.remove("namespace");
    }
    let kind = object["kind"].as_str().unwrap_or("object");
    let manifest = format!("{}.yaml", kind.to_lowercase());
    let mut spec = json!({
        "description": format!("Found by fuzzing on KubeRay {release}. {}", what.join(" ")),
        "rules": ["C01"],
        "level": "extended",
        "operator": format!(">={release}"),
        "manifests": [manifest],
        "checks": [{"pod": pod}],
    });
    if !shown.settings.is_default() {
        spec["operatorSettings"] = json!(shown.settings);
    }
    if shown.role == PodRole::Submitter {
        spec["steps"] = json!({"markReady": true});
    }
    let scenario = json!({
        "apiVersion": "kuberay-conformance/v1beta1",
        "kind": "Scenario",
        "metadata": {"name": name},
        "spec": spec,
    });
    let yaml =
        |value: &Value| serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}\n"));
    Saved {
        name: name.into(),
        files: vec![
            ("scenario.yaml".into(), yaml(&scenario)),
            (manifest, yaml(&object)),
        ],
    }
}
