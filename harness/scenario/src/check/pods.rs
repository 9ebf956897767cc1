//! Finding Pods, their containers and what was last seen of them.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateTerminated, ContainerStatus, Event, Pod,
};
use serde_json::Value;

use super::Observation;
use crate::Role;

const NODE_TYPE: &str = "ray.io/node-type";
const GROUP: &str = "ray.io/group";

/// Pods of a role (and worker group), the ones being deleted last.
pub(super) fn all<'a>(
    observation: &'a Observation,
    role: Role,
    group: Option<&str>,
) -> Vec<&'a Pod> {
    let job = job(observation, role);
    let of_role = |pod: &&Pod| {
        if role.is_of_job() {
            job.is_some_and(|job| is_owned_by(pod, job))
        } else {
            self::role(pod) == Some(role) && (group.is_none() || self::group(pod) == group)
        }
    };
    let mut pods: Vec<&Pod> = observation.pods.iter().filter(of_role).collect();
    pods.sort_by_key(|pod| pod.metadata.deletion_timestamp.is_some());
    pods
}

/// The Job that the operator made for a submitter or a clean-up of Redis.
pub(super) fn job(observation: &Observation, role: Role) -> Option<&Job> {
    let owner = match role {
        Role::Head | Role::Worker => return None,
        Role::Submitter => "RayJob",
        Role::RedisCleanup => "RayCluster",
    };
    observation.jobs.iter().find(|job| {
        let mut owners = job.metadata.owner_references.iter().flatten();
        owners.any(|reference| reference.kind == owner)
    })
}

fn is_owned_by(pod: &Pod, job: &Job) -> bool {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.any(|reference| {
        reference.kind == "Job" && Some(&reference.name) == job.metadata.name.as_ref()
    })
}

/// When a Pod was first seen, by the harness's own clock; one of which that is not known, now.
pub(super) fn first_seen(observation: &Observation, pod: &Pod) -> Timestamp {
    let uid = pod.metadata.uid.as_ref();
    let seen = uid.and_then(|uid| observation.seen.get(uid));
    seen.copied().unwrap_or(observation.now)
}

/// The first Pod of a role (and worker group).
pub(super) fn find<'a>(
    observation: &'a Observation,
    role: Role,
    group: Option<&str>,
) -> Option<&'a Pod> {
    all(observation, role, group).into_iter().next()
}

/// The role that the operator's label gives a Pod; none for Pods that are not Ray's.
pub(super) fn role(pod: &Pod) -> Option<Role> {
    match label(pod, NODE_TYPE)? {
        "head" => Some(Role::Head),
        "worker" => Some(Role::Worker),
        _ => None,
    }
}

/// The worker group of a Pod.
pub(super) fn group(pod: &Pod) -> Option<&str> {
    label(pod, GROUP)
}

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or("without a name")
}

pub(super) fn ip(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref()
}

/// The container that Ray runs in: the operator takes the first, whatever its name.
pub(super) fn ray_container(pod: &Pod) -> Option<&Container> {
    pod.spec.as_ref()?.containers.first()
}

/// The name of the container that a check means: the one it names, else the Ray container.
pub(super) fn container_name<'a>(pod: &'a Pod, named: Option<&'a str>) -> Option<&'a str> {
    named.or_else(|| ray_container(pod).map(|container| container.name.as_str()))
}

/// Why a container is not there.
pub(super) enum Missing {
    /// The operator may still create it.
    NotYet(String),
    /// Its Pod was created without it.
    Never(String),
}

/// The Pod and the container that a check means.
pub(super) fn find_container<'a>(
    observation: &'a Observation,
    role: Role,
    group: Option<&str>,
    container: Option<&'a str>,
) -> Result<(&'a Pod, &'a str), Missing> {
    let pod = find(observation, role, group)
        .ok_or_else(|| Missing::NotYet(absent(observation, role, group)))?;
    let container = container_name(pod, container)
        .ok_or_else(|| Missing::NotYet(format!("Pod {} has no containers", name(pod))))?;
    let names = container_names(pod);
    if names.contains(&container) {
        return Ok((pod, container));
    }
    Err(Missing::Never(format!(
        "Pod {} has no container {container}; it has {}",
        name(pod),
        names.join(", ")
    )))
}

/// A container or init container by its name.
pub(super) fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    let spec = pod.spec.as_ref()?;
    let init = spec.init_containers.iter().flatten();
    init.chain(&spec.containers)
        .find(|container| container.name == name)
}

/// Names of all containers of a Pod, init containers first.
pub(super) fn container_names(pod: &Pod) -> Vec<&str> {
    let Some(spec) = &pod.spec else {
        return Vec::new();
    };
    let init = spec.init_containers.iter().flatten();
    init.chain(&spec.containers)
        .map(|container| container.name.as_str())
        .collect()
}

/// Statuses of all containers, init containers first.
pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status
        .and_then(|status| status.init_container_statuses.as_ref())
        .into_iter()
        .flatten();
    init.chain(
        status
            .and_then(|status| status.container_statuses.as_ref())
            .into_iter()
            .flatten(),
    )
}

pub(super) fn status<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    statuses(pod).find(|status| status.name == container)
}

pub(super) fn terminated(state: Option<&ContainerState>) -> Option<&ContainerStateTerminated> {
    state?.terminated.as_ref()
}

/// How a container's instance of now has ended, and how the one before it did.
pub(super) fn ends(status: &ContainerStatus) -> [Option<&ContainerStateTerminated>; 2] {
    [
        terminated(status.state.as_ref()),
        terminated(status.last_state.as_ref()),
    ]
}

/// The reason that a container waits for.
pub(super) fn waiting(status: &ContainerStatus) -> Option<&str> {
    status.state.as_ref()?.waiting.as_ref()?.reason.as_deref()
}

pub(super) fn is_running(pod: &Pod, container: &str) -> bool {
    status(pod, container)
        .and_then(|status| status.state.as_ref())
        .is_some_and(|state| state.running.is_some())
}

/// Whether a container has written, or could have, a log. The kubelet says "running" only when a
/// `postStart` hook has ended, but sends the event `Started` before the hook.
pub fn has_started(observation: &Observation, pod: &Pod, container: &str) -> bool {
    let ran = |state: Option<&ContainerState>| {
        state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    };
    let field = format!("{{{container}}}");
    status(pod, container)
        .is_some_and(|status| ran(status.state.as_ref()) || ran(status.last_state.as_ref()))
        || events_of(observation, pod).any(|event| {
            event.reason.as_deref() == Some("Started")
                && event
                    .involved_object
                    .field_path
                    .as_deref()
                    .is_some_and(|path| path.ends_with(&field))
        })
}

pub(super) fn condition<'a>(
    pod: &'a Pod,
    kind: &str,
) -> Option<&'a k8s_openapi::api::core::v1::PodCondition> {
    pod.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == kind)
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Events about this very Pod, not about one of the same name before it.
pub(super) fn events_of<'a>(
    observation: &'a Observation,
    pod: &'a Pod,
) -> impl Iterator<Item = &'a Event> {
    observation.events.iter().filter(move |event| {
        let object = &event.involved_object;
        object.kind.as_deref() == Some("Pod")
            && object.name == pod.metadata.name
            && (object.uid.is_none()
                || pod.metadata.uid.is_none()
                || object.uid == pod.metadata.uid)
    })
}

/// How often an event has happened; repeats are counted in one object.
pub(super) fn occurrences(event: &Event) -> i32 {
    let series = event.series.as_ref().and_then(|series| series.count);
    event.count.or(series).unwrap_or(1).max(1)
}

/// `Reason: message` of an event.
pub(super) fn sentence(event: &Event) -> String {
    let message = event.message.as_deref().unwrap_or_default().trim();
    format!(
        "{}: {message}",
        event.reason.as_deref().unwrap_or("no reason")
    )
}

/// `head Pod`, `worker Pod`, `worker Pod of group small` or `submitter Pod`.
pub(super) fn who(role: Role, group: Option<&str>) -> String {
    let role = role.word();
    group.map_or_else(
        || format!("{role} Pod"),
        |group| format!("{role} Pod of group {group}"),
    )
}

/// What was last seen where a Pod does not exist yet.
pub(super) fn absent(observation: &Observation, role: Role, group: Option<&str>) -> String {
    let who = who(role, group);
    let seen = observation
        .events
        .iter()
        .rev()
        .find(|event| is_about_ray(event))
        .map_or_else(
            || match observation.ray_clusters.len() {
                0 => "no RayCluster exists".to_owned(),
                _ => "the operator has sent no event about the RayCluster".to_owned(),
            },
            |event| format!("last event of {}: {}", object(event), sentence(event)),
        );
    format!("no {who} yet; {seen}")
}

/// Whether an event is about an object of the operator's own kinds, so of the operator.
pub(super) fn is_about_ray(event: &Event) -> bool {
    event
        .involved_object
        .kind
        .as_deref()
        .is_some_and(|kind| kind.starts_with("Ray"))
}

/// The condition by which the operator says that it can't create or delete Pods, while it holds.
pub fn replica_failure(cluster: &Value) -> Option<&Value> {
    let mut conditions = cluster["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    conditions
        .find(|condition| condition["type"] == "ReplicaFailure" && condition["status"] == "True")
}

/// `Kind name` of what an event is about.
pub(super) fn object(event: &Event) -> String {
    let object = &event.involved_object;
    format!(
        "{} {}",
        object.kind.as_deref().unwrap_or("object"),
        object.name.as_deref().unwrap_or_default()
    )
}

/// What a container does now, in words.
pub(super) fn state_words(status: Option<&ContainerStatus>) -> String {
    let Some(status) = status else {
        return "has no state yet".into();
    };
    let state = status.state.as_ref();
    let restarts = match status.restart_count {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        times => format!(", restarted {times} times"),
    };
    let words = if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        format!(
            "waits ({})",
            waiting.reason.as_deref().unwrap_or("no reason given")
        )
    } else if let Some(ended) = terminated(state) {
        format!("exited {}", ended.exit_code)
    } else if state.is_some_and(|state| state.running.is_some()) {
        "runs".to_owned()
    } else {
        "has no state yet".to_owned()
    };
    let before = terminated(status.last_state.as_ref()).map_or_else(String::new, |ended| {
        format!(", exited {} before", ended.exit_code)
    });
    format!("{words}{before}{restarts}")
}

/// What was last seen of a container and its Pod, with the Pod's latest warning.
pub(super) fn situation(observation: &Observation, pod: &Pod, container: &str) -> String {
    let words = state_words(status(pod, container));
    let warning = events_of(observation, pod)
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .last()
        .map_or_else(String::new, |event| {
            format!("; last warning: {}", sentence(event))
        });
    format!(
        "container {container} of Pod {} {words}{warning}",
        name(pod)
    )
}
