//! The status that a kubelet would write to Pods, where none runs.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use serde_json::{Value, json};

/// An address of the range for documentation (RFC 5737), so that nothing answers there.
const ADDRESS: &str = "192.0.2.1";

/// Returns the status that a kubelet writes of a Pod whose init containers have ended and whose
/// containers run and are ready.
#[must_use]
pub fn ready_status(pod: &Pod, now: Timestamp) -> Value {
    let now = format!("{now:.0}");
    let spec = pod.spec.clone().unwrap_or_default();
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
        .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": now}));
    let status = |container: &Container, state: Value| {
        json!({
            "name": container.name, "image": container.image.clone().unwrap_or_default(), "imageID": "",
            "ready": true, "started": true, "restartCount": 0, "state": state,
        })
    };
    let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}});
    let running = json!({"running": {"startedAt": now}});
    let init = spec.init_containers.iter().flatten();
    json!({"status": {
        "phase": "Running",
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "startTime": now,
        "conditions": conditions,
        "initContainerStatuses": init.map(|one| status(one, ended.clone())).collect::<Vec<_>>(),
        "containerStatuses": spec.containers.iter().map(|one| status(one, running.clone())).collect::<Vec<_>>(),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_one_that_a_kubelet_could_write() {
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "head", "labels": {"ray.io/node-type": "head"}},
            "spec": {
                "initContainers": [{"name": "first", "image": "i"}],
                "containers": [{"name": "ray-head", "image": "r"}, {"name": "autoscaler", "image": "r"}],
            },
        }))
        .expect("a Pod");
        let patch = ready_status(&pod, "2026-11-24T20:00:00Z".parse().expect("a time"));
        pod.status = serde_json::from_value(patch["status"].clone()).expect("the status of a Pod");
        let status = pod.status.expect("a status");
        let names = |statuses: Option<Vec<k8s_openapi::api::core::v1::ContainerStatus>>| {
            let statuses = statuses.unwrap_or_default();
            for one in &statuses {
                assert!(one.ready, "{one:?}");
                assert_eq!(one.restart_count, 0, "{one:?}");
            }
            statuses.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(status.init_container_statuses), ["first"]);
        assert_eq!(names(status.container_statuses), ["ray-head", "autoscaler"]);
        assert_eq!(status.phase.as_deref(), Some("Running"));
        let conditions = status.conditions.unwrap_or_default();
        let conditions: Vec<_> = conditions
            .iter()
            .map(|one| (one.type_.as_str(), one.status.as_str()))
            .collect();
        assert_eq!(
            conditions,
            ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(|kind| (kind, "True"))
        );
    }
}
