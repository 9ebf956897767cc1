//! Ray as its dashboard reports it.

use super::{Finding, Observation, Verdict, pods};
use crate::scenario::{RayCheck, Role};

pub(super) fn evaluate(check: &RayCheck, observation: &Observation) -> Verdict {
    let Some(dashboard) = &observation.dashboard else {
        return Verdict::NotYet(Finding {
            message: silent(observation),
            ..Finding::default()
        });
    };
    let alive = dashboard.nodes.iter().filter(|node| node.state == "ALIVE").count();
    let head = head_is_alive(observation);
    let listed: Vec<String> = dashboard
        .nodes
        .iter()
        .map(|node| {
            format!(
                "{} {} {}",
                if node.is_head { "head" } else { "worker" },
                node.ip,
                node.state
            )
        })
        .collect();
    let expected = match check.nodes {
        1 => "the head alive and no other node".to_owned(),
        nodes => format!("{nodes} nodes alive, the head among them"),
    };
    let holds = head && alive == check.nodes;
    let without = if head { "" } else { ", and no head" };
    let message = if holds {
        format!("Ray lists {expected}")
    } else {
        format!(
            "waits for {expected}; Ray lists {alive} alive of {}{without}",
            listed.len()
        )
    };
    let finding = Finding {
        message,
        expected: Some(expected),
        found: Some(listed.join("\n")),
        diff: None,
    };
    if holds {
        Verdict::Pass(finding)
    } else {
        Verdict::NotYet(finding)
    }
}

/// Whether the dashboard answers and lists a head that is alive.
pub(super) fn head_is_alive(observation: &Observation) -> bool {
    let mut nodes = observation.dashboard.iter().flat_map(|dashboard| &dashboard.nodes);
    nodes.any(|node| node.is_head && node.state == "ALIVE")
}

/// What was seen where the dashboard did not answer.
pub(super) fn silent(observation: &Observation) -> String {
    let Some(head) = pods::find(observation, Role::Head, None) else {
        return format!(
            "the dashboard has not answered: {}",
            pods::absent(observation, Role::Head, None)
        );
    };
    let container = pods::container_name(head, None).unwrap_or_default();
    format!(
        "the dashboard has not answered; {}",
        pods::situation(observation, head, container)
    )
}
