//! Waiting for an operator through a watch, and telling at once when waiting is useless.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::{ListParams, LogParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};

use super::error::{OperatorError, api_error};
use super::model::Installed;
use crate::check::Bounds;
use crate::observe::read_log;

const LOG_LINES: i64 = 10;
/// The lease that an operator takes before it works (main.go, `LeaderElectionID`, 1.0.0 to 1.6.2).
const LEASE: &str = "ray-operator-leader";

/// Whether the Deployment is available in its newest form.
pub(super) fn available(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else {
        return false;
    };
    let newest = status.observed_generation >= deployment.metadata.generation;
    let updated =
        status.updated_replicas.unwrap_or(0) > 0 && status.available_replicas.unwrap_or(0) > 0;
    newest && updated && status.unavailable_replicas.unwrap_or(0) == 0
}

/// The Pods of an operator's Deployment.
pub(super) async fn pods_of(
    pods: &Api<Pod>,
    deployment: &Deployment,
) -> Result<Vec<Pod>, kube::Error> {
    Ok(pods
        .list(&ListParams::default().labels(&selector(deployment)))
        .await?
        .items)
}

/// The labels by which a Deployment knows its Pods.
fn selector(deployment: &Deployment) -> String {
    let labels = deployment.spec.selector.match_labels.iter().flatten();
    let labels: Vec<_> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    labels.join(",")
}

/// Waits until the operator works: it is available, or one of its Pods runs and has the lease. It
/// takes that as it starts, and its probes are asked for the first time ten seconds later. Returns
/// at once when its Pod can't start.
pub(super) async fn until_working(
    client: &Client,
    operator: &Installed,
    within: Duration,
) -> Result<(), OperatorError> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &operator.namespace);
    let pods: Api<Pod> = Api::namespaced(client.clone(), &operator.namespace);
    let deployment = deployments.get(&operator.deployment).await;
    let deployment = deployment.map_err(api_error("reading the operator's Deployment"))?;
    let mut watched = watcher::watch_object(deployments, &operator.deployment)
        .default_backoff()
        .boxed();
    let config = watcher::Config::default().labels(&selector(&deployment));
    let mut watched_pods = watcher(pods.clone(), config)
        .default_backoff()
        .applied_objects()
        .boxed();
    let leases: Api<Lease> = Api::namespaced(client.clone(), &operator.namespace);
    let mut lease = watcher::watch_object(leases, LEASE)
        .default_backoff()
        .boxed();
    let (mut running, mut holder) = (BTreeSet::new(), None);
    let mut last = "no Pod of it yet".to_owned();
    let deadline = tokio::time::sleep(within);
    let mut deadline = std::pin::pin!(deadline);
    loop {
        tokio::select! {
            () = &mut deadline => {
                let release = operator.release.clone();
                return Err(OperatorError::Deadline { release, within, last });
            }
            seen = watched.next() => {
                if seen.and_then(Result::ok).flatten().is_some_and(|deployment| available(&deployment)) {
                    return Ok(());
                }
            }
            seen = lease.next() => {
                if let Some(lease) = seen.and_then(Result::ok).flatten() {
                    holder = holder_of(&lease);
                }
            }
            seen = watched_pods.next() => {
                // A Pod that is being replaced says nothing of the one to come; a broken watch
                // starts again by itself.
                let Some(Ok(pod)) = seen else { continue };
                let name = pod.name_any();
                if pod.metadata.deletion_timestamp.is_some() || !runs(&pod) {
                    running.remove(&name);
                } else {
                    running.insert(name);
                }
                if pod.metadata.deletion_timestamp.is_some() {
                    continue;
                }
                if let Some(state) = state(&pod) {
                    last = state;
                }
                if let Some(cause) = terminal(&pod) {
                    let cause = with_log(&pods, &pod, cause).await;
                    return Err(OperatorError::Terminal { release: operator.release.clone(), cause });
                }
            }
        }
        if holder
            .as_ref()
            .is_some_and(|holder| running.contains(holder))
        {
            return Ok(());
        }
    }
}

/// The Pod that has the lease: `POD_UUID` is how client-go names who holds one.
fn holder_of(lease: &Lease) -> Option<String> {
    let identity = lease.spec.as_ref()?.holder_identity.as_deref()?;
    let (pod, _) = identity.rsplit_once('_')?;
    Some(pod.to_owned())
}

fn runs(pod: &Pod) -> bool {
    let mut all = statuses(pod).peekable();
    all.peek().is_some() && all.all(is_running)
}

pub(super) fn is_running(status: &ContainerStatus) -> bool {
    status
        .state
        .as_ref()
        .is_some_and(|state| state.running.is_some())
}

pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
}

pub(super) fn state(pod: &Pod) -> Option<String> {
    let name = pod.name_any();
    let phase = pod.status.as_ref()?.phase.as_deref().unwrap_or("Unknown");
    let waiting =
        statuses(pod).find_map(|status| status.state.as_ref()?.waiting.as_ref()?.reason.clone());
    Some(match waiting {
        Some(reason) => format!("Pod {name} {phase} ({reason})"),
        None => format!("Pod {name} {phase}"),
    })
}

/// How often the operator may end and be started again. A new node's kube-proxy may not know yet
/// where the API server is, and an operator that does not reach it ends at once.
const RESTARTS: i32 = 2;

/// Why the operator's Pod can't start, where it can't. One failed pull may pass (the kubelet tries
/// again), and so may its first two ends; backing off from a pull, or a third end, does not.
pub(super) fn terminal(pod: &Pod) -> Option<String> {
    statuses(pod).find_map(|status| {
        let state = status.state.as_ref()?;
        if let Some(waiting) = &state.waiting {
            let reason = waiting.reason.as_deref().unwrap_or_default();
            let message = waiting.message.as_deref().unwrap_or_default();
            let hopeless = [
                "ImagePullBackOff",
                "InvalidImageName",
                "ErrImageNeverPull",
                "CreateContainerConfigError",
                "CreateContainerError",
                "RunContainerError",
            ];
            let crashes = reason == "CrashLoopBackOff" && status.restart_count >= RESTARTS;
            if hopeless.contains(&reason) || crashes {
                return Some(match exit_code(status) {
                    Some(code) => format!("its container ended with exit code {code} ({reason})"),
                    None => format!("{reason} of image {}: {message}", status.image),
                });
            }
        }
        let ended = state.terminated.as_ref()?;
        (status.restart_count >= RESTARTS)
            .then(|| format!("its container ended with exit code {}", ended.exit_code))
    })
}

fn exit_code(status: &ContainerStatus) -> Option<i32> {
    Some(status.last_state.as_ref()?.terminated.as_ref()?.exit_code)
}

async fn with_log(pods: &Api<Pod>, pod: &Pod, cause: String) -> String {
    match last_lines(pods, pod).await {
        Some(log) => {
            let lines: String = log.lines().map(|line| format!("\n  | {line}")).collect();
            format!("{cause}; the last lines of its log:{lines}")
        }
        None => cause,
    }
}

/// The last lines that a Pod has written, in this life of its container or in the one before.
pub(super) async fn last_lines(pods: &Api<Pod>, pod: &Pod) -> Option<String> {
    let params = |previous| LogParams {
        tail_lines: Some(LOG_LINES),
        previous,
        ..LogParams::default()
    };
    let name = pod.name_any();
    for previous in [false, true] {
        let log = read_log(pods, &name, &params(previous), Bounds::EVIDENCE).await;
        if let Ok(log) = log.map(|lines| lines.to_text())
            && !log.trim().is_empty()
        {
            return Some(log);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::Pod;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{available, holder_of, runs, state, terminal};

    fn pod(container: Value) -> Pod {
        let mut status = json!({"name": "kuberay-operator", "image": "quay.io/kuberay/operator:none",
            "imageID": "", "ready": false, "restartCount": 0});
        if let (Some(status), Value::Object(fields)) = (status.as_object_mut(), container) {
            status.extend(fields);
        }
        serde_json::from_value(json!({"metadata": {"name": "op"},
            "status": {"phase": "Pending", "containerStatuses": [status]}}))
        .expect("a Pod")
    }

    #[rstest]
    #[case::creating(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}), None)]
    #[case::first_pull_error(json!({"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}), None)]
    #[case::no_image(json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}),
        Some("ImagePullBackOff of image quay.io/kuberay/operator:none: not found"))]
    #[case::first_end(json!({"state": {"terminated": {"exitCode": 2}}}), None)]
    #[case::second_end(json!({"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}), None)]
    #[case::third_end(json!({"restartCount": 2, "state": {"terminated": {"exitCode": 2}}}),
        Some("its container ended with exit code 2"))]
    #[case::crash_loop(json!({"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}}}),
        Some("its container ended with exit code 1 (CrashLoopBackOff)"))]
    #[case::running(json!({"state": {"running": {}}}), None)]
    fn hopeless_states(#[case] container: Value, #[case] expected: Option<&str>) {
        assert_eq!(terminal(&pod(container)).as_deref(), expected);
    }

    #[rstest]
    #[case::running(json!({"state": {"running": {}}}), true)]
    #[case::ended(json!({"state": {"terminated": {"exitCode": 1}}}), false)]
    #[case::not_yet(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}), false)]
    fn what_runs(#[case] container: Value, #[case] expected: bool) {
        assert_eq!(runs(&pod(container)), expected);
    }

    #[test]
    fn the_lease_names_its_pod() {
        let lease = |spec: Value| serde_json::from_value(json!({"spec": spec})).expect("a Lease");
        let held = lease(json!({"holderIdentity": "kuberay-operator-6c8f_5e1c8a52-7f0b"}));
        assert_eq!(holder_of(&held).as_deref(), Some("kuberay-operator-6c8f"));
        assert_eq!(holder_of(&lease(json!({"holderIdentity": ""}))), None);
    }

    #[test]
    fn the_last_state_names_the_reason() {
        let pod = pod(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
        assert_eq!(
            state(&pod).as_deref(),
            Some("Pod op Pending (ContainerCreating)")
        );
    }

    #[rstest]
    #[case(json!({"availableReplicas": 1, "updatedReplicas": 1, "observedGeneration": 2}), true)]
    #[case::old_form(json!({"availableReplicas": 1, "updatedReplicas": 1, "observedGeneration": 1}), false)]
    #[case::none_yet(json!({"updatedReplicas": 1, "unavailableReplicas": 1, "observedGeneration": 2}), false)]
    fn availability(#[case] status: Value, #[case] expected: bool) {
        let deployment: Deployment =
            serde_json::from_value(json!({"metadata": {"generation": 2}, "status": status}))
                .expect("a Deployment");
        assert_eq!(available(&deployment), expected);
    }
}
