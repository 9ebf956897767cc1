//! What checks look at and what they answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use serde::{Deserialize, Serialize};

use super::{Lines, Milestone};
pub use crate::Subject;

/// What a check says of a state.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It holds. What was found is kept for the report.
    Pass(Finding),
    /// Nothing is recorded to compare with; what was found is kept.
    New(Finding),
    /// It does not hold yet, but may.
    NotYet(Finding),
    /// It does not hold and can't come to hold any more.
    Never(Finding),
    /// It can't be told: something that it would have to look at is not there any more.
    Lost(Finding),
}

/// What was expected and what was found, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Finding {
    /// One sentence: for `Pass` what holds, for `New` what is not recorded, for `NotYet` what is
    /// awaited and what was last seen, for `Never` the cause.
    pub message: String,
    /// What the expectation says, where there is something to compare.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// A unified difference of the two, where lines differ.
    pub diff: Option<String>,
    /// How many snapshots are not recorded yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub new_snapshots: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Identifies a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKey {
    /// Pod name.
    pub pod: String,
    /// Container name.
    pub container: String,
    /// The previous instance of the container.
    pub previous: bool,
}

/// A container's log as read so far.
#[derive(Debug, Clone)]
pub struct Log {
    /// Lines without their line ends, colour codes still in.
    pub lines: Lines,
    /// When a read of the whole log began, by the harness's own clock; what was written before it
    /// is in `lines`.
    pub complete_as_of: Option<Timestamp>,
    /// Whether the instance that wrote it had ended before that read, so that nothing more comes.
    pub ended: bool,
}

/// What the dashboard of the head answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dashboard {
    /// `ray_version` of `/api/version`.
    pub ray_version: Option<String>,
    /// `/api/jobs/`.
    pub jobs: Vec<DashboardJob>,
    /// Nodes of `/nodes?view=summary`.
    pub nodes: Vec<DashboardNode>,
}

/// A job as the dashboard lists it; unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardJob {
    /// `DRIVER` or `SUBMISSION`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED` or `STOPPED`.
    pub status: String,
    /// The command line of the driver.
    pub entrypoint: String,
    /// Milliseconds since 1970.
    pub start_time: Option<i64>,
    /// Where the driver runs, where it has connected to Ray.
    pub driver_info: Option<DriverInfo>,
    /// The agent of the node that a submitted entrypoint runs on.
    #[serde(default)]
    pub driver_agent_http_address: Option<String>,
    /// What Ray says of a failure.
    pub message: Option<String>,
}

impl DashboardJob {
    /// Address of the Ray node that it runs on.
    pub fn node(&self) -> Option<&str> {
        let driver = self.driver_info.as_ref();
        let agent = || {
            let address = self.driver_agent_http_address.as_deref()?;
            let address = address.strip_prefix("http://").unwrap_or(address);
            address.rsplit_once(':').map(|(host, _)| host)
        };
        driver
            .and_then(|driver| driver.node_ip_address.as_deref())
            .or_else(agent)
    }
}

/// Where a driver runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverInfo {
    /// Address of the Ray node.
    pub node_ip_address: Option<String>,
}

/// A Ray node as the dashboard lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DashboardNode {
    /// Its address.
    pub ip: String,
    /// `ALIVE` or `DEAD`.
    pub state: String,
    /// Whether it is the head.
    pub is_head: bool,
    /// The totals of its resources, as Ray counts them.
    #[serde(default)]
    pub resources: BTreeMap<String, f64>,
}

/// Why the API server refused an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Kind and name of the object.
    pub object: String,
    /// The API server's reason and message.
    pub message: String,
}

impl Rejection {
    /// The object and what the API server says of it, in which `rejected` checks look for their
    /// message.
    pub(super) fn sentence(&self) -> String {
        format!("{}: {}", self.object, self.message)
    }
}

/// All that is known of a case's namespace at one moment.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The moment, by the harness's own clock (`observe::now` of the harness); never compared with
    /// times of the cluster.
    pub now: Timestamp,
    /// When each Pod, event and `RayCluster` was first seen, by its uid, by the harness's own
    /// clock.
    pub seen: BTreeMap<String, Timestamp>,
    /// When each `RayCluster` was first seen with its present `ReplicaFailure` condition, by its
    /// uid, by the same clock.
    pub failing: BTreeMap<String, Timestamp>,
    /// Pods of the namespace, in order of creation; those that were deleted are gone.
    pub pods: Vec<Pod>,
    /// Jobs of the namespace (Kubernetes' own kind), in order of creation.
    pub jobs: Vec<Job>,
    /// Uids of the Pods that were there when the steps applied and deleted things; none before
    /// that.
    pub before_steps: Option<BTreeSet<String>>,
    /// Events of the namespace, oldest first.
    pub events: Vec<Event>,
    /// `RayCluster` objects, with their status.
    pub ray_clusters: Vec<serde_json::Value>,
    /// `RayJob` objects, with their status.
    pub ray_jobs: Vec<serde_json::Value>,
    /// Logs that were asked for.
    pub logs: BTreeMap<LogKey, Log>,
    /// The head's dashboard, once it answered.
    pub dashboard: Option<Dashboard>,
    /// Objects that the API server refused.
    pub rejections: Vec<Rejection>,
    /// When each milestone was first reached.
    pub milestones: BTreeMap<Milestone, Timestamp>,
    /// Allocatable CPU (in cores) and memory (in bytes) of the largest node that accepts Pods; none
    /// when unknown.
    pub largest_node: Option<(f64, f64)>,
}

/// Where expectations come from: snapshots beside the scenario, of the behaviour class of the
/// case's operator release.
pub trait Expectations {
    /// Compares what a Pod holds with its snapshot.
    fn compare(&self, subject: &Subject, found: &serde_json::Value) -> Comparison;
}

/// How what was found stands to its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal {
        /// The snapshot's body.
        body: String,
        /// The snapshot's file name.
        file: String,
    },
    /// Different.
    Different {
        /// The snapshot's body.
        expected: String,
        /// What was found, in the same form.
        found: String,
        /// A readable difference, in which white space can be told apart.
        diff: String,
        /// The snapshot's file name.
        file: String,
        /// That the release is not recorded, and what sets it apart from the nearest one that is.
        unrecorded: Option<String>,
    },
    /// There is no snapshot for this release's class.
    Missing {
        /// What was found, in the snapshot's form.
        found: String,
        /// The file name that the snapshot would have.
        file: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_count_of_something_is_written() {
        let counts = [0, 2].map(|count| {
            let finding = Finding {
                new_snapshots: count,
                ..Finding::default()
            };
            serde_json::to_value(finding)
                .unwrap()
                .get("new_snapshots")
                .cloned()
        });
        assert_eq!(counts, [None, Some(2.into())]);
    }
}
