//! A refusal, by the API server or the operator.

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;
use crate::check::cause::{Cause, TerminalFailure};
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Rejection, Verdict, operator_refusals};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectedCheck {
    /// Who refuses.
    pub by: RejectedBy,
    /// Text that the error message contains.
    #[schemars(length(min = 1))]
    pub message: String,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
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

impl CheckKind for RejectedCheck {
    fn kind() -> Kind {
        Kind::new("rejected", Layer::Spec)
    }

    fn detail(&self) -> String {
        self.message.clone()
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }

    fn expects(&self, failure: &TerminalFailure) -> bool {
        match (self.by, &failure.cause) {
            (RejectedBy::Api, Cause::Api(refusal)) => refusal.contains(&self.message),
            (RejectedBy::Operator, Cause::Operator(_)) => true,
            _ => false,
        }
    }
}

fn evaluate(check: &RejectedCheck, observation: &Observation) -> Verdict {
    let (who, refusals) = match check.by {
        RejectedBy::Api => {
            let refusals = observation.rejections.iter().map(Rejection::sentence);
            ("the API server", refusals.collect())
        }
        RejectedBy::Operator => ("the operator", operator_refusals(observation)),
    };
    let expected = Some(check.message.clone());
    if let Some(refusal) = refusals
        .iter()
        .find(|refusal| refusal.contains(&check.message))
    {
        let message = format!("{who} refused, with the reason that is expected");
        return Verdict::Pass(Finding {
            message,
            expected,
            found: Some(refusal.clone()),
            ..Finding::default()
        });
    }
    let found = (!refusals.is_empty()).then(|| refusals.join("\n"));
    // An object is sent once, so the API server's answer stays.
    if check.by == RejectedBy::Api && found.is_some() {
        let message = format!(
            "{who} refused for another reason than \"{}\"",
            check.message
        );
        return Verdict::Never(Finding {
            message,
            expected,
            found,
            ..Finding::default()
        });
    }
    let message = format!("waits for {who} to refuse with \"{}\"", check.message);
    Verdict::NotYet(Finding {
        message,
        expected,
        found,
        ..Finding::default()
    })
}
