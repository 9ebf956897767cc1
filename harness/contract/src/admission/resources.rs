//! Refusals by the API server of a container's resources (`ValidateContainerResources`).

use serde_json::Value;

use super::metadata::qualified_name;
use super::view::View;
use super::{Reach, Refusal, refused};
use crate::Quantity;

/// Finds what is refused of the resources of one container.
pub(super) fn check(resources: &View, reach: Reach, found: &mut Vec<Refusal>) {
    names(resources, reach, found);
    for (name, request) in resources.get("requests").entries() {
        let limit = resources.get("limits").get(name);
        if let (Some(wanted), Some(most)) = (amount(&request), amount(&limit))
            && wanted.value() > most.value()
        {
            let message = format!(
                "Invalid value: {}: must be less than or equal to {name} limit of {}",
                request.value,
                limit
                    .value
                    .as_str()
                    .map_or_else(|| limit.value.to_string(), str::to_owned)
            );
            found.push(refused(&request, reach, message));
        }
    }
    extended(resources, reach, found);
    for list in ["limits", "requests"] {
        for (name, amount) in resources.get(list).entries() {
            let text = match amount.value {
                Value::Number(number) => number.to_string(),
                _ => amount.text().to_owned(),
            };
            // The API server writes quantities as text.
            if text.starts_with('-') {
                let message =
                    format!("Invalid value: {text:?}: must be greater than or equal to 0 ({name})");
                found.push(refused(&amount, reach, message));
            }
        }
    }
}

/// Names that no container can ask for: without a domain there are only those of Kubernetes itself
/// (`validateContainerResourceName`).
fn names(resources: &View, reach: Reach, found: &mut Vec<Refusal>) {
    for list in ["limits", "requests"] {
        for (name, at) in resources.get(list).entries() {
            if let Some(problem) = problem_of_name(name) {
                found.push(refused(
                    &at,
                    reach,
                    format!("Invalid value: {name:?}: {problem}"),
                ));
            }
        }
    }
}

fn problem_of_name(name: &str) -> Option<String> {
    if let Some(problem) = qualified_name(name) {
        return Some(problem);
    }
    let Some((domain, rest)) = name.split_once('/') else {
        let known = matches!(name, "cpu" | "memory" | "ephemeral-storage");
        let known = known || name.starts_with("hugepages-");
        return (!known).then(|| "must be a standard resource for containers".into());
    };
    let extended = !domain.starts_with("requests.")
        // A quota counts it under this name.
        && qualified_name(&format!("requests.{domain}/{rest}")).is_none();
    (!domain.ends_with("kubernetes.io") && !extended)
        .then(|| "doesn't follow extended resource name standard".into())
}

/// Resources that nodes offer in whole pieces, such as GPUs: their requests are their limits.
fn extended(resources: &View, reach: Reach, found: &mut Vec<Refusal>) {
    let is_extended = |name: &str| {
        name.split_once('/')
            .is_some_and(|(domain, _)| !domain.ends_with("kubernetes.io"))
    };
    for (name, request) in resources.get("requests").entries() {
        if !is_extended(name) {
            continue;
        }
        let limit = resources.get("limits").get(name);
        if !limit.exists() {
            let message = format!(
                "Required value: Limit must be set for non overcommitable resources ({name})"
            );
            found.push(refused(&limit, reach, message));
        } else if let (Some(wanted), Some(most)) = (amount(&request), amount(&limit))
            && wanted.value() < most.value()
        {
            let message = format!(
                "Invalid value: {}: must be equal to {name} limit of {}",
                request.value,
                most.value()
            );
            found.push(refused(&request, reach, message));
        }
    }
    for list in ["limits", "requests"] {
        for (name, value) in resources.get(list).entries() {
            let fraction = amount(&value).is_some_and(|amount| amount.value().fract() != 0.0);
            if is_extended(name) && fraction {
                let message = format!(
                    "Invalid value: {}: must be an integer ({name})",
                    value.value
                );
                found.push(refused(&value, reach, message));
            }
        }
    }
}

fn amount(at: &View) -> Option<Quantity> {
    match at.value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}
