//! The values of one generated flag in many Pods of one specification.

use std::collections::BTreeMap;

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{flag_order, pod_title};
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Verdict, pods};
use crate::{DurationText, Role};

/// The values that one generated `ray start` flag has in many Pods of the same Pod template: each
/// of these in one Pod at least, and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagValuesCheck {
    /// Which Pods.
    pub role: Role,
    /// Name of the worker group. Default: all groups.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Minimum number of Pods to look at.
    #[schemars(range(min = 2))]
    pub pods: usize,
    /// The flag without its dashes, such as `num-gpus`.
    #[schemars(length(min = 1))]
    pub flag: String,
    /// Every value that the flag takes across these Pods.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub values: Vec<String>,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

impl CheckKind for FlagValuesCheck {
    fn kind() -> Kind {
        Kind::new("flagValues", Layer::Spec)
    }

    fn detail(&self) -> String {
        format!(
            "{} {}",
            pod_title(self.role, self.group.as_ref()),
            self.flag
        )
    }

    fn evaluate(&self, observation: &Observation, _expectations: &dyn Expectations) -> Verdict {
        evaluate(self, observation)
    }

    fn pod(&self) -> Option<(Role, Option<&str>)> {
        Some((self.role, self.group.as_deref()))
    }

    fn within(&self) -> Option<&str> {
        self.within.as_deref()
    }
}

fn evaluate(check: &FlagValuesCheck, observation: &Observation) -> Verdict {
    let all = match flag_order::enough(observation, check.role, check.group.as_deref(), check.pods)
    {
        Ok(all) => all,
        Err(waits) => return Verdict::NotYet(waits),
    };
    let who = pods::who(check.role, check.group.as_deref());
    let expected = check.values.join(", ");
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: Some(format!(
            "--{} with each of the values {expected}",
            check.flag
        )),
        found,
        ..Finding::default()
    };
    let mut values: BTreeMap<String, usize> = BTreeMap::new();
    for pod in &all {
        let start = format!("--{}=", check.flag);
        let flags = flag_order::flags(pod).unwrap_or_default();
        let Some(value) = flags
            .iter()
            .find_map(|flag| flag.trim().strip_prefix(&start))
        else {
            let args = pods::ray_container(pod).and_then(|container| container.args.clone());
            let message = format!(
                "{who} {} has no generated --{}",
                pods::name(pod),
                check.flag
            );
            return Verdict::Never(finding(
                message,
                Some(format!("{:?}", args.unwrap_or_default())),
            ));
        };
        if !check.values.iter().any(|expected| expected == value) {
            let message = format!("{who} {} has --{}={value}", pods::name(pod), check.flag);
            return Verdict::Never(finding(message, Some(value.to_owned())));
        }
        *values.entry(value.to_owned()).or_default() += 1;
    }
    let counts: Vec<String> = values
        .iter()
        .map(|(value, times)| format!("{times} times {value}"))
        .collect();
    let found = Some(counts.join("\n"));
    if let Some(never) = check
        .values
        .iter()
        .find(|value| !values.contains_key(*value))
    {
        let message = format!("none of {} Pods has --{}={never}", all.len(), check.flag);
        return Verdict::Never(finding(message, found));
    }
    let message = format!(
        "{} Pods have --{} with each of the values",
        all.len(),
        check.flag
    );
    Verdict::Pass(finding(message, found))
}
