//! Events and refusals.

use k8s_openapi::api::core::v1::Event;
use serde_json::Value;

use super::{Finding, Observation, Rejection, Verdict, pods};
use crate::{EventCheck, RejectedBy, RejectedCheck};

pub(super) fn evaluate(check: &EventCheck, observation: &Observation) -> Verdict {
    let part = check.message.as_deref().unwrap_or_default();
    let expected = match &check.message {
        Some(message) => format!("{} with \"{message}\"", check.reason),
        None => check.reason.clone(),
    };
    let same_reason = || {
        observation
            .events
            .iter()
            .filter(|event| event.reason.as_ref() == Some(&check.reason))
    };
    let holds =
        same_reason().find(|event| event.message.as_deref().unwrap_or_default().contains(part));
    let seen = match holds {
        Some(event) => vec![event],
        None if same_reason().next().is_some() => last(same_reason()),
        None => last(observation.events.iter()),
    };
    let found: Vec<String> = seen
        .iter()
        .map(|event| format!("{} {}", pods::object(event), pods::sentence(event)))
        .collect();
    let message = match (holds, found.len()) {
        (Some(event), _) => format!("{} has the event {expected}", pods::object(event)),
        (None, 0) => format!("waits for the event {expected}; there is no event yet"),
        (None, _) => format!("waits for the event {expected}"),
    };
    let found = (!found.is_empty()).then(|| found.join("\n"));
    let finding = Finding {
        message,
        expected: Some(expected),
        found,
        ..Finding::default()
    };
    if holds.is_some() {
        Verdict::Pass(finding)
    } else {
        Verdict::NotYet(finding)
    }
}

fn last<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<&'a Event> {
    let all: Vec<&Event> = events.collect();
    all[all.len().saturating_sub(5)..].to_vec()
}

pub(super) fn evaluate_rejected(check: &RejectedCheck, observation: &Observation) -> Verdict {
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

/// What the operator has said against objects: warnings about its own kinds, the failure condition, the reason.
pub fn operator_refusals(observation: &Observation) -> Vec<String> {
    let warnings = observation
        .events
        .iter()
        .filter(|event| pods::is_about_ray(event) && event.type_.as_deref() == Some("Warning"))
        .map(pods::sentence);
    let statuses = observation.ray_clusters.iter().flat_map(|cluster| {
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let failures = pods::replica_failure(cluster).into_iter();
        failures
            .map(move |condition| {
                format!(
                    "{}: {}",
                    said(&condition["reason"]),
                    said(&condition["message"])
                )
            })
            .chain(cluster["status"]["reason"].as_str().map(str::to_owned))
    });
    warnings
        .chain(statuses)
        .filter(|refusal| !refusal.is_empty())
        .collect()
}
