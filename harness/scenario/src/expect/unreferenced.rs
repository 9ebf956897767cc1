//! Snapshots that no check looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kuberay_contract::CLASSES;

use super::{ExpectError, SnapshotName};
use crate::check::Subject;
use crate::{Check, Scenario};

/// What a scenario's `pod` checks take snapshots of, each once.
pub fn subjects(scenario: &Scenario) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::new();
    for check in &scenario.file.spec.checks {
        if let Check::Pod(pod) = check {
            subjects.extend(pod.subjects());
        }
    }
    subjects
}

/// Files ending in `.snap` or `.snap.new` beside scenarios that no `pod` check references, sorted.
/// A file whose name has not the form of a snapshot's, or a bound that is no class's, is never
/// looked at and so is among them.
///
/// # Errors
/// When a scenario's folder can't be read.
pub fn unreferenced(scenarios: &[Arc<Scenario>]) -> Result<Vec<PathBuf>, ExpectError> {
    let mut folders: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for scenario in scenarios {
        let names = subjects(scenario)
            .into_iter()
            .map(|subject| SnapshotName::new(&subject, &CLASSES[0]).subject);
        folders.entry(&scenario.dir).or_default().extend(names);
    }
    let mut left = Vec::new();
    for (folder, referenced) in folders {
        for entry in fs::read_dir(folder).map_err(ExpectError::read(folder))? {
            let entry = entry.map_err(ExpectError::read(folder))?;
            let file = entry.file_name();
            let file = file.to_string_lossy();
            let is_snapshot = file.ends_with(".snap") || file.ends_with(".snap.new");
            let known =
                SnapshotName::parse(&file).is_some_and(|name| referenced.contains(&name.subject));
            if is_snapshot && !known {
                left.push(entry.path());
            }
        }
    }
    left.sort();
    Ok(left)
}

#[cfg(test)]
mod tests {
    use assert_matches::assert_matches;
    use std::time::Duration;

    use semver::VersionReq;

    use super::*;
    use crate::{Metadata, PodCheck, PodField, Role, ScenarioFile, Spec};

    fn scenario(dir: &Path, checks: Vec<Check>) -> Arc<Scenario> {
        Arc::new(Scenario {
            dir: dir.into(),
            path: dir.join("scenario.yaml"),
            file: ScenarioFile {
                api_version: "kuberay-conformance/v1beta1".into(),
                kind: "Scenario".into(),
                metadata: Metadata { name: "x".into() },
                spec: Spec {
                    description: String::new(),
                    rules: vec![],
                    level: crate::Level::Core,
                    issues: vec![],
                    nodes: 1,
                    operator: "*".into(),
                    ray: "*".into(),
                    manifests: vec![],
                    changes: crate::Changes::default(),
                    steps: crate::Steps::default(),
                    upgrade_from: None,
                    operator_settings: crate::OperatorSettings::default(),
                    timeout: None,
                    checks,
                },
            },
            check_locations: vec![],
            check_texts: vec![],
            operator: VersionReq::STAR,
            ray: VersionReq::STAR,
            upgrade_from: None,
            timeout: Duration::from_secs(1),
        })
    }

    fn pod(group: Option<&str>, snapshot: Vec<PodField>) -> Check {
        Check::Pod(PodCheck {
            role: Role::Worker,
            group: group.map(Into::into),
            container: None,
            created: None,
            snapshot,
            within: None,
        })
    }

    #[test]
    fn files_that_no_check_references_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let used = [
            "worker.args@ge-1.1.0.snap",
            "worker.args@ge-1.6.0.snap.new",
            "worker.a.init-containers@ge-1.6.0.snap",
        ];
        let unused = [
            "head.args@ge-1.6.0.snap",
            "worker.a.args@ge-1.6.0.snap",
            "worker.args@ge-1.65.0.snap",
            "worker.command@ge-1.6.0.snap.new",
            "x.snap",
        ];
        for file in used.iter().chain(&unused).chain(&["scenario.yaml", "snap"]) {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let checks = vec![
            pod(None, vec![PodField::Args]),
            pod(Some("a"), vec![PodField::InitContainers]),
        ];
        let left = unreferenced(&[scenario(folder.path(), checks)]).unwrap();
        assert_eq!(left, unused.map(|file| folder.path().join(file)));
    }

    #[test]
    fn two_scenarios_may_share_a_folder_and_a_folder_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("worker.args@ge-1.6.0.snap"), "").unwrap();
        let without = scenario(folder.path(), vec![]);
        let with = scenario(folder.path(), vec![pod(None, vec![PodField::Args])]);
        assert_eq!(
            unreferenced(&[without.clone(), with]).unwrap(),
            [] as [PathBuf; 0]
        );
        assert_eq!(unreferenced(&[without]).unwrap().len(), 1);
        let gone = scenario(Path::new("no/such/folder"), vec![]);
        assert_matches!(unreferenced(&[gone]), Err(ExpectError::Read { .. }));
    }
}
