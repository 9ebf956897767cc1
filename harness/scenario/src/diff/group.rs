//! Differences of many cases become one entry for each subject.

use std::collections::{BTreeMap, BTreeSet};

use kuberay_contract::FeatureEntry;
use semver::Version;
use serde_json::Value;

use super::attribute::attribute;
use super::document::{DiffEntry, OperatorDifference};
use super::model::{Change, ChangeSubject, ContainerOf};
use super::observed::Observed;
use super::pods::kinds;

/// Different edits of one entry that are kept.
const EDITS: usize = 40;
/// Edits and cases of one entry that reports show.
const SHOWN: usize = 3;

/// A case, as entries refer to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// Whether it was generated.
    pub generated: bool,
    /// The size of its objects in bytes, by which the smallest is found.
    pub size: usize,
    /// Its name: that of a scenario, or kind and number of a generated object.
    pub name: String,
}

/// What one case showed.
#[derive(Debug)]
pub struct CaseComparison<'a> {
    /// The case.
    pub case: Case,
    /// What the base made.
    pub base: &'a Observed,
    /// How the two differ.
    pub changes: &'a [Change],
}

/// The differences of all cases.
#[derive(Debug, Default)]
pub struct Groups {
    subjects: BTreeMap<ChangeSubject, Group>,
    /// Containers that the base made, by what they are for.
    containers: BTreeMap<ContainerOf, usize>,
    /// Ray containers whose command the base generated.
    generated: usize,
}

#[derive(Debug, Default)]
struct Group {
    cases: BTreeSet<Case>,
    containers: BTreeMap<ContainerOf, usize>,
    edits: BTreeMap<(Option<String>, Option<String>), usize>,
}

impl Group {
    fn join(&mut self, other: Self) {
        self.cases.extend(other.cases);
        for (of, count) in other.containers {
            *self.containers.entry(of).or_default() += count;
        }
        for (edit, count) in other.edits {
            *self.edits.entry(edit).or_default() += count;
        }
    }
}

/// A subject with the smallest case that shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownSubject {
    /// The subject.
    pub subject: ChangeSubject,
    /// The smallest case; a scenario comes before a generated object.
    pub smallest: Case,
}

impl Groups {
    /// Adds what a case showed.
    pub fn add(&mut self, comparison: &CaseComparison<'_>) {
        for (id, spec) in &comparison.base.pods {
            for (of, generated) in kinds(id, spec) {
                *self.containers.entry(of).or_default() += 1;
                self.generated += usize::from(generated && of == ContainerOf::Ray);
            }
        }
        for change in comparison.changes {
            let group = self.subjects.entry(change.subject.clone()).or_default();
            group.cases.insert(comparison.case.clone());
            if let Some(of) = change.container {
                *group.containers.entry(of).or_default() += 1;
            }
            let edit = (change.before.clone(), change.after.clone());
            if group.edits.len() < EDITS || group.edits.contains_key(&edit) {
                *group.edits.entry(edit).or_default() += 1;
            }
        }
    }

    /// Counts as one what the operator writes into several kinds of containers: a subject joins the
    /// same one of Ray's container, or of another kind, where it differs in no other way.
    pub fn join_containers(&mut self) {
        let subjects: Vec<ChangeSubject> = self.subjects.keys().cloned().collect();
        for subject in subjects {
            let differs_alike = |other: &ChangeSubject| {
                let (own, other) = (self.subjects.get(&subject), self.subjects.get(other));
                let pair = own.zip(other);
                pair.is_some_and(|(own, other)| {
                    own.edits.keys().all(|edit| other.edits.contains_key(edit))
                })
            };
            let Some(first) = subject.before().into_iter().find(differs_alike) else {
                continue;
            };
            let Some(joining) = self.subjects.remove(&subject) else {
                continue;
            };
            if let Some(group) = self.subjects.get_mut(&first) {
                group.join(joining);
            }
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// Each subject with the smallest case that shows it, so that it can be asked again.
    pub fn smallest(&self) -> Vec<ShownSubject> {
        let shown = self.subjects.iter().filter_map(|(subject, group)| {
            Some(ShownSubject {
                subject: subject.clone(),
                smallest: group.cases.first()?.clone(),
            })
        });
        shown.collect()
    }

    /// The smallest generated case that shows a subject.
    pub fn smallest_generated(&self, subject: &ChangeSubject) -> Option<&Case> {
        let mut cases = self.subjects.get(subject)?.cases.iter();
        cases.find(|case| case.generated)
    }

    /// The smallest case that shows a subject; a scenario comes before a generated object.
    pub fn smallest_of(&self, subject: &ChangeSubject) -> Option<Case> {
        self.subjects.get(subject)?.cases.first().cloned()
    }

    /// Removes a case that a second look did not show, and the subject with its last one.
    pub fn remove_case(&mut self, subject: &ChangeSubject, case: &Case) {
        let cases = self.subjects.get_mut(subject).map(|group| &mut group.cases);
        if cases.is_some_and(|cases| cases.remove(case) && cases.is_empty()) {
            self.remove(subject);
        }
    }

    /// Removes a subject that a second look did not show.
    pub fn remove(&mut self, subject: &ChangeSubject) {
        self.subjects.remove(subject);
    }

    /// One entry for each subject, by rule. `manifests` holds the smallest object for those that
    /// have one.
    pub fn entries(
        &self,
        base: &Version,
        head: &Version,
        manifests: &BTreeMap<ChangeSubject, Value>,
    ) -> Vec<DiffEntry> {
        let mut entries: Vec<DiffEntry> = self
            .subjects
            .iter()
            .map(|(subject, group)| self.entry(subject, group, base, head, manifests.get(subject)))
            .collect();
        entries.sort_by(|a, b| {
            let rank = |entry: &DiffEntry| (entry.rule.is_none(), entry.rule.clone());
            rank(a).cmp(&rank(b))
        });
        for (index, entry) in entries.iter_mut().enumerate() {
            entry.id = format!("D{:02}", index + 1);
        }
        entries
    }

    fn entry(
        &self,
        subject: &ChangeSubject,
        group: &Group,
        base: &Version,
        head: &Version,
        manifest: Option<&Value>,
    ) -> DiffEntry {
        let attribution = attribute(subject, base, head);
        let names = |features: &[&FeatureEntry]| {
            let names = features.iter().map(|entry| entry.name.to_owned());
            names.collect::<Vec<_>>()
        };
        let mut edits: Vec<_> = group.edits.iter().collect();
        // Frequent edits first, short ones before long ones.
        edits.sort_by_key(|((before, after), count)| {
            let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            (std::cmp::Reverse(**count), length(before) + length(after))
        });
        let shown = edits.iter().take(SHOWN);
        let edits_shown: Vec<OperatorDifference> = shown
            .map(|((before, after), count)| {
                OperatorDifference::of(before.as_deref(), after.as_deref(), **count)
            })
            .collect();
        let where_ = self.where_(subject, group);
        let title = match edits_shown.as_slice() {
            [only] => format!("{} in {where_}", only.sentence()),
            _ => format!("{subject} in {where_}"),
        };
        DiffEntry {
            id: String::new(),
            rule: attribution.rule.map(str::to_owned),
            features: names(&attribution.features),
            touches: names(&attribution.touches),
            title,
            subject: subject.to_string(),
            edits: edits_shown,
            more_edits: edits.len().saturating_sub(SHOWN),
            cases: group.cases.len(),
            containers: group.containers.values().sum(),
            examples: group
                .cases
                .iter()
                .take(SHOWN)
                .map(|case| case.name.clone())
                .collect(),
            smallest: manifest.cloned(),
        }
    }

    /// Where a difference is seen, such as `every Ray container`.
    fn where_(&self, subject: &ChangeSubject, group: &Group) -> String {
        if group.containers.is_empty() {
            return match group.cases.len() {
                1 => "one case".into(),
                count => format!("{count} cases"),
            };
        }
        let parts = group.containers.iter().map(|(of, count)| {
            let all = self.containers.get(of).copied().unwrap_or_default();
            let of_generated = *of == ContainerOf::Ray && is_of_generated(subject);
            if *count >= all && all > 1 {
                format!("every {}", of.words())
            } else if of_generated && *count >= self.generated && self.generated > 1 {
                "every generated command".into()
            } else if *count == 1 {
                format!("one {}", of.words())
            } else {
                format!("{count} {}s", of.words())
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Whether only a generated command can show a subject.
fn is_of_generated(subject: &ChangeSubject) -> bool {
    matches!(
        subject,
        ChangeSubject::Ulimit
            | ChangeSubject::Joint
            | ChangeSubject::UserText
            | ChangeSubject::Position
            | ChangeSubject::Flag(_)
            | ChangeSubject::FlagSpacing
            | ChangeSubject::FlagOrder
            | ChangeSubject::End
            | ChangeSubject::ShellOptions
    )
}
