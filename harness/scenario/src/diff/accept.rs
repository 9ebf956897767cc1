//! What a new release needs: snapshots that its operator gave, and a skeleton of its class and its
//! dated features.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kuberay_contract::class_of;
use semver::Version;
use serde_json::Value;

use super::document::Entry;
use crate::check::{self, Comparison, Expectations, Observation, Subject};
use crate::expect::{Context, ExpectError, Header, SnapshotFile, normalise, render, snapshot_path};
use crate::{Check, Scenario};

/// A snapshot that a new class needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The scenario's name.
    pub scenario: String,
    /// The file's name, such as `head.args@ge-1.8.0.snap`.
    pub file: String,
    /// The file's text.
    pub text: String,
}

/// Takes what the checks of a scenario look at instead of comparing it.
#[derive(Debug)]
pub struct Recorder {
    context: Context,
    taken: Mutex<BTreeMap<String, (Subject, String)>>,
}

impl Expectations for Recorder {
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        let body = render(&normalise(found, subject.field, &self.context));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(subject.name(), (subject.clone(), body.clone()));
        Comparison::Equal {
            body,
            file: String::new(),
        }
    }
}

impl Recorder {
    /// A recorder for one case.
    pub fn new(namespace: &str, operator: &Version) -> Self {
        Self {
            context: Context {
                namespace: namespace.into(),
                operator: operator.clone(),
            },
            taken: Mutex::default(),
        }
    }

    /// Looks at a state with the `pod` checks of a scenario.
    pub fn look(&self, scenario: &Scenario, observation: &Observation) {
        let checks = scenario.file.spec.checks.iter();
        for one in checks.filter(|one| matches!(one, Check::Pod(_))) {
            check::evaluate(one, observation, self);
        }
    }

    /// The snapshots that differ from those of the newest class, as files of a new one.
    ///
    /// # Errors
    /// When a snapshot beside the scenario can't be read.
    pub fn new_snapshots(
        &self,
        scenario: &Scenario,
        new: &Version,
        ray: &Version,
        operator: &str,
    ) -> Result<Vec<Recorded>, ExpectError> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recorded = Vec::new();
        for (name, (subject, body)) in taken.iter() {
            if let Some(path) = snapshot_path(&scenario.dir, subject, new)
                && SnapshotFile::read(&path)?.body == *body
            {
                continue;
            }
            let file = SnapshotFile {
                header: Header {
                    source: format!("scenarios/{}/scenario.yaml", scenario.name()),
                    expression: name.clone(),
                    operator: vec![new.clone()],
                    ray: vec![ray.clone()],
                    images: vec![operator.to_owned()],
                },
                body: body.clone(),
            };
            recorded.push(Recorded {
                scenario: scenario.name().into(),
                file: format!("{name}@ge-{new}.snap"),
                text: file.to_text(),
            });
        }
        Ok(recorded)
    }
}

/// A class and dated features to begin with: one entry for each difference, with what only a person
/// can say left open.
pub fn skeleton(new: &Version, entries: &[Entry]) -> String {
    let (major, minor, patch) = (new.major, new.minor, new.patch);
    let mut text = format!(
        "// harness/contract/src/classes.rs: a class after {}; raise the length of CLASSES, and add the release to READ.\n\
         Class {{\n    name: \"{new}\",\n    since: Version::new({major}, {minor}, {patch}),\n    why: \"TODO: what \
         differs, with file or issue.\",\n    provisional: false,\n}},\n\n\
         // harness/contract/src/features.rs: one entry for each difference. A feature that ends
         // gets `..({major}, \
         {minor}, {patch})` instead of `..now`.\n",
        class_of(new).name,
    );
    for entry in entries.iter().filter(|entry| entry.rule.is_some()) {
        let rule = entry.rule.as_deref().unwrap_or_default();
        let comment: Vec<&str> = entry.title.lines().collect();
        text.push_str(&format!("\n// {}: {}\n", entry.id, comment.join(" ")));
        text.push_str(&format!(
            "Todo{id} \"todo-{name}\" {rule}, ({major}, {minor}, {patch})..now, \"TODO: file or issue\":\n    \"TODO: what \
             the operator does, in one sentence.\";\n",
            id = entry.id,
            name = entry.id.to_lowercase(),
        ));
    }
    text
}
