//! Pods and events as values, read without trust: a field that is absent or of another type is
//! empty.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The end of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended<'a> {
    /// Its exit code.
    pub code: i64,
    /// `Completed`, `Error`, `OOMKilled` and the like.
    pub reason: &'a str,
    /// The message that the runtime or the container left.
    pub message: &'a str,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// The phase of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerPhase<'a> {
    /// It has not been made.
    Waiting {
        /// The reason.
        reason: &'a str,
        /// The kubelet's words.
        message: &'a str,
    },
    /// It runs.
    Running,
    /// It has ended.
    Ended(Ended<'a>),
    /// The kubelet has not reported it.
    Unreported,
}

/// A container with its state.
#[derive(Debug, Clone, Copy)]
pub struct ContainerView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is an init container.
    pub init: bool,
    /// Its phase.
    pub phase: ContainerPhase<'a>,
    /// The end of its previous instance.
    pub last: Option<Ended<'a>>,
    /// Number of its restarts.
    pub restarts: i64,
    /// Whether the kubelet calls it ready.
    pub ready: bool,
    /// When the present instance began.
    pub started: Option<Timestamp>,
}

impl<'a> ContainerView<'a> {
    /// Whether nothing is to be asked about it.
    pub fn is_well(&self) -> bool {
        self.ready
            || matches!(self.phase, ContainerPhase::Ended(ended) if ended.code == 0 && self.init)
    }

    /// Returns its last end: the present one, or that before its restart.
    pub fn ended(&self) -> Option<Ended<'a>> {
        match self.phase {
            ContainerPhase::Ended(ended) => Some(ended),
            _ => self.last,
        }
    }

    /// Whether the log of [`Self::ended`] is that of the previous instance.
    pub fn log_is_previous(&self) -> bool {
        !matches!(self.phase, ContainerPhase::Ended(_))
    }
}

/// A Pod.
#[derive(Debug, Clone, Copy)]
pub struct PodView<'a> {
    /// The Pod.
    pub value: &'a Value,
}

impl<'a> PodView<'a> {
    /// Looks at a Pod.
    pub fn new(value: &'a Value) -> Self {
        Self { value }
    }

    fn meta(&self, field: &str) -> &'a str {
        text(&self.value["metadata"][field])
    }

    fn label(&self, name: &str) -> &'a str {
        text(&self.value["metadata"]["labels"][name])
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.meta("name")
    }

    /// Its namespace.
    pub fn namespace(&self) -> &'a str {
        self.meta("namespace")
    }

    /// Its uid.
    pub fn uid(&self) -> &'a str {
        self.meta("uid")
    }

    /// Its RayCluster.
    pub fn cluster(&self) -> &'a str {
        self.label("ray.io/cluster")
    }

    /// Its group.
    pub fn group(&self) -> &'a str {
        self.label("ray.io/group")
    }

    /// Whether it is a head.
    pub fn is_head(&self) -> bool {
        self.label("ray.io/node-type") == "head"
    }

    /// Whether it is a worker.
    pub fn is_worker(&self) -> bool {
        self.label("ray.io/node-type") == "worker"
    }

    /// When it was created.
    pub fn created(&self) -> Option<Timestamp> {
        time(&self.value["metadata"]["creationTimestamp"])
    }

    /// Returns the time since it was created.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        self.created()
            .map_or(SignedDuration::ZERO, |created| now.duration_since(created))
    }

    /// Whether somebody deleted it.
    pub fn is_going(&self) -> bool {
        !self.value["metadata"]["deletionTimestamp"].is_null()
    }

    /// Its phase.
    pub fn phase(&self) -> &'a str {
        text(&self.value["status"]["phase"])
    }

    /// The container that runs Ray, or the submitter.
    pub fn first(&self) -> &'a Value {
        &self.value["spec"]["containers"][0]
    }

    /// A condition of a type.
    pub fn condition(&self, kind: &str) -> Option<&'a Value> {
        let conditions = self.value["status"]["conditions"].as_array()?;
        conditions
            .iter()
            .find(|condition| condition["type"] == kind)
    }

    /// Its containers, init containers first.
    pub fn containers(&self) -> Vec<ContainerView<'a>> {
        let of = |specs: &'static str, statuses: &'static str, init| {
            let specs = self.value["spec"][specs].as_array().into_iter().flatten();
            specs.map(move |spec| {
                let statuses = self.value["status"][statuses].as_array();
                let mut statuses = statuses.into_iter().flatten();
                let status = statuses.find(|status| status["name"] == spec["name"]);
                container(text(&spec["name"]), init, status.unwrap_or(&Value::Null))
            })
        };
        of("initContainers", "initContainerStatuses", true)
            .chain(of("containers", "containerStatuses", false))
            .collect()
    }

    /// The first container.
    pub fn ray(&self) -> Option<ContainerView<'a>> {
        self.containers()
            .into_iter()
            .find(|container| !container.init)
    }

    /// Whether nothing is to be asked about it.
    pub fn is_well(&self) -> bool {
        if self.is_going() || self.phase() == "Succeeded" {
            return true;
        }
        let containers = self.containers();
        !containers.is_empty() && containers.iter().all(ContainerView::is_well)
    }
}

fn container<'a>(name: &'a str, init: bool, status: &'a Value) -> ContainerView<'a> {
    let state = &status["state"];
    let phase = if state["waiting"].is_object() {
        ContainerPhase::Waiting {
            reason: text(&state["waiting"]["reason"]),
            message: text(&state["waiting"]["message"]),
        }
    } else if state["terminated"].is_object() {
        ContainerPhase::Ended(ended(&state["terminated"]))
    } else if state["running"].is_object() {
        ContainerPhase::Running
    } else {
        ContainerPhase::Unreported
    };
    let last = &status["lastState"]["terminated"];
    ContainerView {
        name,
        init,
        phase,
        last: last.is_object().then(|| ended(last)),
        restarts: status["restartCount"].as_i64().unwrap_or_default(),
        ready: status["ready"] == true,
        started: time(&state["running"]["startedAt"]),
    }
}

fn ended(state: &Value) -> Ended<'_> {
    Ended {
        code: state["exitCode"].as_i64().unwrap_or_default(),
        reason: text(&state["reason"]),
        message: text(&state["message"]),
        started: time(&state["startedAt"]),
        finished: time(&state["finishedAt"]),
    }
}

/// A text; empty where it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A time.
pub fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// An event.
#[derive(Debug, Clone, Copy)]
pub struct EventView<'a> {
    /// Its reason, such as `FailedToCreateHeadPod`.
    pub reason: &'a str,
    /// Its message.
    pub message: &'a str,
    /// Number of its occurrences.
    pub count: i64,
}

impl<'a> EventView<'a> {
    /// Looks at an event.
    pub fn new(value: &'a Value) -> Self {
        let count = value["count"].as_i64();
        let count = count.or_else(|| value["series"]["count"].as_i64());
        Self {
            reason: text(&value["reason"]),
            message: text(&value["message"]),
            count: count.unwrap_or(1),
        }
    }
}
