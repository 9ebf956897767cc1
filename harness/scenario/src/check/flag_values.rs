//! The values of one generated flag in many Pods of one specification.

use std::collections::BTreeMap;

use super::{Finding, Observation, Verdict, flag_order, pods};
use crate::FlagValuesCheck;

pub(super) fn evaluate(check: &FlagValuesCheck, observation: &Observation) -> Verdict {
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
