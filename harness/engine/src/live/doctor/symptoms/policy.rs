//! NetworkPolicies that select a Pod.

use serde_json::Value;

use super::Case;
use crate::live::doctor::view::{PodView, text, texts};

/// A policy that may keep a worker from the head or from DNS.
pub(super) fn between(case: &Case, worker: &PodView) -> Option<String> {
    let policies = &case.bundle.network_policies;
    let head = case.cluster.and_then(|cluster| cluster.head());
    let found = policies.iter().find(|policy| {
        restricts(policy, worker, "Egress")
            || head.is_some_and(|head| restricts(policy, head, "Ingress"))
    })?;
    Some(format!(
        "NetworkPolicy {}",
        text(&found["metadata"]["name"])
    ))
}

fn restricts(policy: &Value, pod: &PodView, direction: &str) -> bool {
    let spec = &policy["spec"];
    let types = texts(&spec["policyTypes"]);
    // Without types a policy is about what comes in, and about what goes out where it has rules for
    // that.
    let applies = if types.is_empty() {
        direction == "Ingress" || !spec["egress"].is_null()
    } else {
        types.contains(&direction)
    };
    text(&policy["metadata"]["namespace"]) == pod.namespace()
        && applies
        && selects(&spec["podSelector"], &pod.value["metadata"]["labels"])
}

fn selects(selector: &Value, labels: &Value) -> bool {
    let exact = selector["matchLabels"].as_object();
    let exact = exact
        .into_iter()
        .flatten()
        .all(|(name, value)| labels[name] == *value);
    let rules = selector["matchExpressions"].as_array();
    let rules = rules.into_iter().flatten().all(|rule| {
        let found = &labels[text(&rule["key"])];
        let listed = rule["values"]
            .as_array()
            .is_some_and(|values| values.contains(found));
        match text(&rule["operator"]) {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => !found.is_null(),
            "DoesNotExist" => found.is_null(),
            _ => false,
        }
    });
    exact && rules
}
