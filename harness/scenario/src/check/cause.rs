//! Causes for which a case can't go on, and the checks that make one expected.

use k8s_openapi::api::core::v1::Pod;

use super::{Finding, pods};
use crate::Role;

/// A state that can't get better.
#[derive(Debug)]
pub(super) struct TerminalFailure {
    pub cause: Cause,
    /// Where it is; none where it is not about a Pod.
    pub place: Option<ContainerRef>,
    pub finding: Finding,
}

/// What can't get better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The API server refused an object, with what it said.
    Api(String),
    /// The operator can't make Pods of the object, with the reason of its event.
    Operator(String),
    /// A container can't be made, with the reason that it waits for.
    Waiting(String),
    /// A container ended.
    Exit,
    /// A container's `postStart` hook failed, for which the kubelet ends the container.
    Hook,
    /// A Pod asks for more than any node has.
    TooLarge,
}

/// A container, in the terms in which checks name one.
#[derive(Debug)]
pub(super) struct ContainerRef {
    role: Option<Role>,
    group: Option<String>,
    container: Option<String>,
    ray: bool,
}

impl ContainerRef {
    pub(super) fn new(pod: &Pod, container: Option<&str>) -> Self {
        Self {
            role: pods::role(pod),
            group: pods::group(pod).map(str::to_owned),
            container: container.map(str::to_owned),
            ray: container.is_some() && container == pods::container_name(pod, None),
        }
    }

    fn is(&self, role: Role, group: Option<&str>, container: Option<&str>) -> bool {
        self.role == Some(role)
            && (group.is_none() || group == self.group.as_deref())
            && container.map_or(self.ray, |name| self.container.as_deref() == Some(name))
    }
}

impl TerminalFailure {
    /// Whether it is at the container that a check names.
    pub(super) fn is_at(&self, role: Role, group: Option<&str>, container: Option<&str>) -> bool {
        let place = self.place.as_ref();
        place.is_some_and(|place| place.is(role, group, container))
    }
}

impl Cause {
    /// Whether a container ended.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Cause::Exit | Cause::Hook)
    }

    /// Reasons of events that come with the cause.
    pub(super) fn event_reasons(&self) -> Vec<&str> {
        match self {
            Cause::Api(_) => vec![],
            Cause::Operator(reason) => vec![reason],
            Cause::Waiting(reason) => vec!["Failed", "BackOff", "InspectFailed", reason],
            Cause::Exit => vec!["BackOff"],
            Cause::Hook => vec!["FailedPostStartHook", "BackOff"],
            Cause::TooLarge => vec!["FailedScheduling"],
        }
    }

    /// Whether a container waits for a reason because of this cause, now or in a moment.
    pub(super) fn waits(&self, reason: &str) -> bool {
        const PULL: [&str; 2] = ["ErrImagePull", "ImagePullBackOff"];
        match self {
            Cause::Waiting(own) => {
                own == reason || (PULL.contains(&own.as_str()) && PULL.contains(&reason))
            }
            Cause::Exit => ["CrashLoopBackOff", "RunContainerError"].contains(&reason),
            Cause::Hook => ["CrashLoopBackOff", "PostStartHookError"].contains(&reason),
            Cause::Api(_) | Cause::Operator(_) | Cause::TooLarge => false,
        }
    }
}
