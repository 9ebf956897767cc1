//! What a scenario has done in place of components that the lane control-plane lacks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::operator::FIELD_MANAGER;
use crate::scenario::Stimulus;

/// An address of the range for documentation (RFC 5737), so that nothing answers there.
const ADDRESS: &str = "192.0.2.1";

/// Does what a scenario's `stimulus` says, once for each object.
pub(super) struct Actor {
    stimulus: Stimulus,
    pods: Api<Pod>,
    /// Uids of Pods that were made ready.
    ready: BTreeSet<String>,
}

impl Actor {
    pub(super) fn new(stimulus: &Stimulus, client: Client, namespace: &str) -> Self {
        Self {
            stimulus: stimulus.clone(),
            pods: Api::namespaced(client, namespace),
            ready: BTreeSet::new(),
        }
    }

    /// Acts on what is new.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(super) async fn act(&mut self, pods: &[Pod]) -> Result<(), kube::Error> {
        if !self.stimulus.pods_ready {
            return Ok(());
        }
        for pod in pods.iter().filter(|pod| is_rays(pod)) {
            let uid = pod.uid().unwrap_or_default();
            if self.ready.contains(&uid) {
                continue;
            }
            let params = PatchParams {
                field_manager: Some(FIELD_MANAGER.into()),
                ..PatchParams::default()
            };
            let status = Patch::Merge(ready_status(pod, Timestamp::now()));
            match self.pods.patch_status(&pod.name_any(), &params, &status).await {
                Ok(_) => {}
                // The operator may have deleted it meanwhile.
                Err(kube::Error::Api(answer)) if answer.code == 404 => {}
                Err(error) => return Err(error),
            }
            self.ready.insert(uid);
        }
        Ok(())
    }
}

fn is_rays(pod: &Pod) -> bool {
    pod.labels().contains_key("ray.io/node-type") && pod.metadata.deletion_timestamp.is_none()
}

/// What a kubelet writes of a Pod whose init containers have ended and whose containers run and are ready.
fn ready_status(pod: &Pod, now: Timestamp) -> Value {
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
        assert!(is_rays(&pod));
        let patch = ready_status(&pod, "2026-11-24T20:00:00Z".parse().expect("a time"));
        pod.status = serde_json::from_value(patch["status"].clone()).expect("the status of a Pod");
        let status = pod.status.expect("a status");
        let names = |statuses: Option<Vec<k8s_openapi::api::core::v1::ContainerStatus>>| {
            let statuses = statuses.unwrap_or_default();
            assert!(statuses.iter().all(|one| one.ready && one.restart_count == 0));
            statuses.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(status.init_container_statuses), ["first"]);
        assert_eq!(names(status.container_statuses), ["ray-head", "autoscaler"]);
        assert_eq!(status.phase.as_deref(), Some("Running"));
        assert!(
            status
                .conditions
                .unwrap_or_default()
                .iter()
                .all(|one| one.status == "True")
        );
    }

    #[test]
    fn other_pods_are_left_alone() {
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "submitter"}})).expect("a Pod");
        assert!(!is_rays(&pod));
    }
}
