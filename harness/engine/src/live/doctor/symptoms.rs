//! From what is seen of a Pod to the causes that explain it.

mod ended;
mod init;
mod job;
mod policy;
mod running;
mod texts;
mod waiting;

use jiff::{SignedDuration, Timestamp};
use semver::Version;
use serde_json::Value;

use super::candidate::Candidate;
use super::causes;
use super::document::ProofKind;
use super::patch;
use super::subject::{Cluster, Subject};
use super::view::{ContainerPhase, ContainerView, EventView, PodView};
use crate::explain::check;
use crate::live::bundle::Bundle;

pub(super) use job::{after_success, of_job, of_service};

/// The time after which a step counts as a problem.
pub(super) const SLOW: SignedDuration = SignedDuration::from_mins(5);
/// The time that the cluster may take to schedule a Pod, to mount volumes and the like.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// The time for which wait-gcs-ready asks without printing anything.
pub(super) const SILENT: SignedDuration = SignedDuration::from_secs(150);

/// The input of the judgement of one Pod.
pub(super) struct Case<'a> {
    pub bundle: &'a Bundle,
    pub subject: &'a Subject<'a>,
    pub cluster: Option<&'a Cluster<'a>>,
    /// The traps of the user's object on the operator's release.
    pub traps: &'a [check::CheckFinding],
    /// The operator's release.
    pub release: &'a Version,
}

impl<'a> Case<'a> {
    pub fn now(&self) -> Timestamp {
        self.bundle.taken_at
    }

    /// The events of an object.
    pub fn events(&self, uid: &str) -> Vec<EventView<'a>> {
        let events = self.bundle.events.iter();
        events
            .filter(|event| !uid.is_empty() && event["involvedObject"]["uid"] == uid)
            .map(EventView::new)
            .collect()
    }

    /// The log of how a container ended.
    pub fn log_of_end(&self, pod: &PodView, container: &ContainerView) -> &'a str {
        let read = |previous| {
            self.bundle
                .log(pod.namespace(), pod.name(), container.name, previous)
        };
        // A container that was started again after its Pod was read has both logs moved on by one.
        let previous = container.log_is_previous();
        let wanted = read(previous);
        if wanted.is_empty() {
            read(!previous)
        } else {
            wanted
        }
    }

    /// The log of what a container does.
    pub fn log(&self, pod: &PodView, container: &str) -> &'a str {
        self.bundle
            .log(pod.namespace(), pod.name(), container, false)
    }

    /// The trap with the first of these ids that the template of a Pod has.
    pub fn trap(&self, pod: &PodView, ids: &[&str]) -> Option<&'a check::CheckFinding> {
        let label = if pod.is_head() {
            "head".to_owned()
        } else if pod.is_worker() {
            format!("worker {}", pod.group())
        } else {
            "submitter".to_owned()
        };
        let traps = self.traps;
        ids.iter().find_map(|id| {
            traps
                .iter()
                .find(|one| one.id == *id && one.containers.contains(&label))
        })
    }

    /// A candidate for a trap, with the patch that removes it.
    pub fn of_trap(&self, found: &check::CheckFinding, weight: u32) -> Candidate {
        let patch = patch::of(self.subject.value, &found.id, &found.path);
        Candidate::of_trap(found, weight).patched(patch)
    }

    /// Whether the head of the RayCluster is ready, and since when.
    pub fn head_ready(&self) -> Option<SignedDuration> {
        let head = self.cluster?.head().filter(|head| head.is_well())?;
        let condition = head.condition("Ready");
        let since = condition.and_then(|one| super::view::time(&one["lastTransitionTime"]));
        Some(since.map_or(SLOW, |since| self.now().duration_since(since)))
    }
}

/// Returns the causes that may explain why a Pod of Ray is not well.
pub(super) fn of_pod(case: &Case, pod: &PodView) -> Vec<Candidate> {
    if pod.is_going() || pod.phase() == "Succeeded" {
        return Vec::new();
    }
    let mut found = waiting::of_pod(case, pod);
    let mut first = true;
    for container in pod.containers() {
        found.extend(waiting::of_container(case, pod, &container));
        if container.init {
            found.extend(init::of(case, pod, &container));
            continue;
        }
        if std::mem::take(&mut first) {
            found.extend(ended::of_ray(case, pod, &container));
            found.extend(running::of_ray(case, pod, &container));
        } else {
            found.extend(beside(case, pod, &container));
        }
    }
    found
}

/// A container beside Ray's.
fn beside(case: &Case, pod: &PodView, container: &ContainerView) -> Vec<Candidate> {
    if container.name == "ray-job-submitter" {
        return job::of_submitter(case, pod, container);
    }
    if container.ready {
        return Vec::new();
    }
    let Some(end) = container.ended().filter(|end| end.code != 0) else {
        return Vec::new();
    };
    let log = case.log_of_end(pod, container);
    let cause = if end.reason == "OOMKilled" {
        Candidate::of(&causes::OUT_OF_MEMORY, 60)
    } else {
        Candidate::of(&causes::SIDE_FAILS, 45)
    };
    let (kind, text) = texts::exit(&end);
    vec![
        cause
            .at(pod, container.name)
            .proven(kind, &text)
            .proven(ProofKind::Log, texts::last_line(log)),
    ]
}

/// Returns the present activity of a Pod that is not ready, for people.
pub(super) fn doing(pod: &PodView) -> String {
    if pod
        .condition("PodScheduled")
        .is_some_and(|one| one["status"] == "False")
    {
        return "waits for a node".into();
    }
    for container in pod.containers() {
        match container.phase {
            ContainerPhase::Waiting { reason, .. } if reason != "PodInitializing" => {
                return format!("container {} waits ({reason})", container.name);
            }
            ContainerPhase::Running if container.init => {
                return format!("init container {} runs", container.name);
            }
            ContainerPhase::Running if !container.ready => {
                return format!("container {} runs and is not ready yet", container.name);
            }
            ContainerPhase::Ended(end) if end.code != 0 => {
                return format!("container {} ended with {}", container.name, end.code);
            }
            _ => {}
        }
    }
    "is being started".into()
}

/// A field of a value as text, for proofs.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
