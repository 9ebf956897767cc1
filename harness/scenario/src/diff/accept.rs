//! What a new release needs: snapshots that its operator gave, and a skeleton of its class and its
//! dated features.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use kuberay_contract::class_of;
use kuberay_manifest::visible;
use semver::Version;
use serde_json::Value;

use super::document::DiffEntry;
use crate::check::{Comparison, Expectations, Observation, Subject};
use crate::expect::{Context, ExpectError, Header, SnapshotFile, normalise, render, snapshot_path};
use crate::{Check, Scenario};

/// A snapshot that a new class needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's folder.
    pub dir: PathBuf,
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
            one.evaluate(observation, self);
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
                dir: scenario.dir.clone(),
                file: format!("{name}@ge-{new}.snap"),
                text: file.to_text(),
            });
        }
        Ok(recorded)
    }
}

/// A class and dated features to begin with: what only a person can say is left open with `TODO`,
/// which a test of the contract finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    class: String,
    features: String,
    /// How many features it has.
    pub count: usize,
}

/// Returns a class of a new release with one feature for each difference. What the operator calls
/// itself is not among them: each release has a name of its own.
pub fn skeleton(new: &Version, entries: &[DiffEntry]) -> Skeleton {
    let (major, minor, patch) = (new.major, new.minor, new.patch);
    let class = format!(
        "    Class {{
        name: \"{new}\",
        since: Version::new({major}, {minor}, {patch}),
        why: \"TODO: what sets it apart from {before}, with file or issue.\",
        provisional: false,
    }},
",
        before = class_of(new).name,
    );
    let release_tag = super::ChangeSubject::ReleaseTag.to_string();
    let (mut features, mut count) = (String::new(), 0);
    for entry in entries.iter().filter(|entry| entry.subject != release_tag) {
        // The operator's texts stay within the comment.
        let title = visible::line(&entry.title);
        let Some(rule) = &entry.rule else {
            features.push_str(&format!(
                "\n    // TODO: {title}: no rule is about it yet.\n"
            ));
            continue;
        };
        count += 1;
        features.push_str(&format!("\n    // {title}\n"));
        if !entry.touches.is_empty() {
            let touches = entry.touches.join(", ");
            features.push_str(&format!(
                "    // TODO: what it replaces ends here, with ({major}, {minor}, {patch}): {touches}?\n"
            ));
        }
        features.push_str(&format!(
            "    Todo{id} \"todo-{name}\" {rule}, ({major}, {minor}, {patch})..now, \
             \"TODO: file or issue\":\n        \"TODO: what the operator does, in one sentence.\";\n",
            id = entry.id,
            name = entry.id.to_lowercase(),
        ));
    }
    Skeleton {
        class,
        features,
        count,
    }
}

impl Skeleton {
    /// Returns both parts, each with the file that it belongs in.
    pub fn text(&self) -> String {
        format!(
            "// harness/contract/src/classes.rs: the end of CLASSES, and its length\n{}\n\
             // harness/contract/src/features.rs: the end of `features!`\n{}",
            self.class, self.features
        )
    }

    /// Adds the class to the text of `classes.rs` and the features to that of `features.rs`; none
    /// where a text has another form.
    pub fn add_to(&self, classes: &str, features: &str) -> Option<(String, String)> {
        const LENGTH: &str = "CLASSES: [Class; ";
        const TABLE: &str = "\nfeatures! {\n";
        let from = classes.find(LENGTH)? + LENGTH.len();
        let to = from + classes[from..].find(']')?;
        let length: usize = classes[from..to].parse().ok()?;
        let end = to + classes[to..].find("\n];")? + 1;
        let (start, between, rest) = (&classes[..from], &classes[to..end], &classes[end..]);
        let with_class = format!("{start}{}{between}{}{rest}", length + 1, self.class);
        let table = features.find(TABLE)?;
        let end = table + features[table..].find("\n}\n")? + 1;
        let (start, rest) = features.split_at(end);
        Some((with_class, format!("{start}{}{rest}", self.features)))
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_contains;

    use super::*;

    fn entry(title: &str, subject: &str, rule: Option<&str>) -> DiffEntry {
        DiffEntry {
            id: "D01".into(),
            rule: rule.map(Into::into),
            features: Vec::new(),
            touches: vec!["ulimit-from-env".into()],
            title: title.into(),
            subject: subject.into(),
            edits: Vec::new(),
            more_edits: 0,
            cases: 1,
            containers: 1,
            examples: Vec::new(),
            smallest: None,
        }
    }

    #[test]
    fn a_skeleton_goes_into_the_sources_of_the_contract() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract/src");
        let read = |name: &str| std::fs::read_to_string(source.join(name)).unwrap();
        let (classes, features) = (read("classes.rs"), read("features.rs"));
        let new = Version::new(99, 1, 0);
        let entries = [
            entry("the limit\n}; changes", "the limit", Some("C11")),
            entry("a new field", "field", None),
            entry(
                "its name",
                "the release in RAY_USAGE_STATS_EXTRA_TAGS",
                Some("C01"),
            ),
        ];
        let skeleton = skeleton(&new, &entries);
        assert_eq!(skeleton.count, 1);
        let (with_class, with_features) = skeleton.add_to(&classes, &features).unwrap();
        let count = kuberay_contract::CLASSES.len();
        assert_contains!(with_class, &format!("CLASSES: [Class; {}]", count + 1));
        let class = "        provisional: false,\n    },\n    Class {\n        name: \"99.1.0\",";
        assert!(with_class.contains(class), "{with_class}");
        let (_, end) = with_features.split_once("\n    // the limit").unwrap();
        // A text of the operator can't leave its comment.
        assert!(!end.starts_with('\n'), "{end}");
        assert!(
            end.contains("TodoD01 \"todo-d01\" C11, (99, 1, 0)..now"),
            "{end}"
        );
        assert!(end.contains("(99, 1, 0): ulimit-from-env?"), "{end}");
        assert!(end.contains("// TODO: a new field: no rule"), "{end}");
        assert!(end.ends_with("\n}\n"), "{end}");
        assert!(!end.contains("its name"), "{end}");
        assert_eq!(skeleton.add_to("", &features), None);
    }
}
