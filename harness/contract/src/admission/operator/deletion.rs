//! `validateDeletionConfiguration`, and the `deletionPolicy` before it.

use std::collections::BTreeMap;

use super::settings::scales;
use crate::admission::checks::{Checks, OperatorCheck};
use crate::admission::view::View;

/// The gate that both fields need while it is off by default.
const GATE: &str = "RayJobDeletionPolicy";

/// Policies in the order in which they may delete.
const ORDER: [&str; 3] = ["DeleteWorkers", "DeleteCluster", "DeleteSelf"];

/// Checks what happens to a RayJob when it ends.
pub(super) fn check(checks: &Checks, spec: &View, prefix: &str) {
    let shutdown = spec.get("shutdownAfterJobFinishes").is_true();
    let ttl = spec.get("ttlSecondsAfterFinished");
    match ttl.number() {
        Some(seconds) if seconds < 0 => {
            let message = format!("{prefix}TTLSecondsAfterFinished must be a non-negative integer");
            checks.refuse(OperatorCheck::JobTtl, &ttl, message);
        }
        Some(seconds) if seconds > 0 && !shutdown => {
            let message = format!(
                "{prefix}a RayJob with shutdownAfterJobFinishes set to false cannot have TTLSecondsAfterFinished"
            );
            checks.refuse(OperatorCheck::JobTtl, &ttl, message);
        }
        _ => {}
    }
    let policy = spec.get("deletionPolicy");
    if policy.exists() {
        let message =
            "RayJobDeletionPolicy feature gate must be enabled to use the DeletionPolicy feature";
        checks.refuse_without(GATE, OperatorCheck::DeletionPolicy, &policy, message);
    }
    let strategy = spec.get("deletionStrategy");
    if !strategy.exists() {
        return;
    }
    let message = "RayJobDeletionPolicy feature gate must be enabled to use DeletionStrategy";
    checks.refuse_without(
        GATE,
        OperatorCheck::DeletionStrategyGate,
        &strategy,
        message,
    );
    let refuse =
        |at: &View, reason: String| checks.refuse(OperatorCheck::DeletionStrategy, at, reason);

    let legacy = ["onSuccess", "onFailure"].map(|field| strategy.get(field));
    let rules = strategy.get("deletionRules");
    let has_legacy = legacy.iter().any(View::exists);
    let has_rules = rules.len() > 0;
    if has_rules && shutdown {
        refuse(
            &rules,
            format!(
                "{prefix}spec.shutdownAfterJobFinishes and spec.deletionStrategy.deletionRules are mutually exclusive"
            ),
        );
    } else if has_rules && has_legacy {
        refuse(
            &rules,
            format!(
                "{prefix}Cannot use both legacy onSuccess/onFailure fields and deletionRules simultaneously"
            ),
        );
    } else if has_legacy {
        if let Some(reason) = of_legacy(spec, &legacy, shutdown, prefix) {
            refuse(&strategy, reason);
        }
    } else if has_rules {
        of_rules(spec, &rules, &refuse);
    } else {
        refuse(
            &strategy,
            format!(
                "{prefix}DeletionStrategy requires either BOTH onSuccess and onFailure, OR the deletionRules field \
                 (cannot be empty)"
            ),
        );
    }
}

fn of_legacy(spec: &View, legacy: &[View; 2], shutdown: bool, prefix: &str) -> Option<String> {
    if !legacy.iter().all(View::exists) {
        return Some(
            "both DeletionStrategy.OnSuccess and DeletionStrategy.OnFailure must be set when using the legacy \
             deletion policy fields of DeletionStrategy"
                .into(),
        );
    }
    let policies = legacy.each_ref().map(|part| part.get("policy").text());
    for (policy, name) in policies.iter().zip(["OnSuccess", "OnFailure"]) {
        if policy.is_empty() {
            return Some(format!(
                "the DeletionPolicyType field of DeletionStrategy.{name} cannot be unset when DeletionStrategy is \
                 enabled"
            ));
        }
    }
    if spec.get("clusterSelector").len() > 0 {
        for (policy, when) in policies.iter().zip(["success", "failure"]) {
            if ORDER[..2].contains(policy) {
                return Some(format!(
                    "the ClusterSelector mode doesn't support DeletionStrategy={policy} on {when}"
                ));
            }
        }
    }
    if policies.contains(&"DeleteWorkers") && scales(&spec.get("rayClusterSpec")) {
        return Some(
            "DeletionStrategy=DeleteWorkers currently does not support RayCluster with autoscaling enabled".into(),
        );
    }
    (shutdown && policies.contains(&"DeleteNone")).then(|| {
        format!(
            "{prefix}shutdownAfterJobFinshes is set to 'true' while deletion policy is 'DeleteNone'"
        )
    })
}

fn of_rules(spec: &View, rules: &View, refuse: &dyn Fn(&View, String)) {
    let selects = spec.get("clusterSelector").len() > 0;
    let scales = scales(&spec.get("rayClusterSpec"));
    let mut seconds: BTreeMap<(&str, &str), BTreeMap<&str, i64>> = BTreeMap::new();
    for (index, rule) in rules.items().iter().enumerate() {
        let policy = rule.get("policy").text();
        let condition = rule.get("condition");
        let [job, deployment] =
            ["jobStatus", "jobDeploymentStatus"].map(|name| condition.get(name));
        let ttl = condition.get("ttlSeconds").number().unwrap_or_default();
        let (kind, status) = if job.exists() {
            ("JobStatus", job.text())
        } else {
            ("JobDeploymentStatus", deployment.text())
        };
        let known = seconds.entry((kind, status)).or_default();
        let reason = if job.exists() && deployment.exists() {
            "cannot set both JobStatus and JobDeploymentStatus at the same time".into()
        } else if !job.exists() && !deployment.exists() {
            "exactly one of JobStatus and JobDeploymentStatus must be set".into()
        } else if ttl < 0 {
            "TTLSeconds must be non-negative".into()
        } else if selects && ORDER[..2].contains(&policy) {
            format!("DeletionPolicyType '{policy}' not supported when ClusterSelector is set")
        } else if scales && policy == "DeleteWorkers" {
            "DeletionPolicyType 'DeleteWorkers' not supported with autoscaling enabled".into()
        } else if known.contains_key(policy) {
            format!("duplicate rule for DeletionPolicyType '{policy}' and {kind} '{status}'")
        } else {
            known.insert(policy, ttl);
            continue;
        };
        refuse(rule, format!("deletionRules[{index}]: {reason}"));
    }
    for ((kind, status), policies) in seconds {
        let present = ORDER
            .iter()
            .filter_map(|policy| Some((*policy, *policies.get(policy)?)));
        let present: Vec<(&str, i64)> = present.collect();
        for pair in present.windows(2) {
            let [(before, first), (after, then)] = pair else {
                continue;
            };
            if then < first {
                let reason = format!(
                    "for {kind} '{status}': {after} TTL ({then}) must be >= {before} TTL ({first})"
                );
                refuse(rules, reason);
            }
        }
    }
}
