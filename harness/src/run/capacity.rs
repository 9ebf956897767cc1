//! How many cells fit on the nodes at once; nothing is started that would only wait for a node.

mod placement;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub(super) use placement::can_be_placed;

use super::demand::of_pod;
use super::shared::{Shared, Slip, Turn};
use crate::check::quantity;

/// An amount of CPU and memory, in whole millicores and bytes so that sums are exact, and of Pods, of which a node takes
/// only so many (110 where nobody says otherwise).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    millicores: u64,
    bytes: u64,
    pods: u64,
}

impl Resources {
    /// `cpu` in cores, `memory` in bytes, and no Pods; what is below zero counts as zero.
    pub fn new(cpu: f64, memory: f64) -> Self {
        Self {
            millicores: whole(cpu * 1000.0),
            bytes: whole(memory),
            pods: 0,
        }
    }

    /// Room of this CPU (cores) and memory (bytes) for any number of Pods.
    pub fn room(cpu: f64, memory: f64) -> Self {
        Self::new(cpu, memory).with_pods(u64::MAX)
    }

    /// The same for so many Pods.
    #[must_use]
    pub fn with_pods(self, pods: u64) -> Self {
        Self { pods, ..self }
    }

    /// As much as can be.
    pub fn unlimited() -> Self {
        Self {
            millicores: u64::MAX,
            bytes: u64::MAX,
            pods: u64::MAX,
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.saturating_add(other.millicores),
            bytes: self.bytes.saturating_add(other.bytes),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// What is left; nothing where there is less.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.saturating_sub(other.millicores),
            bytes: self.bytes.saturating_sub(other.bytes),
            pods: self.pods.saturating_sub(other.pods),
        }
    }

    /// One part of so many.
    #[must_use]
    pub fn divided_by(self, parts: u32) -> Self {
        let parts = u64::from(parts.max(1));
        Self {
            millicores: self.millicores / parts,
            bytes: self.bytes / parts,
            pods: self.pods / parts,
        }
    }

    /// Of each the smaller.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        Self {
            millicores: self.millicores.min(other.millicores),
            bytes: self.bytes.min(other.bytes),
            pods: self.pods.min(other.pods),
        }
    }

    /// Whether all of it fits into `room`.
    pub fn fit_into(self, room: Self) -> bool {
        self.millicores <= room.millicores && self.bytes <= room.bytes && self.pods <= room.pods
    }
}

impl std::fmt::Display for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = self.bytes / 1024 / 1024;
        match self.pods {
            0 => write!(f, "{}m CPU, {mib} MiB", self.millicores),
            pods => write!(f, "{}m CPU, {mib} MiB for {pods} Pods", self.millicores),
        }
    }
}

/// How many cells run at once in the lane `kind` where nobody says: one for each processor, because every node of kind
/// claims all of them, and a Ray that starts keeps one busy for ten seconds and more (measured: docs/speed.md).
pub fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What nodes that accept Pods have left, and how many cells may run at once.
#[derive(Debug)]
pub struct Capacity {
    total: Resources,
    jobs: usize,
    used: Mutex<(Resources, usize)>,
    freed: Notify,
    turn: tokio::sync::Mutex<()>,
    /// Where other processes use the same nodes.
    shared: Option<Shared>,
}

/// The right to run a cell; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    capacity: Arc<Capacity>,
    amount: Resources,
    /// What other processes see of it.
    slip: Option<Slip>,
}

/// Permits of other processes could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("looking at what other processes run on the cluster, in {}: {source}", folder.display())]
pub struct PermitError {
    folder: PathBuf,
    source: std::io::Error,
}

/// How often other processes are looked at; nobody tells when a lock of theirs ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Capacity {
    /// `jobs` cells at once at most, as far as they fit into `total`.
    pub fn new(total: Resources, jobs: usize) -> Self {
        Self {
            total,
            jobs: jobs.max(1),
            used: Mutex::default(),
            freed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            shared: None,
        }
    }

    /// Counts what other processes run, too: all that name the same folder share the room.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn shared(self, folder: PathBuf) -> Result<Self, PermitError> {
        match Shared::new(folder.clone()) {
            Ok(shared) => Ok(Self {
                shared: Some(shared),
                ..self
            }),
            Err(source) => Err(PermitError { folder, source }),
        }
    }

    /// All that cells may use.
    pub fn total(&self) -> Resources {
        self.total
    }

    /// Waits for room, in the order of asking. What asks for more than there is at all gets everything: its Pods then
    /// say why they can't run.
    ///
    /// # Errors
    /// When the permits of other processes can't be looked at.
    pub async fn acquire(self: &Arc<Self>, wanted: Resources) -> Result<Permit, PermitError> {
        let amount = wanted.at_most(self.total);
        let _turn = self.turn.lock().await;
        loop {
            let freed = self.freed.notified();
            if self.take(amount) {
                break;
            }
            freed.await;
        }
        let mut permit = Permit {
            capacity: Arc::clone(self),
            amount,
            slip: None,
        };
        if let Some(shared) = &self.shared {
            let slip = self.slip(shared, amount).await;
            permit.slip = Some(slip.map_err(|source| PermitError {
                folder: shared.folder().into(),
                source,
            })?);
        }
        Ok(permit)
    }

    /// Waits until there is room beside what other processes run. Who has the turn keeps it meanwhile, so that those who
    /// ask for less don't overtake.
    async fn slip(&self, shared: &Shared, amount: Resources) -> std::io::Result<Slip> {
        let mut turn: Option<Turn> = None;
        loop {
            if turn.is_none() {
                turn = shared.turn()?;
            }
            if let Some(turn) = &turn {
                let (used, count) = shared.used(turn)?;
                if count < self.jobs && used.plus(amount).fit_into(self.total) {
                    return shared.note(turn, amount);
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn take(&self, amount: Resources) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = used.1 < self.jobs && used.0.plus(amount).fit_into(self.total);
        if fits {
            *used = (used.0.plus(amount), used.1 + 1);
        }
        fits
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.capacity.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = (used.0.minus(self.amount), used.1.saturating_sub(1));
        drop(used);
        self.capacity.freed.notify_one();
    }
}

/// What the nodes that accept Pods have, less what Pods request that run there already; those in namespaces of `cells`
/// are counted by their permits.
pub(super) fn free(nodes: &[Node], pods: &[Pod], cells: &BTreeSet<String>) -> Resources {
    let all = usable(nodes)
        .map(allocatable)
        .fold(Resources::default(), Resources::plus);
    let names: Vec<_> = usable(nodes).filter_map(|node| node.metadata.name.as_deref()).collect();
    all.minus(taken(pods, cells, |node| node.is_none_or(|node| names.contains(&node))))
}

/// What each of these nodes has left, reckoned as [`free`] does; a Pod that has no node yet counts on none.
pub(super) fn free_of_each(nodes: &[Node], pods: &[Pod], cells: &BTreeSet<String>) -> Vec<Resources> {
    let left = |node: &Node| {
        let here = |other: Option<&str>| other.is_some() && other == node.metadata.name.as_deref();
        allocatable(node).minus(taken(pods, cells, here))
    };
    usable(nodes).map(left).collect()
}

/// What Pods on these nodes (none: not on any yet) request that have not ended; without those of `cells`.
fn taken(pods: &[Pod], cells: &BTreeSet<String>, is_there: impl Fn(Option<&str>) -> bool) -> Resources {
    let takes = |pod: &&Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let is_of_cell = pod.metadata.namespace.as_ref().is_some_and(|name| cells.contains(name));
        !is_of_cell && !matches!(phase, Some("Succeeded" | "Failed")) && is_there(node)
    };
    let requested = pods.iter().filter(takes).map(of_pod);
    requested.fold(Resources::default(), Resources::plus)
}

/// Allocatable CPU (cores) and memory (bytes) of the largest node that accepts Pods.
pub(super) fn largest(nodes: &[Node]) -> Option<(f64, f64)> {
    usable(nodes)
        .map(|node| (amount(node, "cpu"), amount(node, "memory")))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
}

pub(super) fn usable(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| {
        node.spec.as_ref().is_none_or(|spec| {
            let closed = spec
                .taints
                .iter()
                .flatten()
                .any(|taint| taint.effect != "PreferNoSchedule");
            !spec.unschedulable.unwrap_or(false) && !closed
        })
    })
}

fn allocatable(node: &Node) -> Resources {
    let resources = Resources::new(amount(node, "cpu"), amount(node, "memory"));
    resources.with_pods(whole(amount(node, "pods")))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate, which is meant"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn amount(node: &Node, resource: &str) -> f64 {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    allocatable
        .and_then(|allocatable| quantity::parse(&allocatable.get(resource)?.0))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::{Capacity, Resources, free, free_of_each, largest};

    const MIB: f64 = 1024.0 * 1024.0;

    fn cpu(cores: f64) -> Resources {
        Resources::new(cores, 0.0)
    }

    #[test]
    fn a_node_takes_no_more_pods_than_it_may() {
        let capacity = Arc::new(Capacity::new(Resources::new(64.0, 0.0).with_pods(3), 8));
        let two = cpu(0.1).with_pods(2);
        assert!(capacity.take(two) && !capacity.take(two) && capacity.take(cpu(0.1).with_pods(1)));
    }

    fn fits(capacity: &Arc<Capacity>, cores: f64) -> bool {
        capacity.take(cpu(cores))
    }

    #[test]
    fn a_two_core_node_takes_one_head_of_one_cpu_or_two_of_half() {
        let node = |name: &str, taints| {
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"taints": taints},
                "status": {"allocatable": {"cpu": "2", "memory": "1000Mi", "pods": "110"}}}))
            .expect("a Node")
        };
        let pod = |namespace: &str, node: &str, cpu: &str, phase: &str| {
            serde_json::from_value(json!({"metadata": {"namespace": namespace}, "spec": {"nodeName": node, "containers": [
                {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "100Mi"}}}]}, "status": {"phase": phase}}))
            .expect("a Pod")
        };
        let nodes = [
            node("a", json!([])),
            node("b", json!([{"key": "k", "effect": "NoSchedule"}])),
        ];
        let pods = [
            pod("system", "a", "850m", "Running"),
            pod("system", "a", "100m", "Running"),
            pod("system", "a", "1", "Succeeded"),
            pod("system", "b", "1", "Running"),
            pod("cell", "a", "1", "Running"),
        ];
        let room = free(&nodes, &pods, &BTreeSet::from(["cell".to_owned()]));
        assert_eq!(room, Resources::new(1.05, 800.0 * MIB).with_pods(108));
        assert_eq!(largest(&nodes), Some((2.0, 1000.0 * MIB)));
        let both = [node("a", json!([])), node("b", json!([]))];
        let left = free_of_each(&both, &pods, &BTreeSet::from(["cell".to_owned()]));
        let second = Resources::new(1.0, 900.0 * MIB).with_pods(109);
        assert_eq!(left, [room, second], "each with its own Pods");

        let one = Arc::new(Capacity::new(room, 8));
        assert!(fits(&one, 1.0) && !fits(&one, 0.1));
        let two = Arc::new(Capacity::new(room, 8));
        assert!(fits(&two, 0.5) && fits(&two, 0.5) && !fits(&two, 0.1));
    }

    #[test]
    fn jobs_limit_what_room_does_not() {
        let capacity = Arc::new(Capacity::new(cpu(10.0), 1));
        assert!(fits(&capacity, 1.0) && !fits(&capacity, 1.0));
    }

    #[tokio::test]
    async fn processes_share_the_room_by_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let process = |jobs| {
            let capacity = Capacity::new(cpu(1.0), jobs).shared(folder.path().into());
            Arc::new(capacity.expect("a folder"))
        };
        let (one, other) = (process(8), process(8));
        let first = one.acquire(cpu(0.7)).await.expect("a permit");
        let waiting = other.acquire(cpu(0.5));
        tokio::pin!(waiting);
        let limit = Duration::from_millis(300);
        assert!(
            tokio::time::timeout(limit, &mut waiting).await.is_err(),
            "there is no room"
        );
        drop(first);
        let second = waiting.await.expect("a permit");
        // A limit of jobs counts those of others.
        let third = process(1);
        assert!(tokio::time::timeout(limit, third.acquire(cpu(0.1))).await.is_err());
        drop(second);
        third.acquire(cpu(0.1)).await.expect("a permit");
    }

    #[tokio::test]
    async fn what_is_too_large_runs_alone_and_what_waits_gets_its_turn() {
        let capacity = Arc::new(Capacity::new(cpu(1.0), 8));
        let first = capacity.acquire(cpu(0.5)).await.expect("a permit");
        let mut large = tokio::spawn({
            let capacity = Arc::clone(&capacity);
            async move { capacity.acquire(cpu(64.0)).await }
        });
        assert!(
            tokio::time::timeout(Duration::from_millis(50), &mut large)
                .await
                .is_err(),
            "it waits until all is free"
        );
        drop(first);
        let large = large.await.expect("a task").expect("a permit");
        assert!(!fits(&capacity, 0.1));
        drop(large);
        assert!(fits(&capacity, 1.0));
    }
}
