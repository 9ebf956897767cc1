//! An event of the namespace.

use k8s_openapi::api::core::v1::Event;
use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;
use crate::check::cause::TerminalFailure;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Verdict, pods};
use crate::problems::Problems;

/// Reasons of events of every Pod that starts, from the operator, the scheduler and the kubelet.
const OF_EVERY_POD: [&str; 4] = ["Created", "Scheduled", "Started", "Pulled"];

/// An event about any object of the namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventCheck {
    /// The event's reason, as an exact match.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Text that the event's message contains. Default: any message.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub message: Option<String>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl CheckKind for EventCheck {
    fn kind() -> Kind {
        Kind {
            lint,
            ..Kind::new("event", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        self.reason.clone()
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn expects(&self, failure: &TerminalFailure) -> bool {
        failure
            .cause
            .event_reasons()
            .contains(&self.reason.as_str())
    }
}

fn lint(problems: &mut Problems<'_>, body: &Node) {
    let reason = body
        .get("reason")
        .and_then(|node| Some((node, node.text()?)));
    let usual = reason.filter(|(_, text)| OF_EVERY_POD.contains(text));
    if let (Some((node, text)), None) = (usual, body.get("message")) {
        let message = format!("every Pod that starts has the event `{text}`");
        problems.error(
            node,
            message,
            "add `message` with a part of the one that is meant",
        );
    }
}

fn evaluate(check: &EventCheck, observation: &Observation) -> Verdict {
    let part = check.message.as_deref().unwrap_or_default();
    let expected = match &check.message {
        Some(message) => format!("{} with \"{message}\"", check.reason),
        None => check.reason.clone(),
    };
    let same_reason = || {
        observation
            .events
            .iter()
            .filter(|event| event.reason.as_ref() == Some(&check.reason))
    };
    let holds =
        same_reason().find(|event| event.message.as_deref().unwrap_or_default().contains(part));
    let seen = match holds {
        Some(event) => vec![event],
        None if same_reason().next().is_some() => last(same_reason()),
        None => last(observation.events.iter()),
    };
    let found: Vec<String> = seen
        .iter()
        .map(|event| format!("{} {}", pods::object(event), pods::sentence(event)))
        .collect();
    let message = match (holds, found.len()) {
        (Some(event), _) => format!("{} has the event {expected}", pods::object(event)),
        (None, 0) => format!("waits for the event {expected}; there is no event yet"),
        (None, _) => format!("waits for the event {expected}"),
    };
    let found = (!found.is_empty()).then(|| found.join("\n"));
    let finding = Finding {
        message,
        expected: Some(expected),
        found,
        ..Finding::default()
    };
    if holds.is_some() {
        Verdict::Pass(finding)
    } else {
        Verdict::NotYet(finding)
    }
}

fn last<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<&'a Event> {
    let all: Vec<&Event> = events.collect();
    all[all.len().saturating_sub(5)..].to_vec()
}
