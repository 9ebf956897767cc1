//! Reads the scenarios as far as the tests of `explain` need them.

use std::path::{Path, PathBuf};

use assertables::assert_gt;
use kuberay_contract::EffectiveSettings;
use kuberay_manifest::{Source, yaml};
use semver::VersionReq;
use serde_json::Value;

/// Releases that scenarios are run on.
pub const RELEASES: [&str; 13] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.0", "1.3.2", "1.4.2", "1.5.0", "1.5.1", "1.5.2", "1.6.0",
    "1.6.1", "1.6.2", "1.7.0",
];

/// A scenario, as far as these tests need it.
pub struct Scenario {
    pub name: String,
    pub folder: PathBuf,
    pub operator: VersionReq,
    /// The message of each `rejected` check; empty where nothing is refused.
    pub rejected: Vec<String>,
    /// Whether a check says that no submitter comes.
    pub lacks_submitter: bool,
    pub manifests: Vec<String>,
    /// The operator's settings.
    pub settings: EffectiveSettings,
}

/// Every scenario, by name.
pub fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut scenarios = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let file = folder.join("scenario.yaml");
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let spec = yaml::parse(&Source::new(&file, &text)).unwrap()[0]
            .get("spec")
            .unwrap()
            .to_json();
        let texts = |value: &serde_json::Value| -> Vec<String> {
            let items = value.as_array().cloned().unwrap_or_default();
            items
                .iter()
                .filter_map(|item| item.as_str().map(Into::into))
                .collect()
        };
        let checks = spec["checks"].as_array().cloned().unwrap_or_default();
        let rejected = checks
            .iter()
            .filter_map(|check| check["rejected"]["message"].as_str());
        scenarios.push(Scenario {
            operator: spec["operator"].as_str().unwrap_or("*").parse().unwrap(),
            rejected: rejected.map(Into::into).collect(),
            lacks_submitter: checks
                .iter()
                .any(|check| check["absent"]["role"] == "submitter"),
            manifests: texts(&spec["manifests"]),
            settings: settings(&spec["operatorSettings"]),
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder,
        });
    }
    assert_gt!(scenarios.len(), 100);
    scenarios.sort_by(|one: &Scenario, other| one.name.cmp(&other.name));
    scenarios
}

fn settings(spec: &Value) -> EffectiveSettings {
    let settings = EffectiveSettings {
        env: serde_json::from_value(spec["env"].clone()).unwrap_or_default(),
        feature_gates: serde_json::from_value(spec["featureGates"].clone()).unwrap_or_default(),
        ..EffectiveSettings::default()
    };
    let configuration = spec["configuration"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    settings.with_configuration(&configuration).unwrap()
}
