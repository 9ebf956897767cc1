//! A RayCluster that an exploration found becomes a scenario folder.

use kuberay_contract::{Difference, PodRole};
use semver::Version;
use serde_json::{Value, json};

/// The files of a scenario folder, as name and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The folder's name, and the scenario's.
    pub name: String,
    /// File names with what they hold.
    pub files: Vec<(String, String)>,
}

/// The scenario that keeps a found RayCluster: its manifest, and a check that takes snapshots of the Pod that differed.
/// What the difference was stands in the description, for whoever decides what it means.
pub fn save(
    name: &str,
    release: &Version,
    cluster: &Value,
    role: PodRole,
    group: &str,
    differences: &[Difference],
) -> Saved {
    let what: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let mut pod = json!({
        "role": if role == PodRole::Worker { "worker" } else { "head" },
        "snapshot": ["command", "args", "env", "containers", "initContainers"],
    });
    if role == PodRole::Worker {
        pod["group"] = json!(group);
    }
    let mut cluster = cluster.clone();
    if let Some(metadata) = cluster["metadata"].as_object_mut() {
        metadata.insert("name".into(), name.into());
        metadata.remove("namespace");
    }
    let scenario = json!({
        "apiVersion": "kuberay-conformance/v1beta1",
        "kind": "Scenario",
        "metadata": {"name": name},
        "spec": {
            "description": format!("Found by fuzzing on KubeRay {release}. {}", what.join(" ")),
            "rules": ["C01"],
            "level": "extended",
            "operator": format!(">={release}"),
            "manifests": ["raycluster.yaml"],
            "checks": [{"pod": pod}],
        },
    });
    let yaml =
        |value: &Value| serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}\n"));
    Saved {
        name: name.into(),
        files: vec![
            ("scenario.yaml".into(), yaml(&scenario)),
            ("raycluster.yaml".into(), yaml(&cluster)),
        ],
    }
}
