//! Refusals over all scenarios: real API servers and operators have taken these manifests, except where a scenario says
//! that they are refused.

use std::path::{Path, PathBuf};

use kuberay_contract::{OperatorSettings, served};
use kuberay_explain::{FieldValidation, explain_with};
use kuberay_manifest::{Source, yaml};
use semver::{Version, VersionReq};

/// Releases that scenarios are run on.
const RELEASES: [&str; 13] = [
    "1.0.0", "1.1.1", "1.2.2", "1.3.0", "1.3.2", "1.4.2", "1.5.0", "1.5.1", "1.5.2", "1.6.0",
    "1.6.1", "1.6.2", "1.7.0",
];

struct Scenario {
    folder: PathBuf,
    operator: VersionReq,
    /// The message of each `rejected` check; empty where nothing is refused.
    rejected: Vec<String>,
    manifests: Vec<String>,
}

fn scenarios() -> Vec<Scenario> {
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
            manifests: texts(&spec["manifests"]),
            folder,
        });
    }
    assert!(scenarios.len() > 100);
    scenarios
}

#[test]
fn manifests_are_refused_where_their_scenario_says_so_and_nowhere_else() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        for release in RELEASES {
            let release: Version = release.parse().unwrap();
            if !scenario.operator.matches(&release) {
                continue;
            }
            for manifest in &scenario.manifests {
                let file = scenario.folder.join(manifest);
                let text = std::fs::read_to_string(&file).unwrap();
                let documents = yaml::parse(&Source::new(&file, &text)).unwrap();
                if !documents.iter().any(|document| {
                    served(&release, &document.to_json()) == kuberay_contract::Served::Yes
                }) {
                    continue;
                }
                let releases = std::slice::from_ref(&release);
                let settings = OperatorSettings::default();
                let explanation =
                    explain_with(&file, &text, releases, &settings, FieldValidation::Strict)
                        .unwrap();
                let refused: Vec<String> = explanation
                    .refusals
                    .iter()
                    .map(|one| format!("{}: {}", one.place.path, one.message))
                    .collect();
                let expected = scenario.rejected.iter().all(|message| {
                    message
                        .split(", ")
                        .all(|part| refused.iter().any(|one| one.contains(part)))
                });
                if !expected || scenario.rejected.is_empty() != refused.is_empty() {
                    wrong.push(format!("{} {release}: {refused:?}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
