//! The kinds of checks, a file each, and the list of them: a new kind is a file, its `mod` and its
//! line in the list.

mod absent;
mod event;
mod flag_order;
mod flag_values;
mod job;
mod logs;
mod never;
mod pod;
mod ray;
mod reached;
mod rejected;
mod state;
mod status;

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use logs::reading;
pub use logs::{LineExpectation, LogsCheck};
pub use pod::PodCheck;

use super::cause::TerminalFailure;
use super::kind::{CheckKind, Kind};
use super::{Expectations, LogKey, Milestone, Observation, Verdict};
use crate::Role;

/// Makes the enum of all checks of a list of kinds, so that nothing else lists them.
macro_rules! check_kinds {
    ($($(#[$doc:meta])* $name:ident($check:ty),)*) => {
        /// One expectation about the cluster's state; each entry of `checks` has exactly one of
        /// these keys.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub enum Check {
            $($(#[$doc])* $name($check),)*
        }

        impl Check {
            fn any(&self) -> &dyn CheckKind {
                match self {
                    $(Check::$name(check) => check,)*
                }
            }

            fn of_kind(&self) -> Kind {
                match self {
                    $(Check::$name(_) => <$check>::kind(),)*
                }
            }
        }

        /// Every kind, in the order of the list.
        pub(crate) fn all() -> Vec<Kind> {
            vec![$(<$check>::kind(),)*]
        }
    };
}

check_kinds! {
    /// Fields of a Ray Pod against snapshots.
    Pod(PodCheck),
    /// The order of the generated `ray start` flags in many Pods of the same Pod template.
    FlagOrder(flag_order::FlagOrderCheck),
    /// The values of one generated `ray start` flag in many Pods of the same Pod template.
    FlagValues(flag_values::FlagValuesCheck),
    /// A Pod that must not exist, until some time after another Pod appears.
    Absent(absent::AbsentCheck),
    /// Ray itself answers: the dashboard lists the expected number of nodes, all alive.
    Ray(ray::RayCheck),
    /// Lines of a container's log, in order.
    Logs(LogsCheck),
    /// A job in the dashboard's list.
    Job(job::JobCheck),
    /// The state of a container: waiting, running, or terminated.
    State(state::StateCheck),
    /// Something that must not happen during a time after a milestone.
    Never(never::NeverCheck),
    /// Which of two milestones was reached first.
    Reached(reached::ReachedCheck),
    /// An event of the namespace.
    Event(event::EventCheck),
    /// The API server or the operator refuses the objects.
    Rejected(rejected::RejectedCheck),
    /// A field of the status that the operator writes into a Ray object.
    Status(status::StatusCheck),
}

impl Check {
    /// The key that the check has in the scenario file.
    pub fn kind(&self) -> &'static str {
        self.of_kind().key
    }

    /// The layer of a rule that the check helps to prove: what an object says, or what comes of it.
    pub fn layer(&self) -> Layer {
        self.of_kind().layer
    }

    /// Whether the check needs a kubelet, because it judges a running container.
    pub fn needs_kubelet(&self) -> bool {
        self.of_kind().needs_kubelet
    }

    /// Whether only Ray's dashboard shows what the check judges.
    pub fn needs_dashboard(&self) -> bool {
        self.grants().is_some()
    }

    /// Whether a pass counts only at the end of the case, because a later line of a log may take it
    /// back.
    pub fn holds_to_the_end(&self) -> bool {
        self.of_kind().follows_log
    }

    /// The milestone that is reached when this check and all others of its kind pass.
    pub fn grants(&self) -> Option<Milestone> {
        self.of_kind().grants
    }

    /// The name of the check in reports: its key, and what distinguishes it from others of the
    /// kind.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind(), self.any().detail())
    }

    /// The role and the worker group of the Pod that the check waits for, where it waits for one.
    pub fn pod(&self) -> Option<(Role, Option<&str>)> {
        self.any().pod()
    }

    /// `within`, where the check has a limit of its own beside the time that it names.
    pub fn within(&self) -> Option<&str> {
        self.any().within()
    }

    /// The milestones that the check waits for.
    pub fn awaited(&self) -> Vec<Milestone> {
        self.any().awaited()
    }

    /// The milestone after which nothing is left to the check but to watch for some time.
    pub fn watches_after(&self) -> Option<Milestone> {
        self.any().watches_after()
    }

    /// The role of the Pod to which something must not happen, where the check passes because it
    /// did not happen for some time.
    pub fn unwanted(&self) -> Option<Role> {
        self.any().unwanted()
    }

    /// The logs that the check must see to be judged: those of containers that have started.
    pub fn needed_logs(&self, observation: &Observation) -> Vec<LogKey> {
        self.any().needed_logs(observation)
    }

    /// Says what the check makes of a state. The same state always gives the same verdict; `Never`
    /// is final for the case.
    ///
    /// Some verdicts depend on [`Observation::now`] alone (a `never` check passes by time), so call
    /// it again after a second even where nothing else has changed.
    pub fn evaluate(&self, observation: &Observation, expectations: &dyn Expectations) -> Verdict {
        self.any().evaluate(observation, expectations)
    }

    pub(super) fn expects(&self, failure: &TerminalFailure) -> bool {
        self.any().expects(failure)
    }
}

/// A Pod as titles name it: its role and, where the check names one, its group.
fn pod_title(role: Role, group: Option<&String>) -> String {
    match group {
        None => role.word().to_owned(),
        Some(group) => format!("{} {group}", role.word()),
    }
}
