//! RayJobs and their submitters, and the applications of a RayService.

use kuberay_manifest::Severity;
use serde_json::Value;

use super::texts::{exit, last_line, line_with};
use super::{Candidate, Case, SILENT, waiting};
use crate::live::doctor::causes;
use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView, text};

/// Returns the causes that may explain the state of a RayJob.
pub(in crate::live::doctor) fn of_job(case: &Case, job: &Value) -> Vec<Candidate> {
    let mut found = Vec::new();
    for pod in &case.subject.submitters {
        if pod.is_going() {
            continue;
        }
        found.extend(waiting::of_pod(case, pod));
        for container in pod.containers() {
            found.extend(waiting::of_container(case, pod, &container));
            if !container.init {
                found.extend(of_submitter(case, pod, &container));
            }
        }
    }
    let status = &job["status"];
    let ended = text(&status["jobStatus"]);
    let deployment = text(&status["jobDeploymentStatus"]);
    let message = text(&status["message"]);
    if ended != "SUCCEEDED"
        && deployment != "Complete"
        && let Some(without_id) = trap(case, &["submitter-without-id"])
    {
        found.extend(submitted_under_another_id(case, without_id));
    }
    let failed = ["FAILED", "STOPPED"].contains(&ended);
    if failed || deployment == "Failed" {
        let line = format!("jobStatus {ended}, jobDeploymentStatus {deployment}: {message}");
        let traps: &[&str] = if message.contains("untime") && message.contains("env") {
            &["runtime-env-type", "entrypoint-runs-here"]
        } else {
            &[
                "entrypoint-runs-here",
                "entrypoint-lines",
                "entrypoint-loses-quotes",
                "submitter-args-lost",
            ]
        };
        let one = match trap(case, traps) {
            Some(found) => case.of_trap(found, 72),
            None => Candidate::of(&causes::JOB_FAILS, if failed { 70 } else { 60 }),
        };
        let reason = text(&status["reason"]);
        found.push(
            one.proven(ProofKind::Status, &line)
                .proven(ProofKind::Status, reason),
        );
    }
    found
}

/// Submitters that ended well, though the operator knows of no job that succeeded: it asks Ray for
/// an id that they did not give.
fn submitted_under_another_id(
    case: &Case,
    without_id: &crate::explain::check::CheckFinding,
) -> Vec<Candidate> {
    let mut found = Vec::new();
    for pod in &case.subject.submitters {
        for container in pod.containers().iter().filter(|one| !one.init) {
            let Some(end) = container.ended().filter(|end| end.code == 0) else {
                continue;
            };
            let (kind, code) = exit(&end);
            let line = last_line(case.log_of_end(pod, container));
            let one = case.of_trap(without_id, 84).at(pod, container.name);
            found.push(one.proven(kind, &code).proven(ProofKind::Log, line));
        }
    }
    found
}

/// The trap of the object with the first of these ids.
pub(super) fn trap<'a>(
    case: &Case<'a>,
    ids: &[&str],
) -> Option<&'a crate::explain::check::CheckFinding> {
    let traps = case.traps;
    ids.iter()
        .find_map(|id| traps.iter().find(|one| one.id == *id))
}

/// The trap of a port that Ray listens on and the head's Service calls otherwise.
pub(super) fn disagreeing_port<'a>(
    case: &Case<'a>,
    name: &str,
) -> Option<&'a crate::explain::check::CheckFinding> {
    let name = format!("`{name}`");
    let mut traps = case.traps.iter();
    traps.find(|one| one.id == "ports-disagree" && one.message.contains(&name))
}

/// Returns the causes that may explain why a submitter failed or waits.
pub(super) fn of_submitter(
    case: &Case,
    pod: &PodView,
    container: &ContainerView,
) -> Vec<Candidate> {
    let at = |one: Candidate| one.at(pod, container.name);
    if let Some(end) = container.ended().filter(|end| end.code != 0) {
        let log = case.log_of_end(pod, container);
        let (kind, code) = exit(&end);
        let line = line_with(
            log,
            &[
                "command not found",
                "No such file",
                "syntax error",
                "can't open file",
                "Error:",
            ],
        );
        let line = line.unwrap_or_else(|| last_line(log));
        let ids = [
            "entrypoint-syntax",
            "no-entrypoint",
            "entrypoint-runs-here",
            "entrypoint-lines",
            "runtime-env-type",
        ];
        let one = if end.reason == "OOMKilled" {
            Candidate::of(&causes::OUT_OF_MEMORY, 85)
        } else if let Some(found) = trap(case, &ids) {
            case.of_trap(found, 84)
        } else {
            Candidate::of(&causes::SUBMITTER_FAILS, 66)
        };
        return vec![at(one).proven(kind, &code).proven(ProofKind::Log, line)];
    }
    if container.phase != ContainerPhase::Running {
        return Vec::new();
    }
    let log = case.log(pod, container.name);
    let waits = line_with(log, &["Waiting for Ray", "Waiting for the Ray"]);
    let since = container
        .started
        .map(|since| case.now().duration_since(since));
    let head = case.head_ready().filter(|ready| *ready > SILENT);
    // In sidecar mode the submitter is a container of the head, which is not ready because of it.
    let ready = head.is_some() || pod.is_head() && pod.ray().is_some_and(|ray| ray.ready);
    match waits.filter(|_| ready && since.is_none_or(|since| since > SILENT)) {
        Some(line) => {
            let one = match disagreeing_port(case, "dashboard") {
                Some(found) => case.of_trap(found, 81),
                None => Candidate::of(&causes::SUBMITTER_WAITS, 80),
            };
            vec![at(one).proven(ProofKind::Log, line)]
        }
        None => Vec::new(),
    }
}

/// Applications of a RayService that fail, or that the operator can't reach although the head is
/// ready.
pub(in crate::live::doctor) fn of_service(case: &Case, service: &Value) -> Vec<Candidate> {
    let mut found = Vec::new();
    let status = &service["status"];
    let is_ready = case.head_ready().is_some_and(|ready| ready > SILENT);
    if is_ready
        && text(&status["serviceStatus"]) != "Running"
        && let Some(port) = trap(case, &["no-dashboard-port", "no-serve-port"])
    {
        let conditions = status["conditions"].as_array().into_iter().flatten();
        let mut conditions = conditions.filter(|one| one["type"] == "Ready");
        let why = conditions.next().map_or("", |one| text(&one["message"]));
        let line = format!("the head is ready, and the RayService is not: {why}");
        found.push(case.of_trap(port, 75).proven(ProofKind::Status, &line));
    }
    for part in ["activeServiceStatus", "pendingServiceStatus"] {
        let applications = status[part]["applicationStatuses"].as_object();
        for (name, state) in applications.into_iter().flatten() {
            let status = text(&state["status"]);
            if ["DEPLOY_FAILED", "UNHEALTHY"].contains(&status) {
                let line = format!("application {name}: {status}: {}", text(&state["message"]));
                let one = Candidate::of(&causes::SERVE_APPLICATION_FAILS, 65);
                found.push(one.proven(ProofKind::Status, &line));
            }
        }
    }
    found
}

/// A RayJob that ended well and yet did something else than it says.
pub(in crate::live::doctor) fn after_success(case: &Case) -> Option<Candidate> {
    let found = trap(case, &["entrypoint-runs-here"])?;
    Some(case.of_trap(found, 20).rated(Severity::Warning))
}
