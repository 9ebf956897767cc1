//! What Ray's dashboard shows, and why it shows nothing.

use super::{Observation, pods};
use crate::Role;

/// Whether the dashboard answers and lists a head that is alive.
pub(super) fn head_is_alive(observation: &Observation) -> bool {
    let mut nodes = observation
        .dashboard
        .iter()
        .flat_map(|dashboard| &dashboard.nodes);
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
