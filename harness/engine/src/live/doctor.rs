//! Diagnoses the Ray objects of a bundle: a pure function from what was read to causes with proof.
//!
//! - `subject`: the objects that users write, with what came of them.
//! - `facts`: operators. `origin`: Pods against what operators create.
//! - `symptoms`, `refused`: from states, logs and events to causes; `causes` lists them.
//! - `patch`: what to write instead. `document`: the report.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "views of Pods grow")]

mod candidate;
mod causes;
mod document;
pub(super) mod facts;
mod origin;
mod passed_on;
mod patch;
mod refused;
mod subject;
mod symptoms;
pub mod view;

use std::path::Path;

use kuberay_manifest::{Severity, Source};
use semver::Version;
use serde_json::{Value, json};

use self::candidate::Candidate;
use self::facts::Facts;
use self::subject::{Cluster, Subject};
use self::symptoms::{Case, SLOW};
use self::view::{PodView, text};
use super::bundle::Bundle;
use crate::artifact::Pins;
use crate::contract::{EffectiveSettings, FieldValidation};
use crate::explain::check;

pub use causes::{CAUSES, Cause};
pub use document::*;
pub(crate) use facts::{flag, release_on};

/// Traps that the object proves by itself: what is written does not happen, whether the Pods are
/// well or not.
const CERTAIN: [&str; 6] = [
    "shell-without-script",
    "argv-loses-quoting",
    "annotation-ignored",
    "gen-cmd-without-annotation",
    "ray-start-in-words",
    "group-name-twice",
];
/// After so long something that has no known cause is a problem.
const PATIENT: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Judges what was read.
pub fn diagnose(bundle: &Bundle) -> DoctorReport {
    let facts: Vec<Facts> = bundle.operators.iter().map(Facts::of).collect();
    let pins = Pins::embedded();
    let all: Vec<Version> = pins.operators.releases.keys().rev().cloned().collect();
    let subjects = subject::of(bundle);
    let look = DoctorContext {
        bundle,
        facts: &facts,
        all: &all,
    };
    let mut objects: Vec<DoctorObject> = subjects.iter().map(|one| look.at(one)).collect();
    objects.sort_by(|one, other| {
        let key = |object: &DoctorObject| {
            let rank = match object.state {
                ObjectState::Broken => 0,
                ObjectState::Progressing => 1,
                ObjectState::Healthy => 2,
            };
            (
                rank,
                object.namespace.clone(),
                object.kind.clone(),
                object.name.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    DoctorReport {
        version: VERSION.into(),
        taken_at: bundle.taken_at.to_string(),
        kubernetes: bundle.kubernetes.clone(),
        operators: facts.iter().map(|one| one.report.clone()).collect(),
        findings: ranked(of_cluster(bundle, &facts)),
        objects,
        unread: bundle.unread.clone(),
        requests: bundle.requests,
    }
}

/// Returns the causes that concern every object.
fn of_cluster(bundle: &Bundle, facts: &[Facts]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (one, operator) in facts.iter().zip(&bundle.operators) {
        let awaited = one.is_awaited(operator, bundle.taken_at);
        if !one.report.available && !one.is_off && !awaited {
            let Proof { kind, text } = one.complaint(operator);
            found.push(Candidate::of(&causes::OPERATOR_DOWN, 90).proven(kind, &text));
        }
        let Some(release) = &one.release else {
            continue;
        };
        let mut older = Candidate::of(&causes::CRDS_OLDER, 80);
        let mut is_older = false;
        for crd in &bundle.crds {
            let lacks = facts::lacking(crd, release);
            if !lacks.is_empty() {
                is_older = true;
                let some = lacks.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                let line = format!(
                    "{} lacks {} fields of KubeRay {release}, such as {some}",
                    crd.name,
                    lacks.len()
                );
                older = older.proven(ProofKind::Field, &line);
            }
        }
        if is_older {
            found.push(older);
        }
    }
    found
}

/// The common input of the judgement of every object.
struct DoctorContext<'a> {
    bundle: &'a Bundle,
    facts: &'a [Facts],
    all: &'a [Version],
}

impl DoctorContext<'_> {
    fn at(&self, subject: &Subject) -> DoctorObject {
        let namespace = subject.namespace();
        let release = facts::release_for(self.bundle, self.facts, namespace);
        let known = release.is_some();
        let release = release.or_else(|| self.all.first().cloned());
        let release = release.unwrap_or(Version::new(1, 6, 2));
        let working = self
            .facts
            .iter()
            .find(|one| !one.is_off && one.watches(namespace));
        let settings = EffectiveSettings {
            namespace: namespace.into(),
            ..working.map(|one| one.settings.clone()).unwrap_or_default()
        };
        let mut report = DoctorObject {
            kind: subject.kind().into(),
            namespace: namespace.into(),
            name: subject.name().into(),
            ..DoctorObject::default()
        };
        let traps = if is_well(subject) && has_no_trap_that_counts(subject) {
            Vec::new()
        } else {
            traps(subject.value, &release, &settings)
        };
        let case = |cluster| Case {
            bundle: self.bundle,
            subject,
            cluster,
            traps: &traps,
            release: &release,
        };
        let mut found = Vec::new();
        let candidates = origin::Candidates {
            release: &release,
            settings: &settings,
            all: if known { self.all } else { &[] },
        };
        for cluster in &subject.clusters {
            let case = case(Some(cluster));
            let mut of_cluster = Vec::new();
            for pod in &cluster.pods {
                let seen = symptoms::of_pod(&case, pod);
                let is_of_object = seen.is_empty() || seen.iter().any(Candidate::names_a_field);
                of_cluster.extend(seen);
                if pod.is_going() {
                    continue;
                }
                let compared = origin::of_pod(self.bundle, cluster, pod, &candidates);
                if known {
                    let mut origin = of_origin(&case, pod, &compared);
                    // A failure that the present object does not explain comes from the older one.
                    let is_stale = |one: &&mut Candidate| {
                        one.finding.cause == causes::STALE_POD.id
                            && !is_of_object
                            && compared.changes_the_command(pod)
                    };
                    if let Some(one) = origin.as_mut().filter(is_stale) {
                        one.weight = OF_AN_OLDER_OBJECT;
                    }
                    of_cluster.extend(origin);
                    report.pods.push(compared.report);
                }
            }
            yield_to_head(&mut of_cluster, cluster);
            found.extend(of_cluster);
        }
        let whole = case(subject.clusters.first());
        found.extend(refused::of(&whole, self.facts, self.bundle));
        for object in subject.everything() {
            match text(&object["kind"]) {
                "RayJob" => found.extend(symptoms::of_job(&whole, object)),
                "RayService" => found.extend(symptoms::of_service(&whole, object)),
                _ => {}
            }
        }
        let is_well = is_well(subject);
        found.extend(certain(&whole, subject));
        if is_well && subject.kind() == "RayJob" {
            found.extend(symptoms::after_success(&whole));
        }
        let problems = found
            .iter()
            .any(|one| one.finding.severity == Severity::Error);
        if !is_well && !problems {
            let open = self.open(subject);
            let is_unknown = |one: &Candidate| one.finding.cause == causes::UNKNOWN.id;
            if open.iter().any(is_unknown) {
                found.extend(possible(&whole));
            }
            found.extend(open);
        }
        report.findings = ranked(found);
        let has = |severity| report.findings.iter().any(|one| one.severity == severity);
        report.state = if has(Severity::Error) {
            ObjectState::Broken
        } else if is_well {
            ObjectState::Healthy
        } else {
            ObjectState::Progressing
        };
        report
    }

    /// Returns the awaited condition, or a finding that nothing explains the delay.
    fn open(&self, subject: &Subject) -> Vec<Candidate> {
        let now = self.bundle.taken_at;
        let pods = subject.clusters.iter().flat_map(|one| &one.pods);
        let pods: Vec<&PodView> = pods.chain(&subject.submitters).collect();
        let waiting: Vec<&&PodView> = pods.iter().filter(|pod| !pod.is_well()).collect();
        // Workers wait for a head, and a head that has just become ready starts their time anew.
        let heads = pods.iter().filter(|pod| pod.is_head());
        let of_heads = heads.map(|head| match head.condition("Ready") {
            Some(ready) if head.is_well() => view::time(&ready["lastTransitionTime"])
                .map_or(head.age(now), |since| now.duration_since(since)),
            _ => head.age(now),
        });
        let since = waiting.iter().map(|pod| pod.age(now)).max();
        let since = since.into_iter().chain(of_heads).min();
        let created = view::time(&subject.value["metadata"]["creationTimestamp"]);
        let since = since.or(created.map(|created| now.duration_since(created)));
        let late = since.is_some_and(|since| since > PATIENT)
            && !(pods.is_empty()
                && facts::is_awaited(subject.namespace(), self.facts, self.bundle));
        let cause = if late {
            &causes::UNKNOWN
        } else {
            &causes::STARTING
        };
        let mut one = Candidate::of(cause, 1);
        if !late {
            one = one.rated(Severity::Note);
        }
        for pod in waiting.iter().take(3) {
            let line = format!("Pod {} {}", pod.name(), symptoms::doing(pod));
            one = one.proven(ProofKind::Status, &line);
        }
        if waiting.is_empty() {
            let state = ["state", "jobDeploymentStatus", "serviceStatus"];
            let status = &subject.value["status"];
            let state = state.iter().find_map(|name| status[*name].as_str());
            let line = format!("the operator reports {}", state.unwrap_or("no state"));
            one = one.proven(ProofKind::Status, &line);
        }
        vec![one]
    }
}

/// The weight of a stale Pod that fails because of its older object: more than any symptom.
const OF_AN_OLDER_OBJECT: u32 = 97;

/// A worker that can't reach a head that is broken is no cause of its own.
fn yield_to_head(found: &mut [Candidate], cluster: &Cluster) {
    let heads: Vec<&str> = cluster
        .pods
        .iter()
        .filter(|pod| pod.is_head())
        .map(PodView::name)
        .collect();
    let of_head = |one: &Candidate| {
        one.finding.severity == Severity::Error
            && one
                .finding
                .pod
                .as_deref()
                .is_some_and(|pod| heads.contains(&pod))
    };
    if !found.iter().any(of_head) {
        return;
    }
    let following = [
        causes::WAITS_FOR_HEAD.id,
        causes::HEAD_UNREACHABLE.id,
        causes::GCS_UNREACHABLE.id,
        causes::HEAD_NAME.id,
        causes::SUBMITTER_WAITS.id,
    ];
    for one in found {
        if following.contains(&one.finding.cause.as_str()) {
            one.weight = one.weight.min(3);
        }
    }
}

/// Returns the causes that the origin of a Pod explains.
fn of_origin(case: &Case, pod: &PodView, compared: &origin::Compared) -> Option<Candidate> {
    let well = pod.is_well();
    let report = &compared.report;
    let lines = |mut one: Candidate| {
        for line in report.differences.iter().take(2) {
            one = one.proven(ProofKind::Field, line);
        }
        for line in &report.writers {
            one = one.proven(ProofKind::Field, line);
        }
        one.at(pod, "")
    };
    match report.origin {
        PodOrigin::OlderSpec => {
            let owned = case.subject.kind() == "RayCluster";
            let operation = json!({"op": "add", "path": "/spec/upgradeStrategy",
                "value": {"type": "Recreate"}});
            let can = owned && *case.release >= Version::new(1, 6, 0);
            let patch = can.then(|| patch::whole(case.subject.value, operation));
            let weight = if well { 35 } else { 76 };
            Some(lines(Candidate::of(&causes::STALE_POD, weight)).patched(patch))
        }
        PodOrigin::AnotherWriter => {
            let weight = match (well, compared.changes_the_command(pod)) {
                (false, true) => 91,
                (false, false) => 48,
                (true, _) => 30,
            };
            // Whether a Pod fails for another probe or less memory, its own symptoms show.
            let severity = if well || !compared.changes_what_runs() {
                Severity::Warning
            } else {
                Severity::Error
            };
            Some(lines(Candidate::of(&causes::ANOTHER_WRITER, weight)).rated(severity))
        }
        _ => None,
    }
}

/// Whether nothing of an object whose Pods are ready can be a trap that shows: it has no command of
/// its own, its groups differ in their names, and a RayService serves. A RayJob can lack a command.
fn has_no_trap_that_counts(subject: &Subject) -> bool {
    let has_other_traps = match subject.kind() {
        "RayJob" => true,
        "RayService" => text(&subject.value["status"]["serviceStatus"]) != "Running",
        _ => false,
    };
    let repeats_a_name = subject.clusters.iter().any(Cluster::repeats_a_name);
    !has_other_traps && !repeats_a_name && !has_command(subject.value)
}

/// Whether an object holds a text that a shell reads.
fn has_command(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            [
                "command",
                "args",
                "entrypoint",
                "ray.io/overwrite-container-cmd",
            ]
            .contains(&name.as_str())
                || has_command(value)
        }),
        Value::Array(items) => items.iter().any(has_command),
        _ => false,
    }
}

/// The traps and refusals of an object on a release.
fn traps(
    object: &Value,
    release: &Version,
    settings: &EffectiveSettings,
) -> Vec<check::CheckFinding> {
    let mut plain = object.clone();
    if let Some(fields) = plain.as_object_mut()
        && object["kind"] == "RayCluster"
    {
        fields.remove("status");
    }
    let source = Source::new(Path::new("object.json"), &plain.to_string());
    let options = check::Options {
        releases: vec![release.clone()],
        settings: settings.clone(),
        validation: FieldValidation::Ignore,
        ..check::Options::default()
    };
    let report = check::check(&[source], &options);
    report.map(|report| report.findings).unwrap_or_default()
}

/// Traps that no symptom proves, where nothing else explains what is seen.
fn possible(case: &Case) -> Vec<Candidate> {
    let traps = case.traps.iter();
    traps
        .filter(|found| found.severity != Severity::Note)
        .map(|found| case.of_trap(found, 2).rated(Severity::Warning))
        .collect()
}

/// Traps that need no symptom.
fn certain(case: &Case, subject: &Subject) -> Vec<Candidate> {
    let running = subject
        .clusters
        .iter()
        .any(|cluster| cluster.head().is_some());
    let traps = case.traps.iter().filter(|found| {
        running && CERTAIN.contains(&found.id.as_str()) && found.severity != Severity::Note
    });
    traps
        .map(|found| {
            let severity = if found.id == "shell-without-script" {
                Severity::Error
            } else {
                Severity::Warning
            };
            case.of_trap(found, 33).rated(severity)
        })
        .collect()
}

/// Whether an object is what its user wants: its Pods are ready, it is suspended, or its job has
/// succeeded.
fn is_well(subject: &Subject) -> bool {
    let value = subject.value;
    let status = &value["status"];
    match subject.kind() {
        "RayJob" => {
            let deployment = text(&status["jobDeploymentStatus"]);
            let ended = text(&status["jobStatus"]) == "SUCCEEDED" || deployment == "Complete";
            if ended || deployment == "Suspended" || value["spec"]["suspend"] == true {
                return true;
            }
            if deployment == "Running" {
                return pods_are_well(subject);
            }
            return false;
        }
        "RayCronJob" => {
            return subject.made.is_empty() || pods_are_well(subject);
        }
        "RayService" if subject.clusters.is_empty() => return false,
        _ => {}
    }
    pods_are_well(subject)
}

fn pods_are_well(subject: &Subject) -> bool {
    subject.clusters.iter().all(|cluster| {
        cluster.is_suspended()
            || !refused::lacks_pods(cluster)
                && cluster
                    .pods
                    .iter()
                    .all(|pod| pod.is_going() || pod.is_well())
    })
}

/// Sorts candidates and numbers them; each cause comes once.
fn ranked(mut found: Vec<Candidate>) -> Vec<DoctorFinding> {
    found.sort_by_key(|one| (one.finding.severity, std::cmp::Reverse(one.weight)));
    let mut kept: Vec<Candidate> = Vec::new();
    for one in found {
        if !kept
            .iter()
            .any(|other| other.finding.cause == one.finding.cause)
        {
            kept.push(one);
        }
    }
    // What only says that something ended or waits adds nothing to a cause that says why.
    let strong = kept.iter().map(|one| one.weight).max().unwrap_or_default() >= 70;
    kept.retain(|one| {
        let vague = [
            causes::COMMAND_ENDS.id,
            causes::STARTING.id,
            causes::WAITS_FOR_HEAD.id,
        ];
        !(strong && vague.contains(&one.finding.cause.as_str()))
    });
    let numbered = kept.into_iter().enumerate().map(|(index, mut one)| {
        one.finding.rank = index + 1;
        one.finding
    });
    numbered.collect()
}

const _: () = assert!(SLOW.as_secs() < PATIENT.as_secs());

#[cfg(test)]
pub(super) mod tests;
