//! Which of two milestones was reached first, and how long before the other.

use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Milestone, Observation, Verdict, duration};
use crate::problems::Problems;

/// Two milestones, in the order in which they must be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReachedCheck {
    /// The milestone that must come first.
    pub first: Milestone,
    /// The milestone that must come second.
    pub then: Milestone,
    /// Minimum time between `first` and `then`, such as `5s`.
    #[serde(default)]
    pub apart: Option<DurationText>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl CheckKind for ReachedCheck {
    fn kind() -> Kind {
        Kind {
            needs_kubelet: true,
            lint,
            ..Kind::new("reached", Layer::Runtime)
        }
    }

    fn detail(&self) -> String {
        format!("{} before {}", self.first.word(), self.then.word())
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn awaited(&self) -> Vec<Milestone> {
        vec![self.first, self.then]
    }
}

fn lint(problems: &mut Problems<'_>, body: &Node) {
    problems.watched(body.get("apart"), "write at least `1s`, or leave it out");
    let text = |key: &str| body.get(key).and_then(Node::text);
    if let Some(then) = body.get("then").filter(|_| text("first") == text("then")) {
        let message = "nothing is reached before itself";
        problems.error(then, message, "name another milestone");
    }
    let apart = body.get("apart").is_some();
    let later = ["ready", "rayReady", "job"];
    let then = body
        .get("then")
        .filter(|_| text("first") == Some("running"));
    let then = then.and_then(|node| Some((node, node.text().filter(|word| later.contains(word))?)));
    if let (Some((node, then)), false) = (then, apart) {
        let message = format!("no Pod is `{then}` before it is `running`");
        problems.error(node, message, "add `apart`, or name another milestone");
    }
    for key in ["first", "then"] {
        if let Some(ended) = body.get(key).filter(|_| text(key) == Some("ended")) {
            let message = "only the log of a container has the milestone `ended`";
            problems.error(ended, message, "expect the end in a `state` check");
        }
    }
}

fn evaluate(check: &ReachedCheck, observation: &Observation) -> Verdict {
    let (first, then) = (check.first.word(), check.then.word());
    let apart = check
        .apart
        .as_deref()
        .map(|text| duration::parse("apart", text));
    let least = match apart.transpose() {
        Ok(least) => least.unwrap_or_default(),
        Err(message) => {
            return Verdict::Never(Finding {
                message,
                ..Finding::default()
            });
        }
    };
    let finding = |message: String| Finding {
        message,
        expected: Some(match &check.apart {
            Some(apart) => format!("`{first}` at least {apart} before `{then}`"),
            None => format!("`{first}` before `{then}`"),
        }),
        ..Finding::default()
    };
    let at = |milestone| observation.milestones.get(milestone).copied();
    match (at(&check.first), at(&check.then)) {
        (None, None) => Verdict::NotYet(finding(format!(
            "neither `{first}` nor `{then}` is reached"
        ))),
        (None, Some(_)) => Verdict::Never(finding(format!(
            "`{then}` was reached, and `{first}` is not"
        ))),
        (Some(_), None) => {
            Verdict::NotYet(finding(format!("`{first}` is reached; waits for `{then}`")))
        }
        (Some(one), Some(other)) => {
            let apart = other.duration_since(one);
            let seconds = apart.as_secs_f64();
            if apart.is_negative() {
                return Verdict::Never(finding(format!(
                    "`{then}` was reached {:.1} s before `{first}`",
                    -seconds
                )));
            }
            let found = finding(format!(
                "`{first}` was reached {seconds:.1} s before `{then}`"
            ));
            if apart > least || (check.apart.is_some() && apart == least) {
                Verdict::Pass(found)
            } else {
                Verdict::Never(found)
            }
        }
    }
}
