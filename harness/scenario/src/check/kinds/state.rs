//! The state of a container: waiting, running, or terminated.

use k8s_openapi::api::core::v1::ContainerStateTerminated;
use kuberay_contract::Layer;
use kuberay_manifest::yaml::{Node, Yaml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod_title;
use crate::check::cause::TerminalFailure;
use crate::check::kind::{CheckKind, Kind};
use crate::check::pods::Missing;
use crate::check::{Expectations, Finding, Observation, Verdict, pods};
use crate::problems::Problems;
use crate::{DurationText, Role};

/// State of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateCheck {
    /// Which Pod.
    pub role: Role,
    /// Name of the worker group. Default: any group.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Name of the container. Default: the Ray container (index 0).
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// The container has ended with this exit code (now, or before its last restart).
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// The reason that the kubelet gives for that end, such as `Completed`, `Error` or `OOMKilled`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub reason: Option<String>,
    /// The container was started again at least this often.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub restarts: Option<i32>,
    /// The container waits for this reason, such as `CrashLoopBackOff` or `ImagePullBackOff`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub waiting: Option<String>,
    /// The container runs.
    #[serde(default)]
    pub running: bool,
    /// The container is ready: the kubelet's readiness probe, where there is one, has succeeded.
    #[serde(default)]
    pub ready: bool,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl CheckKind for StateCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            knows_pods_of_jobs: true,
            lint,
            ..Kind::new("state", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        pod_title(self.role, self.group.as_ref())
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn pod(&self) -> Option<(Role, Option<&str>)> {
        Some((self.role, self.group.as_deref()))
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn expects(&self, failure: &TerminalFailure) -> bool {
        let waits = self
            .waiting
            .as_deref()
            .is_some_and(|reason| failure.cause.waits(reason));
        let end = self.exit_code.is_some() || self.reason.is_some() || self.restarts.is_some();
        (waits || (failure.cause.is_end() && end))
            && failure.is_at(self.role, self.group.as_deref(), self.container.as_deref())
    }
}

fn lint(problems: &mut Problems<'_>, body: &Node) {
    for flag in ["running", "ready"]
        .into_iter()
        .filter_map(|key| body.get(key))
    {
        if flag.value == Yaml::Bool(false) {
            let message = "`false` expects nothing here, so every state passes";
            let help = "leave it out; expect the end in `exitCode`, or that it is not ready in a `never` check";
            problems.error(flag, message, help);
        }
    }
    let mut flags = ["running", "ready"]
        .into_iter()
        .filter_map(|key| body.get(key));
    let flagged = flags.any(|flag| flag.value == Yaml::Bool(true));
    let named = ["exitCode", "reason", "restarts", "waiting"];
    if !flagged && named.iter().all(|key| body.get(key).is_none()) {
        let message = "a `state` check names no state";
        let help =
            "add `exitCode`, `reason`, `restarts`, `waiting`, `running: true` or `ready: true`";
        problems.error(body, message, help);
    }
}

fn evaluate(check: &StateCheck, observation: &Observation) -> Verdict {
    let expected = words(check);
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(expected.clone()),
        found,
        ..Finding::default()
    };
    let (group, container) = (check.group.as_deref(), check.container.as_deref());
    let (pod, container) = match pods::find_container(observation, check.role, group, container) {
        Ok(found) => found,
        Err(Missing::NotYet(message)) => return Verdict::NotYet(finding(message, None)),
        Err(Missing::Never(message)) => return Verdict::Never(finding(message, None)),
    };
    let status = pods::status(pod, container);
    let found = Some(pods::state_words(status));
    let ends: Vec<_> = status.into_iter().flat_map(pods::ends).flatten().collect();
    let is_meant = |end: &&ContainerStateTerminated| {
        let reason = check.reason.is_none() || check.reason == end.reason;
        reason && check.exit_code.is_none_or(|code| code == end.exit_code)
    };
    let names_end = check.exit_code.is_some() || check.reason.is_some();
    let exited = !names_end || ends.iter().any(is_meant);
    if let (Some(other), false) = (ends.first(), exited) {
        let words = |code: Option<i32>, reason: Option<&str>| {
            let code = code.map(|code| code.to_string());
            let parts = [code, reason.map(|reason| format!("({reason})"))];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let message = format!(
            "container {container} of Pod {} exited {} instead of {}",
            pods::name(pod),
            words(
                Some(other.exit_code),
                other.reason.as_deref().filter(|_| check.reason.is_some())
            ),
            words(check.exit_code, check.reason.as_deref()),
        );
        return Verdict::Never(finding(message, found));
    }
    let restarted = check
        .restarts
        .is_none_or(|times| status.is_some_and(|status| status.restart_count >= times));
    let waits =
        check.waiting.is_none() || status.and_then(pods::waiting) == check.waiting.as_deref();
    let runs = !check.running || pods::is_running(pod, container);
    let ready = !check.ready || status.is_some_and(|status| status.ready);
    if exited && restarted && waits && runs && ready {
        let message = format!(
            "container {container} of Pod {}: {expected}",
            pods::name(pod)
        );
        return Verdict::Pass(finding(message, found));
    }
    let message = format!(
        "waits for \"{expected}\"; {}",
        pods::situation(observation, pod, container)
    );
    Verdict::NotYet(finding(message, found))
}

fn words(check: &StateCheck) -> String {
    let parts = [
        check.exit_code.map(|code| format!("exited {code}")),
        check
            .reason
            .as_ref()
            .map(|reason| format!("ended ({reason})")),
        check
            .restarts
            .map(|times| format!("restarted {times} times or more")),
        check
            .waiting
            .as_ref()
            .map(|reason| format!("waits ({reason})")),
        check.running.then(|| "runs".to_owned()),
        check.ready.then(|| "is ready".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
