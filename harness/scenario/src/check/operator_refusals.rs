//! What the operator says against objects.

use serde_json::Value;

use super::{Observation, pods};

/// What the operator has said against objects: warnings about its own kinds, the failure condition,
/// the reason.
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
