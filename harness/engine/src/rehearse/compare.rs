//! Compares what the operators before and after an upgrade made of an object.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use semver::Version;
use serde_json::Value;

use super::document::{
    AtOnce, DatedFeature, ObjectVerdict, PodChange, RehearsedObject, RehearsedRefusal,
};
use crate::check::{Observation, operator_refusals};
use crate::compare::{self as diff, ChangeSubject, Observed, OperatorDifference, PodId, attribute};
use crate::explain::check::Impact;

/// Fields of a Pod's spec that are compared with others.
const ELSEWHERE: [&str; 5] = [
    "containers",
    "initContainers",
    "nodeName",
    "schedulerName",
    "hostname",
];

/// The same without the names that operators give the RayCluster of a RayJob or RayService: their
/// form differs by release, and their end with each one.
pub(super) fn of_one(observed: Observed, name: &str) -> Observed {
    let long = format!("{name}-raycluster-<generated>");
    let short = format!("{name}-<generated>");
    let pods = observed.pods.into_iter().map(|(mut id, mut spec)| {
        id.cluster.clear();
        replace(&mut spec, &long, &short);
        (id, spec)
    });
    Observed {
        pods: pods.collect(),
        refusals: observed.refusals,
    }
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(item, from, to)),
        _ => {}
    }
}

/// Returns the changes of Pods, the largest impact first.
pub(super) fn changes(
    before: &Observed,
    after: &Observed,
    [from, to]: [&Version; 2],
    annotated: bool,
) -> Vec<PodChange> {
    let found = diff::changes(before, after, annotated);
    let mut all: BTreeSet<PodChange> = found
        .iter()
        // Refusals are told with the reason in full.
        .filter(|one| !matches!(one.subject, ChangeSubject::Refusal(..)))
        .map(|one| of_subject(one, from, to))
        .collect();
    for (id, old) in &before.pods {
        if let Some(new) = after.pods.get(id) {
            all.extend(of_spec(id, old, new));
        }
    }
    let mut all: Vec<PodChange> = all.into_iter().collect();
    all.sort_by(|one, other| {
        (other.impact, &one.rule, &one.subject).cmp(&(one.impact, &other.rule, &other.subject))
    });
    all
}

fn of_subject(one: &diff::Change, from: &Version, to: &Version) -> PodChange {
    let attribution = attribute(&one.subject, from, to);
    let features = attribution.features.iter();
    let of_features = features.map(|entry| Impact::of(entry.feature)).max();
    let impact = match &one.subject {
        // What an operator calls itself; nothing reads it but statistics.
        ChangeSubject::ReleaseTag => Impact::None,
        ChangeSubject::Pod(_) => Impact::Breaks,
        // Spaces and orders that no shell reads.
        ChangeSubject::FlagSpacing | ChangeSubject::EnvOrder(_) => {
            of_features.unwrap_or(Impact::Cosmetic)
        }
        _ => of_features.unwrap_or(Impact::Review),
    };
    let edit = OperatorDifference::of(one.before.as_deref(), one.after.as_deref(), 1);
    PodChange {
        impact,
        subject: one.subject.to_string(),
        rule: attribution.rule.map(str::to_owned),
        features: attribution
            .features
            .iter()
            .map(|entry| {
                let comes = entry.covers(to);
                let at = if comes {
                    Some(&entry.since)
                } else {
                    entry.until.as_ref()
                };
                DatedFeature {
                    name: entry.name.into(),
                    comes,
                    at: at.unwrap_or(&entry.since).to_string(),
                    says: entry.says.into(),
                    source: entry.source.into(),
                }
            })
            .collect(),
        before: edit.before,
        after: edit.after,
    }
}

/// Fields of the Pod beside its containers.
fn of_spec(id: &PodId, old: &Value, new: &Value) -> Vec<PodChange> {
    let fields = |spec: &Value| -> BTreeMap<String, String> {
        let fields = spec.as_object().into_iter().flatten();
        let fields = fields.filter(|(field, _)| !ELSEWHERE.contains(&field.as_str()));
        fields
            .map(|(field, value)| (field.clone(), value.to_string()))
            .collect()
    };
    let (old, new) = (fields(old), fields(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let side = |fields: &BTreeMap<String, String>| {
                let value = fields.get(name)?;
                Some(format!("{name}: {value}"))
            };
            let edit = OperatorDifference::of(side(&old).as_deref(), side(&new).as_deref(), 1);
            PodChange {
                impact: Impact::Review,
                subject: format!("{name} of the {} Pod", id.role),
                rule: None,
                features: Vec::new(),
                before: edit.before,
                after: edit.after,
            }
        })
        .collect()
}

/// Returns why the operator refuses an object, out of what it said since the events that were known
/// before.
pub(super) fn refusals(observation: &Observation, known: &BTreeSet<String>) -> Vec<String> {
    let mut recent = observation.clone();
    recent.events.retain(|event| {
        let uid = event.metadata.uid.as_ref();
        uid.is_none_or(|uid| !known.contains(uid))
    });
    let refuses = |sentence: &String| {
        let is_refusal = [
            "Invalid",
            "FailedToCreate",
            "ServiceAccountNotFound",
            "is forbidden",
        ];
        is_refusal.iter().any(|word| sentence.contains(word))
            && !sentence.contains("already exists")
    };
    let mut found: Vec<String> = operator_refusals(&recent)
        .into_iter()
        .filter(refuses)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Which refusals are new; those of before are compared without what differs each time.
pub(super) fn new_refusals(before: &[String], after: &[String], by: &str) -> Vec<RehearsedRefusal> {
    let known: BTreeSet<String> = before.iter().map(|text| reason(text)).collect();
    let new = after.iter().filter(|text| !known.contains(&reason(text)));
    // One reason is told once, whatever names it holds.
    let by_reason: BTreeMap<String, &String> = new.map(|text| (reason(text), text)).collect();
    by_reason
        .into_values()
        .map(|text| RehearsedRefusal {
            by: by.into(),
            message: text.clone(),
        })
        .collect()
}

/// A message without words that hold digits, such as generated names, and without what differs from
/// release to release in an event such as `InvalidRayJobSpec`: "The RayJob spec is invalid" stands
/// before or behind the name of the object.
fn reason(text: &str) -> String {
    let mut text = text.to_owned();
    if text.starts_with("Invalid") {
        for kind in ["RayCluster", "RayJob", "RayService", "RayCronJob"] {
            for part in ["spec", "metadata", "status"] {
                text = text.replace(&format!("The {kind} {part} is invalid"), "");
            }
        }
    }
    let words = text.split_whitespace().filter(|word| *word != ":");
    let words = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '/'));
    words.collect::<Vec<_>>().join(" ")
}

/// What the Pods of one moment are, by uid.
fn pods(observation: &Observation) -> BTreeMap<String, &Pod> {
    let pods = observation.pods.iter();
    pods.map(|pod| (pod.uid().unwrap_or_default(), pod))
        .collect()
}

/// Returns the Pods and RayClusters that the operator deleted and created by itself between two
/// moments.
pub(super) fn at_once(before: &Observation, after: &Observation) -> Vec<AtOnce> {
    let (old, new) = (pods(before), pods(after));
    let mut found: BTreeMap<(String, bool), usize> = BTreeMap::new();
    let gone = old.iter().filter(|(uid, _)| !new.contains_key(*uid));
    let come = new.iter().filter(|(uid, _)| !old.contains_key(*uid));
    for (_, pod) in gone {
        *found.entry((what(pod), true)).or_default() += 1;
    }
    for (_, pod) in come {
        *found.entry((what(pod), false)).or_default() += 1;
    }
    let clusters = |observation: &Observation| -> BTreeSet<String> {
        let uids = observation.ray_clusters.iter();
        uids.filter_map(|one| one["metadata"]["uid"].as_str().map(str::to_owned))
            .collect()
    };
    let (old, new) = (clusters(before), clusters(after));
    for (count, deleted) in [
        (old.difference(&new).count(), true),
        (new.difference(&old).count(), false),
    ] {
        if count > 0 {
            found.insert(("RayCluster".into(), deleted), count);
        }
    }
    let said = said(before, after);
    found
        .into_iter()
        .map(|((what, deleted), count)| AtOnce {
            why: said.clone().filter(|_| deleted),
            what,
            deleted,
            count,
        })
        .collect()
}

fn what(pod: &Pod) -> String {
    let label = |name: &str| pod.labels().get(name).map_or("", String::as_str);
    match label("ray.io/node-type") {
        "worker" => format!("Pod of the worker group {}", label("ray.io/group")),
        role => format!("Pod of the {role}"),
    }
}

/// What the operator said of deletions between two moments.
fn said(before: &Observation, after: &Observation) -> Option<String> {
    let known: BTreeSet<_> = before
        .events
        .iter()
        .filter_map(|one| one.metadata.uid.clone())
        .collect();
    let mut new = after.events.iter().filter(|event| {
        let uid = event.metadata.uid.as_ref();
        uid.is_none_or(|uid| !known.contains(uid))
    });
    new.find_map(|event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        let message = event.message.as_deref().unwrap_or_default();
        reason
            .contains("Delete")
            .then(|| format!("{reason}: {message}"))
    })
}

/// The most urgent class of an object.
pub(super) fn verdict(object: &RehearsedObject) -> ObjectVerdict {
    let impact = object.impact();
    if !object.refusals.is_empty() {
        ObjectVerdict::Refused
    } else if !object.dropped.is_empty() {
        ObjectVerdict::Dropped
    } else if !object.at_once.is_empty() {
        ObjectVerdict::AtOnce
    } else if impact >= Impact::Review {
        ObjectVerdict::Changed
    } else if impact == Impact::Cosmetic {
        ObjectVerdict::Cosmetic
    } else {
        ObjectVerdict::Unchanged
    }
}
