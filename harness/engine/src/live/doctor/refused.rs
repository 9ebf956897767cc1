//! Objects of which nothing came: refusals, quotas, and operators that do not work.

use jiff::SignedDuration;
use serde_json::Value;

use super::candidate::Candidate;
use super::causes;
use super::document::{Proof, ProofKind};
use super::facts::{Facts, is_awaited};
use super::subject::{Cluster, Subject};
use super::symptoms::{Case, PATIENCE};
use super::view::{EventView, text, time};
use crate::live::bundle::Bundle;

/// Returns the causes that may explain why Pods of an object do not exist.
pub(super) fn of(case: &Case, facts: &[Facts], bundle: &Bundle) -> Vec<Candidate> {
    let subject = case.subject;
    let lacking = subject.clusters.iter().any(lacks_pods);
    let none = subject.clusters.is_empty() && awaits_cluster(subject);
    let mut found: Vec<Candidate> = Vec::new();
    for object in subject.everything() {
        let behind = is_behind(object);
        for event in case.events(text(&object["metadata"]["uid"])) {
            let stands = lacking || none || behind || about_job(&event);
            found.extend(of_event(&event).filter(|_| stands));
        }
        found.extend(of_status(object).filter(|_| lacking || none || behind));
    }
    // Without a head there is nothing; a worker that is missing may be on its way.
    let headless = subject
        .clusters
        .iter()
        .any(|one| !one.is_suspended() && one.head().is_none());
    if found.is_empty() && (headless || none || lacking) && !is_managed_elsewhere(subject.value) {
        found.extend(by_log(bundle, subject));
        found.extend(by_contract(case));
    }
    if found.is_empty() && (headless || none) && !is_managed_elsewhere(subject.value) {
        found.extend(by_operator(case, facts, bundle));
    }
    found
}

/// Whether a RayCluster has fewer Pods than it asks for.
pub(super) fn lacks_pods(cluster: &Cluster) -> bool {
    let workers = cluster
        .pods
        .iter()
        .filter(|pod| pod.is_worker() && !pod.is_going());
    let workers = i64::try_from(workers.count()).unwrap_or(i64::MAX);
    !cluster.is_suspended() && (cluster.head().is_none() || workers < cluster.wanted_workers())
}

/// Whether an object is to have a RayCluster and has none yet.
pub(super) fn awaits_cluster(subject: &Subject) -> bool {
    let spec = &subject.value["spec"];
    let status = &subject.value["status"];
    let ended = ["Complete", "Failed", "Suspended", "Retrying"];
    match subject.kind() {
        "RayService" => true,
        "RayJob" => {
            let selects = spec["clusterSelector"]
                .as_object()
                .is_some_and(|map| !map.is_empty());
            !selects
                && spec["suspend"] != true
                && !ended.contains(&text(&status["jobDeploymentStatus"]))
        }
        _ => false,
    }
}

/// Whether the operator has not taken in the last change of an object.
fn is_behind(object: &Value) -> bool {
    let generation = object["metadata"]["generation"].as_i64();
    let observed = object["status"]["observedGeneration"].as_i64();
    generation
        .zip(observed)
        .is_some_and(|(generation, observed)| observed < generation)
}

fn about_job(event: &EventView) -> bool {
    event.reason.contains("RayJob") || event.reason.contains("K8sJob")
}

fn is_managed_elsewhere(object: &Value) -> bool {
    let manager = text(&object["spec"]["managedBy"]);
    !manager.is_empty() && manager != "ray.io/kuberay-operator"
}

fn of_event(event: &EventView) -> Option<Candidate> {
    let refusal = event.reason.starts_with("Invalid");
    let creation = ["FailedToCreate", "FailedCreate", "PodReconciliationError"]
        .iter()
        .any(|reason| event.reason.starts_with(reason));
    let account = event.reason == "AutoscalerServiceAccountNotFound";
    if !(refusal || creation || account) {
        return None;
    }
    let one = if refusal || account {
        Candidate::of(&causes::REFUSED_BY_OPERATOR, 93)
    } else {
        of_message(event.message)?
    };
    let line = format!("{}: {}", event.reason, event.message);
    Some(one.proven(ProofKind::Event, &line))
}

/// Returns the cause behind an API server's refusal.
fn of_message(message: &str) -> Option<Candidate> {
    let lower = message.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if has(&["exceeded quota", "failed quota"]) {
        Some(Candidate::of(&causes::QUOTA, 94))
    } else if has(&[
        "admission webhook",
        "denied the request",
        "violates podsecurity",
        "validatingadmissionpolicy",
    ]) {
        Some(Candidate::of(&causes::REFUSED_BY_WEBHOOK, 93))
    } else if has(&[
        "is invalid",
        "invalid value",
        "required value",
        "unsupported value",
    ]) {
        Some(Candidate::of(&causes::REFUSED_POD, 92))
    } else if has(&["forbidden"]) {
        Some(Candidate::of(&causes::REFUSED_BY_WEBHOOK, 88))
    } else {
        None
    }
}

fn of_status(object: &Value) -> Option<Candidate> {
    let status = &object["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    for condition in conditions {
        let message = text(&condition["message"]);
        let reason = text(&condition["reason"]);
        let line = format!("{}: {reason}: {message}", text(&condition["type"]));
        if condition["type"] == "ReplicaFailure" && condition["status"] == "True" {
            return of_message(message).map(|one| one.proven(ProofKind::Status, &line));
        }
        if reason == "ValidationFailed" {
            let one = Candidate::of(&causes::REFUSED_BY_OPERATOR, 93);
            return Some(one.proven(ProofKind::Status, &line));
        }
    }
    if text(&status["jobDeploymentStatus"]) == "ValidationFailed" {
        let line = format!("ValidationFailed: {}", text(&status["message"]));
        let one = Candidate::of(&causes::REFUSED_BY_OPERATOR, 93);
        return Some(one.proven(ProofKind::Status, &line));
    }
    let reason = text(&status["reason"]);
    if status["state"] == "failed" && !reason.is_empty() {
        return of_message(reason).map(|one| one.proven(ProofKind::Status, reason));
    }
    None
}

/// Lines of the operator's log about an object whose events are gone.
fn by_log(bundle: &Bundle, subject: &Subject) -> Option<Candidate> {
    let operators = bundle.operators.iter().flat_map(|operator| &operator.pods);
    let names: Vec<&str> = subject
        .everything()
        .map(|object| text(&object["metadata"]["name"]))
        .filter(|name| name.len() > 1)
        .collect();
    for pod in operators {
        let meta = &pod["metadata"];
        let logs = bundle.logs.iter().filter(|log| {
            log.pod == text(&meta["name"]) && log.namespace == text(&meta["namespace"])
        });
        for line in logs.flat_map(|log| log.text.lines().rev()) {
            let is_error = line.contains("\"level\":\"error\"") || line.contains("ERROR");
            // A name in quotes or behind a slash, so that `a` is not found in every word.
            let is_about = names.iter().any(|name| {
                line.contains(&format!("\"{name}\"")) || line.contains(&format!("/{name}\""))
            });
            if !is_error || !is_about {
                continue;
            }
            let refused = [
                "Spec is invalid",
                "spec is invalid",
                "metadata is invalid",
                "nvalid",
            ];
            let one = of_message(line).filter(|_| !line.contains("Spec is invalid"));
            let one = one.or_else(|| {
                let refused = refused.iter().any(|part| line.contains(part));
                refused.then(|| Candidate::of(&causes::REFUSED_BY_OPERATOR, 90))
            });
            if let Some(one) = one {
                return Some(one.proven(ProofKind::Log, line));
            }
        }
    }
    None
}

/// Returns the contract's prediction for an object whose events are gone.
fn by_contract(case: &Case) -> Vec<Candidate> {
    let refusals = case.traps.iter().filter_map(|found| {
        let cause = match found.id.as_str() {
            "refused-by-operator" => &causes::REFUSED_BY_OPERATOR,
            "refused-at-pod-creation" => &causes::REFUSED_POD,
            _ => return None,
        };
        let line = format!("{} {}", found.path, found.message);
        Some(Candidate::of(cause, 85).proven(ProofKind::Contract, &line))
    });
    refusals.collect()
}

fn by_operator(case: &Case, facts: &[Facts], bundle: &Bundle) -> Option<Candidate> {
    let object = case.subject.value;
    let created = time(&object["metadata"]["creationTimestamp"]);
    let age = created.map_or(SignedDuration::ZERO, |created| {
        case.now().duration_since(created)
    });
    if bundle.is_unread("operators") {
        return None;
    }
    if let Some(down) = down(case.subject.namespace(), facts, bundle) {
        return Some(down);
    }
    if is_awaited(case.subject.namespace(), facts, bundle) {
        return None;
    }
    let untouched = object["status"]
        .as_object()
        .is_none_or(serde_json::Map::is_empty);
    (untouched && age > PATIENCE).then(|| {
        let line = format!("no status {} s after its creation", age.as_secs());
        Candidate::of(&causes::OPERATOR_SILENT, 40).proven(ProofKind::Status, &line)
    })
}

/// Returns the reason why no operator works on a namespace.
pub(super) fn down(namespace: &str, facts: &[Facts], bundle: &Bundle) -> Option<Candidate> {
    if facts.is_empty() {
        let line = "no Deployment has a label of KubeRay's operator";
        return Some(Candidate::of(&causes::OPERATOR_ABSENT, 90).proven(ProofKind::Status, line));
    }
    let watching = facts.iter().zip(&bundle.operators);
    let mut watching = watching
        .filter(|(one, _)| one.watches(namespace))
        .peekable();
    if watching.peek().is_none() {
        let lines = facts.iter().map(|one| {
            format!(
                "the operator {}/{} watches {}",
                one.report.namespace,
                one.report.name,
                one.report.watches.join(", ")
            )
        });
        let lines = lines.collect::<Vec<_>>().join("; ");
        let one = Candidate::of(&causes::NAMESPACE_NOT_WATCHED, 91);
        return Some(one.proven(ProofKind::Field, &lines));
    }
    let mut complaint = None;
    for (one, operator) in watching {
        let works = one.report.available && !one.is_off;
        if works || one.is_awaited(operator, bundle.taken_at) {
            return None;
        }
        complaint = complaint.or_else(|| Some(one.complaint(operator)));
    }
    let Proof { kind, text } = complaint?;
    Some(Candidate::of(&causes::OPERATOR_DOWN, 91).proven(kind, &text))
}
