//! Lines of a container's log, in order.

mod line_order;
pub(in crate::check) mod reading;

use std::collections::BTreeMap;

use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod_title;
use crate::check::cause::TerminalFailure;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{
    Expectations, LogKey, Milestone, Observation, ResourceExpectation, Verdict, pattern,
};
use crate::problems::Problems;
use crate::{DurationText, Role};

/// An ordered list of expected lines in a container's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsCheck {
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
    /// Read the log of the previous, ended instance of the container.
    #[serde(default)]
    pub previous: bool,
    /// Milestones to wait for. After the last one, the harness reads the whole log and judges it.
    /// Required for `not` lines.
    #[serde(default)]
    pub after: Vec<Milestone>,
    /// Expected lines, in order. Other lines may appear between them.
    #[schemars(length(min = 1))]
    pub lines: Vec<LineExpectation>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

/// One line of a log. Exactly one of `must`, `may`, `not` and `resources` is set.
///
/// The harness removes colour codes, then searches the whole line for the text. A text between
/// slashes is a regular expression. `<pod-ip>` stands for the Pod's address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["must"]}, {"required": ["may"]}, {"required": ["not"]}, {"required": ["resources"]}
]))]
pub struct LineExpectation {
    /// A line that must appear once, after the lines listed before it.
    #[serde(default)]
    pub must: Option<String>,
    /// A line that may appear at this point.
    #[serde(default)]
    pub may: Option<String>,
    /// A line that must not appear anywhere in the log.
    #[serde(default)]
    pub not: Option<String>,
    /// A printed `ray.cluster_resources()` dictionary that must appear at this point.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1))]
    pub resources: Option<BTreeMap<String, ResourceExpectation>>,
    /// The line may appear again, until the next listed line appears.
    #[serde(default)]
    pub repeat: bool,
}

impl CheckKind for LogsCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            knows_pods_of_jobs: true,
            follows_log: true,
            lint,
            ..Kind::new("logs", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        let mut text = pod_title(self.role, self.group.as_ref());
        if let Some(container) = &self.container {
            text.push(' ');
            text.push_str(container);
        }
        if self.previous {
            text.push_str(" previous");
        }
        text
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        reading::evaluate(
            self,
            observation,
            &mut reading::Reading::default(),
            usize::MAX,
        )
    }

    fn pod(&self) -> Option<(Role, Option<&str>)> {
        Some((self.role, self.group.as_deref()))
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn awaited(&self) -> Vec<Milestone> {
        self.after.clone()
    }

    fn needed_logs(&self, observation: &Observation) -> Vec<LogKey> {
        reading::needed(self, observation).into_iter().collect()
    }

    fn expects(&self, failure: &TerminalFailure) -> bool {
        let of_end = self.previous || self.after.contains(&Milestone::Ended);
        of_end
            && failure.cause.is_end()
            && failure.is_at(self.role, self.group.as_deref(), self.container.as_deref())
    }
}

fn lint(problems: &mut Problems<'_>, body: &Node) {
    let lines = body.get("lines").map_or(&[][..], Node::items);
    for line in lines {
        for key in ["must", "may", "not"] {
            if let Some(node) = line.get(key) {
                pattern::lint(problems, node);
            }
        }
        if let Some(repeat) = line.get("repeat")
            && line.get("must").is_none()
            && line.get("may").is_none()
        {
            problems.error(
                repeat,
                "`repeat` belongs to `must` or `may`",
                "leave it out",
            );
        }
    }
    if !lines.is_empty() && lines.iter().all(|line| line.get("may").is_some()) {
        let message = "this check passes on any log, because all of its lines are optional";
        problems.error(
            body,
            message,
            "add a line with `must`, `resources` or `not`",
        );
    }
    let has_milestone = body
        .get("after")
        .is_some_and(|after| !after.items().is_empty());
    if let Some(line) = lines.iter().find(|line| line.get("not").is_some())
        && !has_milestone
    {
        let message = "`not` needs a milestone, else it passes on a log that is still empty";
        problems.error(
            line,
            message,
            "add `after` to the `logs` check, such as `after: [rayReady]`",
        );
    }
}
