//! What a scenario may check: the types of each entry of `spec.checks`.

use std::collections::BTreeMap;

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AbsentCheck, FlagOrderCheck, FlagValuesCheck, Length, PodCheck, Role};

/// One expectation about the cluster's state; each entry of `checks` has exactly one of these keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// Fields of a Ray Pod against snapshots.
    Pod(PodCheck),
    /// The order of the generated `ray start` flags in many Pods of one specification.
    FlagOrder(FlagOrderCheck),
    /// The values of one generated `ray start` flag in many Pods of one specification.
    FlagValues(FlagValuesCheck),
    /// A Pod that must not exist during a time after another was made.
    Absent(AbsentCheck),
    /// Ray itself answers: the dashboard lists the expected number of nodes, all alive.
    Ray(RayCheck),
    /// Lines of a container's log, in order.
    Logs(LogsCheck),
    /// A job in the dashboard's list.
    Job(JobCheck),
    /// The state of a container: waiting, running, or terminated.
    State(StateCheck),
    /// Something that must not happen during a time after a milestone.
    Never(NeverCheck),
    /// Which of two milestones was reached first.
    Reached(ReachedCheck),
    /// An event of the namespace.
    Event(EventCheck),
    /// The API server or the operator refuses the objects.
    Rejected(RejectedCheck),
}

/// Ray readiness, as Ray itself reports it (a Pod can be Ready long before).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RayCheck {
    /// Nodes that must be alive, the head included.
    #[schemars(range(min = 1))]
    pub nodes: usize,
    /// The totals of all nodes' resources together, such as `{CPU: 2, memory: 4Gi}`; others may be there, too.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1))]
    pub resources: BTreeMap<String, ResourceExpectation>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// A point in the life of a case that must have been reached before something is judged.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Milestone {
    /// The head Pod's Ray container runs.
    Running,
    /// The head Pod is Ready; with a `postStart` hook, that hook has then ended.
    Ready,
    /// Every `ray` check has passed; without one, the dashboard answers and lists an alive head.
    RayReady,
    /// Every `job` check has passed.
    Job,
    /// The container whose log it is has ended; the log is then that of the instance that ended last, to its last line.
    /// Only a `logs` check has it.
    Ended,
}

impl Milestone {
    /// The milestone as scenario files write it.
    pub fn word(self) -> &'static str {
        match self {
            Milestone::Running => "running",
            Milestone::Ready => "ready",
            Milestone::RayReady => "rayReady",
            Milestone::Job => "job",
            Milestone::Ended => "ended",
        }
    }
}

/// An ordered list of expectations about one source's lines in a container's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Container; the Ray container (index 0) when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// Read the log of the previous, ended instance of the container.
    #[serde(default)]
    pub previous: bool,
    /// Judge only a log that was read whole after all of these were reached; `not` lines need at least one.
    #[serde(default)]
    pub after: Vec<Milestone>,
    /// Lines in the order in which this source writes them; lines of other sources may stand between.
    #[schemars(length(min = 1))]
    pub lines: Vec<LineExpectation>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// One line of a log. Exactly one of `must`, `may`, `not` and `resources` is set.
///
/// A text is looked for anywhere in the line, after colour codes were removed; between slashes it is a regular
/// expression. `<pod-ip>` stands for the Pod's address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["must"]}, {"required": ["may"]}, {"required": ["not"]}, {"required": ["resources"]}
]))]
pub struct LineExpectation {
    /// A line that must come, once, after the lines before it in the list.
    #[serde(default)]
    pub must: Option<String>,
    /// A line that may come here.
    #[serde(default)]
    pub may: Option<String>,
    /// A line that must not come anywhere in the log.
    #[serde(default)]
    pub not: Option<String>,
    /// A printed `ray.cluster_resources()` dictionary that must come here.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1))]
    pub resources: Option<BTreeMap<String, ResourceExpectation>>,
    /// The line may come more than once in a row of matches.
    #[serde(default)]
    pub repeat: bool,
}

/// What a resource in Ray's dictionary must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ResourceExpectation {
    /// This number.
    Number(f64),
    /// `present` (any number above zero), or a Kubernetes quantity such as `2Gi`.
    #[schemars(extend(
        "pattern" = "^(present|[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$",
        "patternErrorMessage" = "a resource is a number, `present`, or a Kubernetes quantity such as `2Gi`"
    ))]
    Text(String),
}

/// A job in the dashboard's `/api/jobs/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobCheck {
    /// The whole entrypoint, byte for byte.
    #[schemars(length(min = 1))]
    pub entrypoint: String,
    /// The status to reach, such as `SUCCEEDED`.
    #[schemars(extend("enum" = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]))]
    pub status: String,
    /// How many jobs the dashboard lists in all; 1 when absent.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub count: usize,
    /// The Pod on whose Ray node it ran; the head's when absent.
    #[serde(default)]
    pub node: Option<PodOf>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

fn one() -> usize {
    1
}

/// State of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateCheck {
    /// Which Pod.
    pub role: Role,
    /// Worker group, where there are several; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Container; the Ray container (index 0) when absent.
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
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// What must not happen: exactly one of `restarts` and `ready`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["restarts"]}, {"required": ["ready"]}]))]
pub struct NeverCheck {
    /// How long it is watched, such as `10s`.
    #[serde(rename = "for")]
    pub duration: Length,
    /// Watching starts when this was reached.
    pub after: Milestone,
    /// No container of this Pod restarts and the Pod is not replaced.
    #[serde(default)]
    pub restarts: Option<PodOf>,
    /// This Pod is not ready, and not replaced.
    #[serde(default)]
    pub ready: Option<PodOf>,
}

/// Names a Pod by its role and, where there are several, its worker group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodOf {
    /// Which Pod.
    pub role: Role,
    /// Worker group; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
}

/// Two milestones, in the order in which they must be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReachedCheck {
    /// What must be reached before the other.
    pub first: Milestone,
    /// What must be reached after it.
    pub then: Milestone,
    /// How long after it at least, such as `5s`.
    #[serde(default)]
    pub apart: Option<Length>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// An event about any object of the namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventCheck {
    /// Equal to the event's reason.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Contained in its message, where given.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub message: Option<String>,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectedCheck {
    /// Who refuses.
    pub by: RejectedBy,
    /// Contained in the reason that is given.
    #[schemars(length(min = 1))]
    pub message: String,
    /// How long after the objects were applied it may take at most, such as `90s`; as long as all checks may when absent.
    #[serde(default)]
    pub within: Option<Length>,
}

/// Who refuses an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RejectedBy {
    /// The API server, at creation.
    Api,
    /// The operator, by an event or a condition.
    Operator,
}

/// Kinds of checks that need a running container, and so a kubelet.
pub(super) const NEED_KUBELET: [&str; 6] = ["ray", "logs", "job", "state", "never", "reached"];

impl Check {
    /// Whether the check needs a kubelet, because it judges a running container.
    pub fn needs_kubelet(&self) -> bool {
        NEED_KUBELET.contains(&self.kind())
    }

    /// The layer of a rule that the check helps to prove: what an object says, or what comes of it.
    pub fn layer(&self) -> Layer {
        match self {
            Check::Pod(_)
            | Check::FlagOrder(_)
            | Check::FlagValues(_)
            | Check::Absent(_)
            | Check::Rejected(_) => Layer::Spec,
            Check::Ray(_)
            | Check::Logs(_)
            | Check::Job(_)
            | Check::State(_)
            | Check::Never(_)
            | Check::Reached(_)
            | Check::Event(_) => Layer::Runtime,
        }
    }

    /// The role and the worker group of the Pod that the check looks at, where it looks at one.
    pub fn pod(&self) -> Option<(Role, Option<&str>)> {
        let (role, group) = match self {
            Check::Pod(check) => (check.role, &check.group),
            Check::FlagOrder(check) => (check.role, &check.group),
            Check::FlagValues(check) => (check.role, &check.group),
            Check::Logs(check) => (check.role, &check.group),
            Check::State(check) => (check.role, &check.group),
            _ => return None,
        };
        Some((role, group.as_deref()))
    }

    /// `within`, where the check has a limit of its own beside the time that it names.
    pub fn within(&self) -> Option<&str> {
        match self {
            Check::Pod(check) => check.within.as_deref(),
            Check::FlagOrder(check) => check.within.as_deref(),
            Check::FlagValues(check) => check.within.as_deref(),
            Check::Ray(check) => check.within.as_deref(),
            Check::Logs(check) => check.within.as_deref(),
            Check::Job(check) => check.within.as_deref(),
            Check::State(check) => check.within.as_deref(),
            Check::Reached(check) => check.within.as_deref(),
            Check::Event(check) => check.within.as_deref(),
            Check::Rejected(check) => check.within.as_deref(),
            Check::Absent(_) | Check::Never(_) => None,
        }
    }

    /// The key that the check has in the scenario file.
    pub fn kind(&self) -> &'static str {
        match self {
            Check::Pod(_) => "pod",
            Check::FlagOrder(_) => "flagOrder",
            Check::FlagValues(_) => "flagValues",
            Check::Absent(_) => "absent",
            Check::Ray(_) => "ray",
            Check::Logs(_) => "logs",
            Check::Job(_) => "job",
            Check::State(_) => "state",
            Check::Never(_) => "never",
            Check::Reached(_) => "reached",
            Check::Event(_) => "event",
            Check::Rejected(_) => "rejected",
        }
    }
}
