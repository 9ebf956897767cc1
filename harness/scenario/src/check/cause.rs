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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn ends_are_those_of_a_container_that_has_run() {
        assert!(Cause::Exit.is_end());
        assert!(Cause::Hook.is_end());
        let others = [
            Cause::Api("refused".into()),
            Cause::Operator("FailedToCreateHeadPod".into()),
            Cause::Waiting("ErrImagePull".into()),
            Cause::TooLarge,
        ];
        for other in others {
            assert!(!other.is_end(), "{other:?}");
        }
    }

    #[rstest]
    #[case::itself(Cause::Waiting("InvalidImageName".into()), "InvalidImageName", true)]
    #[case::pull(Cause::Waiting("ErrImagePull".into()), "ImagePullBackOff", true)]
    #[case::pull_again(Cause::Waiting("ImagePullBackOff".into()), "ErrImagePull", true)]
    #[case::before_a_pull(Cause::Waiting("InvalidImageName".into()), "ErrImagePull", false)]
    #[case::after_a_pull(Cause::Waiting("ErrImagePull".into()), "InvalidImageName", false)]
    #[case::restart(Cause::Exit, "CrashLoopBackOff", true)]
    #[case::not_made(Cause::Exit, "RunContainerError", true)]
    #[case::no_hook(Cause::Exit, "PostStartHookError", false)]
    #[case::hook(Cause::Hook, "PostStartHookError", true)]
    #[case::hook_again(Cause::Hook, "CrashLoopBackOff", true)]
    #[case::no_exit(Cause::Hook, "RunContainerError", false)]
    #[case::too_large(Cause::TooLarge, "CrashLoopBackOff", false)]
    #[case::api(Cause::Api("ErrImagePull".into()), "ErrImagePull", false)]
    fn reasons_to_wait(#[case] cause: Cause, #[case] reason: &str, #[case] expected: bool) {
        assert_eq!(cause.waits(reason), expected);
    }

    #[rstest]
    #[case(Role::Worker, None, None, true)]
    #[case(Role::Worker, Some("g"), None, true)]
    #[case(Role::Worker, Some("g"), Some("ray"), true)]
    #[case(Role::Worker, Some("g"), Some("beside"), false)]
    #[case(Role::Worker, Some("other"), None, false)]
    #[case(Role::Head, Some("g"), None, false)]
    fn places(
        #[case] role: Role,
        #[case] group: Option<&str>,
        #[case] container: Option<&str>,
        #[case] expected: bool,
    ) {
        let place = |container: &str, ray: bool| ContainerRef {
            role: Some(Role::Worker),
            group: Some("g".into()),
            container: Some(container.into()),
            ray,
        };
        assert_eq!(place("ray", true).is(role, group, container), expected);
        let beside = place("beside", false);
        assert!(beside.is(Role::Worker, None, Some("beside")));
        assert!(!beside.is(Role::Worker, None, None), "not Ray's");
    }
}
