//! Init containers: wait-gcs-ready and the user's own.

use kuberay_manifest::Severity;

use super::texts::{exit, last_line, line_with, not_found};
use super::{Candidate, Case, SILENT, job, policy};
use crate::live::doctor::causes;
use crate::live::doctor::document::ProofKind;
use crate::live::doctor::view::{ContainerPhase, ContainerView, PodView};

const WAIT: &str = "wait-gcs-ready";

/// Messages of a resolver that does not know a name.
const NO_NAME: [&str; 6] = [
    "Name or service not known",
    "Temporary failure in name resolution",
    "Domain name not found",
    "DNS resolution failed",
    "nodename nor servname",
    "No address associated with hostname",
];

pub(super) fn of(case: &Case, pod: &PodView, container: &ContainerView) -> Vec<Candidate> {
    if container.is_well() {
        return Vec::new();
    }
    if container.name == WAIT {
        return wait(case, pod, container).into_iter().collect();
    }
    let Some(end) = container.ended().filter(|end| end.code != 0) else {
        return Vec::new();
    };
    let log = case.log_of_end(pod, container);
    let (kind, code) = exit(&end);
    let cause = if end.reason == "OOMKilled" {
        &causes::OUT_OF_MEMORY
    } else {
        &causes::INIT_FAILS
    };
    vec![
        Candidate::of(cause, 88)
            .at(pod, container.name)
            .proven(kind, &code)
            .proven(ProofKind::Log, last_line(log)),
    ]
}

fn wait(case: &Case, pod: &PodView, container: &ContainerView) -> Option<Candidate> {
    let ended = container.ended().filter(|end| end.code != 0);
    let of = |cause, weight| Candidate::of(cause, weight).at(pod, container.name);
    if let Some(end) = ended.filter(|end| end.reason == "OOMKilled" || end.code == 137) {
        let (kind, code) = exit(&end);
        return Some(of(&causes::WAIT_OUT_OF_MEMORY, 92).proven(kind, &code));
    }
    let log = [
        case.log(pod, container.name),
        case.log_of_end(pod, container),
    ];
    let log = log
        .iter()
        .find(|log| !log.is_empty())
        .copied()
        .unwrap_or_default();
    // A killed child leaves the script running.
    if let Some(line) = line_with(log, &["Killed", "MemoryError", "Cannot allocate memory"]) {
        return Some(of(&causes::WAIT_OUT_OF_MEMORY, 91).proven(ProofKind::Log, line));
    }
    if let Some((_, line)) = not_found(log).filter(|(name, _)| *name == "ray") {
        return Some(of(&causes::WAIT_WITHOUT_RAY, 91).proven(ProofKind::Log, line));
    }
    if let Some(end) = ended {
        let (kind, code) = exit(&end);
        let one = of(&causes::INIT_FAILS, 60).proven(kind, &code);
        return Some(one.proven(ProofKind::Log, last_line(log)));
    }
    if container.phase != ContainerPhase::Running {
        return None;
    }
    let Some(ready) = case.head_ready() else {
        return Some(of(&causes::WAITS_FOR_HEAD, 5).rated(Severity::Note));
    };
    let blocked = policy::between(case, pod);
    if let Some(line) = line_with(log, &NO_NAME) {
        let one = match blocked {
            Some(policy) => of(&causes::NETWORK_POLICY, 89).proven(ProofKind::Field, &policy),
            None => of(&causes::HEAD_NAME, 88).proven(ProofKind::Field, &address(pod)),
        };
        return Some(one.proven(ProofKind::Log, line));
    }
    let since = container
        .started
        .map(|since| case.now().duration_since(since));
    if ready > SILENT && since.is_none_or(|since| since > SILENT) {
        let one = match blocked {
            Some(policy) => of(&causes::NETWORK_POLICY, 86).proven(ProofKind::Field, &policy),
            None => match job::disagreeing_port(case, "gcs-server")
                .or_else(|| job::trap(case, &["no-gcs-port"]))
            {
                Some(found) => case.of_trap(found, 71).at(pod, container.name),
                None => of(&causes::HEAD_UNREACHABLE, 70).proven(ProofKind::Field, &address(pod)),
            },
        };
        return Some(one.proven(ProofKind::Log, last_line(log)));
    }
    Some(of(&causes::WAITS_FOR_HEAD, 5).rated(Severity::Note))
}

/// The address that the worker asks.
fn address(pod: &PodView) -> String {
    let env = pod.first()["env"].as_array().into_iter().flatten();
    let mut names = env.filter(|variable| variable["name"] == "FQ_RAY_IP");
    let name = names.next().map(|variable| super::field(variable, "value"));
    name.map(|name| format!("FQ_RAY_IP={name}"))
        .unwrap_or_default()
}
