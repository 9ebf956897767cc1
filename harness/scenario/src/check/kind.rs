//! The parts of a kind of check: its key, its layer, its rules for scenario files, its title and
//! its verdict.

use kuberay_contract::Layer;
use kuberay_manifest::yaml::Node;

use super::cause::TerminalFailure;
use super::{Expectations, LogKey, Milestone, Observation, Verdict};
use crate::Role;
use crate::problems::Problems;

/// What holds for every check of a kind.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The key in scenario files.
    pub key: &'static str,
    /// The layer of a rule that the check helps to prove: what an object says, or what comes of it.
    pub layer: Layer,
    /// Whether it judges a running container.
    pub needs_kubelet: bool,
    /// Whether it can look at a Pod that a Job makes. The Pods of a Job come and go, and there may
    /// be several.
    pub knows_pods_of_jobs: bool,
    /// Whether it follows the log of a container: it can wait for the end of the container, and a
    /// pass counts only at the end of the case, because a later line may take it back.
    pub follows_log: bool,
    /// The milestone that is reached when all checks of the kind pass. Only Ray's dashboard shows
    /// it.
    pub grants: Option<Milestone>,
    /// Finds what the schema can't say about a check: values that make no sense, and checks that
    /// pass on every cluster.
    pub lint: fn(&mut Problems<'_>, &Node),
}

impl Kind {
    /// A kind that only looks at objects and has no rules beyond the schema.
    pub fn new(key: &'static str, layer: Layer) -> Self {
        Self {
            key,
            layer,
            needs_kubelet: false,
            knows_pods_of_jobs: false,
            follows_log: false,
            grants: None,
            lint: |_, _| {},
        }
    }
}

/// A check of one kind. To add a kind, write a file in `check/kinds/` that implements this for the
/// type of its entry in scenario files, and name it in `check/kinds.rs`.
pub(crate) trait CheckKind {
    /// What holds for every check of the kind.
    fn kind() -> Kind
    where
        Self: Sized;

    /// The part of the title that distinguishes the check from others of its kind.
    fn detail(&self) -> String;

    /// Judges a state. The same state always gives the same verdict; [`Verdict::Never`] is final
    /// for the case.
    fn evaluate(&self, observation: &Observation, expectations: &dyn Expectations) -> Verdict;

    /// The role and the worker group of the Pod that it waits for, where it waits for one.
    fn pod(&self) -> Option<(Role, Option<&str>)> {
        None
    }

    /// Its own limit, where it has one beside the time that it watches.
    fn within(&self) -> Option<&str> {
        None
    }

    /// The milestones that it waits for.
    fn awaited(&self) -> Vec<Milestone> {
        Vec::new()
    }

    /// The milestone after which nothing is left to it but to watch for some time.
    fn watches_after(&self) -> Option<Milestone> {
        None
    }

    /// The role of the Pod to which something must not happen, where the check passes because it
    /// did not happen for some time.
    fn unwanted(&self) -> Option<Role> {
        None
    }

    /// The logs that it must see to be judged: those of containers that have started.
    fn needed_logs(&self, _observation: &Observation) -> Vec<LogKey> {
        Vec::new()
    }

    /// Whether it expects just this failure; whether it is so in detail is for
    /// [`CheckKind::evaluate`] to say.
    fn expects(&self, _failure: &TerminalFailure) -> bool {
        false
    }
}
