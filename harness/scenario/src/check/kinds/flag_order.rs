//! The order of generated flags in many Pods of one specification.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kuberay_contract::{Layer, flags_of_args};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod_title;
use crate::check::kind::{CheckKind, Kind};
use crate::check::{Expectations, Finding, Observation, Verdict, pods};
use crate::{DurationText, Role};

/// The order of the generated `ray start` flags in many Pods of the same Pod template. In all of
/// them the flags themselves must be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagOrderCheck {
    /// Which Pods.
    pub role: Role,
    /// Name of the worker group. Default: all groups.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
    /// Minimum number of Pods to compare.
    #[schemars(range(min = 2))]
    pub pods: usize,
    /// Expected number of different orders.
    pub orders: Orders,
    /// Time limit for this check, from when the harness applies the objects, such as `90s`.
    /// Default: the scenario's `timeout`.
    #[serde(default)]
    pub within: Option<DurationText>,
}

/// How many orders of flags there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Orders {
    /// The same in every Pod.
    One,
    /// More than one.
    Several,
}

impl CheckKind for FlagOrderCheck {
    fn kind() -> Kind {
        Kind::new("flagOrder", Layer::Spec)
    }

    fn detail(&self) -> String {
        pod_title(self.role, self.group.as_ref())
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

fn evaluate(check: &FlagOrderCheck, observation: &Observation) -> Verdict {
    let group = check.group.as_deref();
    let who = pods::who(check.role, group);
    let many = who.replacen("Pod", "Pods", 1);
    let expected = Some(match check.orders {
        Orders::One => "one order of flags".to_owned(),
        Orders::Several => "more than one order of flags".to_owned(),
    });
    let all = match enough(observation, check.role, group, check.pods) {
        Ok(all) => all,
        Err(waits) => return Verdict::NotYet(Finding { expected, ..waits }),
    };
    let never = |message: String, found: String| {
        Verdict::Never(Finding {
            message,
            expected: expected.clone(),
            found: Some(found),
            ..Finding::default()
        })
    };
    let mut orders: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let mut of_the_first: Option<Vec<&str>> = None;
    for pod in &all {
        let Some(flags) = flags(pod) else {
            let args = pods::ray_container(pod).and_then(|container| container.args.clone());
            let message = format!(
                "{who} {} has no generated `ray start` in its args",
                pods::name(pod)
            );
            return never(message, format!("{:?}", args.unwrap_or_default()));
        };
        let mut sorted = flags.clone();
        sorted.sort_unstable();
        let first = of_the_first.get_or_insert_with(|| sorted.clone());
        if *first != sorted {
            let message = format!(
                "{who} {} has other flags than {}",
                pods::name(pod),
                pods::name(all[0])
            );
            return never(
                message,
                format!("{}\n{}", first.join(" "), sorted.join(" ")),
            );
        }
        *orders.entry(flags).or_default() += 1;
    }
    let found: Vec<String> = orders
        .iter()
        .map(|(flags, times)| format!("{times} times {}", flags.join(" ")))
        .collect();
    let message = format!(
        "{} {many} have {} order(s) of the same flags",
        all.len(),
        orders.len()
    );
    let holds = match check.orders {
        Orders::One => orders.len() == 1,
        Orders::Several => orders.len() > 1,
    };
    if holds {
        Verdict::Pass(Finding {
            message,
            expected,
            found: Some(found.join("\n")),
            ..Finding::default()
        })
    } else {
        never(message, found.join("\n"))
    }
}

/// The Pods of a specification, once there are so many; until then, what is awaited.
pub(super) fn enough<'a>(
    observation: &'a Observation,
    role: Role,
    group: Option<&str>,
    wanted: usize,
) -> Result<Vec<&'a Pod>, Finding> {
    let all = pods::all(observation, role, group);
    if all.len() >= wanted {
        return Ok(all);
    }
    let many = pods::who(role, group).replacen("Pod", "Pods", 1);
    Err(Finding {
        message: match all.len() {
            0 => pods::absent(observation, role, group),
            seen => format!("{seen} of {wanted} {many} exist"),
        },
        ..Finding::default()
    })
}

/// The generated flags of a Pod's Ray container, in their order.
pub(super) fn flags(pod: &Pod) -> Option<Vec<&str>> {
    match pods::ray_container(pod)?.args.as_deref()? {
        [only] => flags_of_args(only),
        _ => None,
    }
}
