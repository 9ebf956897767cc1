//! A field of the status that the operator writes into a Ray object.

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::DurationText;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Verdict};

/// The status of a Ray object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusCheck {
    /// Kind of the object.
    pub kind: StatusOf,
    /// Name of the object, where there are several of the kind; any when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Field below `status`, with dots for fields of fields, such as `state` or
    /// `jobDeploymentStatus`.
    #[schemars(length(min = 1))]
    pub field: String,
    /// The text or number to reach.
    #[schemars(length(min = 1))]
    pub value: String,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

/// Kinds of objects whose status a check can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StatusOf {
    /// A `RayCluster`
    RayCluster,
    /// A `RayJob`
    RayJob,
}

impl StatusOf {
    fn word(self) -> &'static str {
        match self {
            Self::RayCluster => "RayCluster",
            Self::RayJob => "RayJob",
        }
    }
}

impl CheckKind for StatusCheck {
    fn kind() -> Kind {
        Kind::new("status", Layer::Spec)
    }

    fn detail(&self) -> String {
        let name = self.name.as_deref();
        let name = name.map_or_else(String::new, |name| format!("{name} "));
        format!("{} {name}{} {}", self.kind.word(), self.field, self.value)
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        let kind = self.kind.word();
        let objects = match self.kind {
            StatusOf::RayCluster => &observation.ray_clusters,
            StatusOf::RayJob => &observation.ray_jobs,
        };
        let name = |object: &Value| text(&object["metadata"]["name"]).unwrap_or_default();
        let mut seen = Vec::new();
        for object in objects {
            let name = name(object);
            if self.name.as_ref().is_some_and(|wanted| *wanted != name) {
                continue;
            }
            let fields = self.field.split('.');
            let found = fields.fold(&object["status"], |value, field| &value[field]);
            let found = text(found);
            if found.as_ref() == Some(&self.value) {
                let message = format!("{} of {kind} {name} is {}", self.field, self.value);
                return Verdict::Pass(self.finding(message, std::slice::from_ref(&self.value)));
            }
            seen.push(format!("{name}: {}", found.as_deref().unwrap_or("not set")));
        }
        let message = match seen.as_slice() {
            [] => format!("waits for the {kind}"),
            seen => format!(
                "waits for {} of the {kind} to be {}; {}",
                self.field,
                self.value,
                seen.join(", ")
            ),
        };
        Verdict::NotYet(self.finding(message, &seen))
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }
}

impl StatusCheck {
    fn finding(&self, message: String, found: &[String]) -> Finding {
        Finding {
            message,
            expected: Some(self.value.clone()),
            found: Some(found.join("\n")).filter(|found| !found.is_empty()),
            ..Finding::default()
        }
    }
}

/// A text, a number or a truth value as a text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::check::{Comparison, Subject};

    struct NoSnapshots;

    impl Expectations for NoSnapshots {
        fn compare(&self, _: &Subject, _: &Value) -> Comparison {
            unreachable!("a `status` check has no snapshots")
        }
    }

    fn verdict(check: Value, clusters: Vec<Value>) -> Verdict {
        let check: StatusCheck = serde_json::from_value(check).unwrap();
        let observation = Observation {
            ray_clusters: clusters,
            ..Observation::default()
        };
        check.evaluate(&observation, &NoSnapshots)
    }

    fn cluster(name: &str, status: &Value) -> Value {
        json!({"metadata": {"name": name}, "status": status})
    }

    #[rstest]
    #[case::text(json!({"field": "state", "value": "suspended"}), json!({"state": "suspended"}))]
    #[case::number(json!({"field": "desiredWorkerReplicas", "value": "2"}), json!({"desiredWorkerReplicas": 2}))]
    #[case::nested(json!({"field": "head.podName", "value": "a-head"}), json!({"head": {"podName": "a-head"}}))]
    #[case::named(json!({"field": "state", "value": "ready", "name": "a"}), json!({"state": "ready"}))]
    fn a_field_with_the_value_passes(#[case] mut check: Value, #[case] status: Value) {
        check["kind"] = "RayCluster".into();
        let verdict = verdict(check, vec![cluster("a", &status)]);
        assert!(matches!(verdict, Verdict::Pass(_)), "{verdict:?}");
    }

    #[rstest]
    #[case::no_object(json!({}), vec![], "waits for the RayCluster")]
    #[case::no_status(json!({}), vec![cluster("a", &json!(null))], "to be ready; a: not set")]
    #[case::other_value(json!({}), vec![cluster("a", &json!({"state": "failed"}))], "to be ready; a: failed")]
    #[case::words_for_a_field_without_a_value(json!({"value": "not set"}), vec![cluster("a", &json!({}))], "a: not set")]
    #[case::other_object(json!({"name": "b"}), vec![cluster("a", &json!({"state": "ready"}))], "waits for the RayCluster")]
    fn anything_else_is_awaited(
        #[case] mut check: Value,
        #[case] clusters: Vec<Value>,
        #[case] message: &str,
    ) {
        for (key, value) in [
            ("kind", "RayCluster"),
            ("field", "state"),
            ("value", "ready"),
        ] {
            if check[key].is_null() {
                check[key] = value.into();
            }
        }
        match verdict(check, clusters) {
            Verdict::NotYet(finding) => {
                assert!(finding.message.contains(message), "{}", finding.message);
            }
            other => panic!("{other:?}"),
        }
    }
}
