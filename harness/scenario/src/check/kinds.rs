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
    /// The fields of the container equal their snapshots, white space included.
    Pod(PodCheck),
    /// At least `pods` Pods of the same Pod template have the same generated `ray start` flags.
    /// `orders: one` needs the same order in all of them, `orders: several` at least two orders.
    FlagOrder(flag_order::FlagOrderCheck),
    /// Across at least `pods` Pods of the same Pod template, the generated flag takes each of these
    /// values and no other.
    FlagValues(flag_values::FlagValuesCheck),
    /// No Pod of this role and group exists until `for` has passed since the harness first saw a
    /// Pod of `after`.
    Absent(absent::AbsentCheck),
    /// Ray's dashboard lists this number of alive Ray nodes, with at least these total resources. A
    /// Pod can be Ready long before this check holds.
    Ray(ray::RayCheck),
    /// The lines appear in the log of the container in this order; other lines may appear between
    /// them.
    Logs(LogsCheck),
    /// The dashboard lists exactly `count` jobs. One of them has exactly this entrypoint and status,
    /// and ran on the Ray node of the head or of `node`.
    Job(job::JobCheck),
    /// The container is in this state. If the check expects the container to end, the end does not
    /// count as a terminal failure.
    State(state::StateCheck),
    /// The Pod does not restart, or is not ready, until `for` has passed since the milestone
    /// `after`.
    Never(never::NeverCheck),
    /// The milestone `first` was reached before `then`, by at least `apart`.
    Reached(reached::ReachedCheck),
    /// An event of the namespace has this reason and message.
    Event(event::EventCheck),
    /// The API server or the operator refuses the objects with this message.
    Rejected(rejected::RejectedCheck),
    /// This field of the status of a `RayCluster` or `RayJob` has this value, such as
    /// `{kind: RayCluster, field: state, value: suspended}`.
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
