//! The rules of the Common Expression Language that the definitions hold.
//!
//! There are few, so that each is matched by its text; [`evaluate`] lists them. A rule that is not
//! listed is not evaluated, and a test fails where a definition holds one.

use serde_json::Value;

use super::table::{Node, Rule};
use super::view::Path;
use super::{Refusal, api};

/// Applies the rules of a node and of everything below it.
pub(super) fn rules(node: &Node, path: &Path, value: &Value, found: &mut Vec<Refusal>) {
    for rule in node.cel.iter().filter(|rule| !rule.update) {
        if evaluate(&rule.rule, value) == Some(false) {
            found.push(broken(rule, path, value));
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = node.field(name) {
                    rules(schema, &Path::Field(path, name), value, found);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.element() {
                for (index, value) in items.iter().enumerate() {
                    rules(schema, &Path::Element(path, index), value, found);
                }
            }
        }
        _ => {}
    }
}

fn broken(rule: &Rule, path: &Path, value: &Value) -> Refusal {
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        _ => "string",
    };
    let reason = rule
        .message
        .clone()
        .unwrap_or_else(|| format!("failed rule: {}", rule.rule));
    api(path.text(), format!("Invalid value: \"{kind}\": {reason}"))
}

/// Returns whether a value keeps a rule; `None` where the rule is not known.
pub(super) fn evaluate(rule: &str, value: &Value) -> Option<bool> {
    let has = |field: &str| value.get(field).is_some();
    Some(match rule {
        "self in ['ray.io/kuberay-operator', 'kueue.x-k8s.io/multikueue']" => {
            matches!(
                value.as_str(),
                Some("ray.io/kuberay-operator" | "kueue.x-k8s.io/multikueue")
            )
        }
        "self in ['DeleteCluster', 'DeleteWorkers', 'DeleteSelf', 'DeleteNone']" => matches!(
            value.as_str(),
            Some("DeleteCluster" | "DeleteWorkers" | "DeleteSelf" | "DeleteNone")
        ),
        "!((has(self.onSuccess) || has(self.onFailure)) && has(self.deletionRules))" => {
            !((has("onSuccess") || has("onFailure")) && has("deletionRules"))
        }
        "((has(self.onSuccess) && has(self.onFailure)) || has(self.deletionRules))" => {
            has("onSuccess") && has("onFailure") || has("deletionRules")
        }
        "!(has(self.jobStatus) && has(self.jobDeploymentStatus))" => {
            !(has("jobStatus") && has("jobDeploymentStatus"))
        }
        "has(self.jobStatus) || has(self.jobDeploymentStatus)" => {
            has("jobStatus") || has("jobDeploymentStatus")
        }
        _ => return None,
    })
}
