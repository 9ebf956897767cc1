//! The right to run a case: who may begin, beside whom.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::super::resources::Resources;
use super::super::shared::{AllocationsLock, Reservation, Shared};
use super::can_be_placed;

/// Interval between two looks at other processes, which give no notice when a lock of theirs ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Number of waiting cases among which the scheduler looks, in their order, for one that fits.
const LOOK_AHEAD: usize = 32;
/// Number of cases that may overtake one that does not fit; then all wait until it fits.
const PATIENCE: u32 = 16;

/// The free capacity of the nodes that accept Pods, and the number of cases that may run at once.
#[derive(Debug)]
pub struct Capacity {
    total: Resources,
    jobs: usize,
    /// Whether cases may overlap, see [`Allocation::overlap`].
    overlap: bool,
    /// The free capacity of each node; `None` where the node of a Pod does not matter.
    nodes: Option<Vec<Resources>>,
    /// Number of Pods that may start at once, see [`Capacity::starting`].
    starting: u64,
    state: Mutex<QueueState>,
    freed: Notify,
    order: tokio::sync::Mutex<()>,
    /// Where other processes use the same nodes.
    shared: Option<Shared>,
}

#[derive(Debug, Default)]
struct QueueState {
    taken: Resources,
    cases: usize,
    overlapping_cases: usize,
    /// Pods of cases that count as running.
    starting: u64,
    /// Pods of all allocations that lie on nodes, by the allocations' numbers.
    held: BTreeMap<u64, Vec<Resources>>,
    /// The cases that wait, in the order in which the scheduler considers them.
    waiting: BTreeMap<QueuePosition, Waiting>,
    asked: u64,
}

/// The higher priority first; of equal priorities, the earlier request first.
type QueuePosition = (Reverse<Priority>, u64);

/// The order of waiting cases. The case that needs the most capacity goes first, because small
/// cases would otherwise keep it waiting. Of equal cases the longest goes first, so that no long
/// case runs alone at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority {
    /// CPU requests of all its Pods, in thousandths of a core.
    pub millicores: u64,
    /// Its last recorded duration, where there is one.
    pub takes: Option<Duration>,
}

#[derive(Debug)]
struct Waiting {
    amount: Resources,
    pods: Vec<Resources>,
    overtaken: u32,
}

/// The right to run a case; given back when dropped.
#[derive(Debug)]
pub struct Allocation {
    capacity: Arc<Capacity>,
    number: u64,
    amount: Resources,
    overlaps: bool,
    /// Its record for other processes.
    reservation: Option<Reservation>,
}

/// Allocations of other processes could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("reading the cases of other processes on the cluster in {}: {source}", folder.display())]
pub struct AllocationError {
    folder: PathBuf,
    source: std::io::Error,
}

/// A place among those that wait; given up when dropped.
struct Ticket<'a> {
    capacity: &'a Capacity,
    place: QueuePosition,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.capacity.state().waiting.remove(&self.place).is_some() {
            self.capacity.freed.notify_waiters();
        }
    }
}

impl Capacity {
    /// `jobs` cases at once at most, as far as they fit into `total`.
    pub fn new(total: Resources, jobs: usize) -> Self {
        Self {
            total,
            jobs: jobs.max(1),
            overlap: false,
            nodes: None,
            starting: u64::MAX,
            state: Mutex::default(),
            freed: Notify::new(),
            order: tokio::sync::Mutex::default(),
            shared: None,
        }
    }

    /// Lets cases overlap, see [`Allocation::overlap`].
    #[must_use]
    pub fn overlapping(self, overlap: bool) -> Self {
        Self { overlap, ..self }
    }

    /// Lets no case begin whose Pods could find no node beside those of this process's others,
    /// where nodes have this left.
    #[must_use]
    pub fn on(self, nodes: Option<Vec<Resources>>) -> Self {
        Self { nodes, ..self }
    }

    /// Lets no case begin where more than this many Pods would start at once; a case that has more
    /// begins when no other starts. Each Ray that starts keeps a processor busy, so a case of three
    /// Pods is as much work as three of one. A case that overlaps counts no longer.
    #[must_use]
    pub fn starting(self, pods: usize) -> Self {
        let starting = u64::try_from(pods).unwrap_or(u64::MAX);
        Self { starting, ..self }
    }

    /// Counts what other processes run, too: all that name the same folder share the capacity.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn shared(self, folder: PathBuf) -> Result<Self, AllocationError> {
        match Shared::new(folder.clone()) {
            Ok(shared) => Ok(Self {
                shared: Some(shared),
                ..self
            }),
            Err(source) => Err(AllocationError { folder, source }),
        }
    }

    /// All that cases may use.
    pub fn total(&self) -> Resources {
        self.total
    }

    /// Waits for capacity for these Pods, by priority and then in the order of asking. A case that
    /// does not fit yet is overtaken by those behind it that fit, but not for ever. Of a higher
    /// priority there are only as many as cases. A case that asks for more than the total gets
    /// everything: its Pods then say why they can't run.
    ///
    /// # Errors
    /// When the allocations of other processes can't be looked at.
    pub async fn acquire(
        self: &Arc<Self>,
        pods: Vec<Resources>,
        priority: Priority,
    ) -> Result<Allocation, AllocationError> {
        let amount = pods
            .iter()
            .copied()
            .fold(Resources::default(), Resources::plus);
        self.acquire_amount(amount.at_most(self.total), pods, priority)
            .await
    }

    /// As [`Capacity::acquire`], but waits until no other case runs, and lets none begin beside it.
    ///
    /// # Errors
    /// As [`Capacity::acquire`].
    pub async fn acquire_all(
        self: &Arc<Self>,
        pods: Vec<Resources>,
        priority: Priority,
    ) -> Result<Allocation, AllocationError> {
        self.acquire_amount(self.total, pods, priority).await
    }

    async fn acquire_amount(
        self: &Arc<Self>,
        amount: Resources,
        pods: Vec<Resources>,
        priority: Priority,
    ) -> Result<Allocation, AllocationError> {
        let ticket = self.ask(amount, pods, priority);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if self.take(ticket.place) {
                break;
            }
            freed.await;
        }
        let mut allocation = Allocation {
            capacity: Arc::clone(self),
            number: ticket.place.1,
            amount,
            overlaps: false,
            reservation: None,
        };
        // The next may fit, too.
        self.freed.notify_waiters();
        if let Some(shared) = &self.shared {
            let _order = self.order.lock().await;
            let reservation = self.reservation(shared, amount).await;
            allocation.reservation = Some(reservation.map_err(|source| AllocationError {
                folder: shared.folder().into(),
                source,
            })?);
        }
        Ok(allocation)
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, amount: Resources, mut pods: Vec<Resources>, priority: Priority) -> Ticket<'_> {
        // What no node can ever hold lies on none: it waits for no other's end, and nobody for its.
        if self
            .nodes
            .as_ref()
            .is_some_and(|nodes| !can_be_placed(&pods, nodes))
        {
            pods.clear();
        }
        let mut state = self.state();
        let place = (Reverse(priority), state.asked);
        state.asked += 1;
        let waiting = Waiting {
            amount,
            pods,
            overtaken: 0,
        };
        state.waiting.insert(place, waiting);
        Ticket {
            capacity: self,
            place,
        }
    }

    /// Takes the capacity, if this one is next.
    fn take(&self, place: QueuePosition) -> bool {
        let mut state = self.state();
        if self.next(&state) != Some(place) {
            return false;
        }
        let Some(taken) = state.waiting.remove(&place) else {
            return false;
        };
        for (_, waiting) in state.waiting.range_mut(..place) {
            waiting.overtaken += 1;
        }
        state.taken = state.taken.plus(taken.amount);
        state.cases += 1;
        state.starting = state.starting.saturating_add(taken.amount.pods());
        state.held.insert(place.1, taken.pods);
        true
    }

    /// Returns the waiting case that may begin next.
    fn next(&self, state: &QueueState) -> Option<QueuePosition> {
        if state.cases >= self.jobs {
            return None;
        }
        for (place, waiting) in state.waiting.iter().take(LOOK_AHEAD) {
            if self.fits(state, waiting) {
                return Some(*place);
            }
            if waiting.overtaken >= PATIENCE {
                return None;
            }
        }
        None
    }

    fn fits(&self, state: &QueueState, waiting: &Waiting) -> bool {
        let place = |nodes: &Vec<Resources>| {
            let all: Vec<_> = state
                .held
                .values()
                .flatten()
                .chain(&waiting.pods)
                .copied()
                .collect();
            can_be_placed(&all, nodes)
        };
        self.may_start(state.starting, waiting.amount)
            && state.taken.plus(waiting.amount).fit_into(self.total)
            && self.nodes.as_ref().is_none_or(place)
    }

    fn may_start(&self, beside: u64, amount: Resources) -> bool {
        beside == 0 || beside.saturating_add(amount.pods()) <= self.starting
    }

    /// Waits until there is capacity beside what other processes run. The holder of the lock keeps
    /// it meanwhile, so that those who ask for less don't overtake.
    async fn reservation(
        &self,
        shared: &Shared,
        amount: Resources,
    ) -> std::io::Result<Reservation> {
        let mut lock: Option<AllocationsLock> = None;
        loop {
            if lock.is_none() {
                lock = shared.lock()?;
            }
            if let Some(lock) = &lock {
                let used = shared.used(lock)?;
                if used.cases < self.jobs
                    && self.may_start(used.starting, amount)
                    && used.amount.plus(amount).fit_into(self.total)
                {
                    return shared.note(lock, amount);
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Allocation {
    /// To be called when the case only waits for time to pass, or for its Pods to end: it keeps its
    /// capacity, but another may begin as if it were over. In one process at most as many overlap
    /// as run.
    pub fn overlap(&mut self) {
        if self.overlaps || !self.capacity.overlap {
            return;
        }
        let mut state = self.capacity.state();
        if state.overlapping_cases >= self.capacity.jobs {
            return;
        }
        state.overlapping_cases += 1;
        state.cases = state.cases.saturating_sub(1);
        state.starting = state.starting.saturating_sub(self.amount.pods());
        drop(state);
        self.overlaps = true;
        if let Some(reservation) = &self.reservation {
            reservation.stop_counting();
        }
        self.capacity.freed.notify_waiters();
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let mut state = self.capacity.state();
        state.taken = state.taken.minus(self.amount);
        state.held.remove(&self.number);
        let counted = if self.overlaps {
            &mut state.overlapping_cases
        } else {
            &mut state.cases
        };
        *counted = counted.saturating_sub(1);
        if !self.overlaps {
            state.starting = state.starting.saturating_sub(self.amount.pods());
        }
        drop(state);
        self.capacity.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(cores: f64) -> Vec<Resources> {
        vec![Resources::new(cores, 0.0).with_pods(1)]
    }

    fn capacity_of(cores: f64) -> Resources {
        Resources::new(cores, 0.0).with_pods(110)
    }

    /// Whether one that asks now may begin at once; it gives its capacity back.
    async fn fits(capacity: &Arc<Capacity>, pods: Vec<Resources>) -> bool {
        tokio::time::timeout(
            Duration::from_millis(50),
            capacity.acquire(pods, Priority::default()),
        )
        .await
        .is_ok()
    }

    async fn held(capacity: &Arc<Capacity>, cores: f64) -> Allocation {
        capacity
            .acquire(cpu(cores), Priority::default())
            .await
            .expect("an allocation")
    }

    #[tokio::test]
    async fn jobs_limit_what_capacity_does_not() {
        let capacity = Arc::new(Capacity::new(capacity_of(10.0), 1));
        let first = held(&capacity, 1.0).await;
        assert!(!fits(&capacity, cpu(1.0)).await);
        drop(first);
        assert!(fits(&capacity, cpu(1.0)).await);
    }

    #[tokio::test]
    async fn who_asks_for_all_runs_beside_nobody() {
        let capacity = Arc::new(Capacity::new(capacity_of(10.0), 8));
        let all = |capacity: &Arc<Capacity>| {
            let capacity = Arc::clone(capacity);
            async move { capacity.acquire_all(cpu(1.0), Priority::default()).await }
        };
        let other = held(&capacity, 1.0).await;
        let waiting = tokio::time::timeout(Duration::from_millis(50), all(&capacity)).await;
        assert!(waiting.is_err(), "another case runs");
        drop(other);
        let alone = all(&capacity).await.expect("an allocation");
        assert!(!fits(&capacity, cpu(1.0)).await, "nobody begins beside it");
        drop(alone);
        assert!(fits(&capacity, cpu(1.0)).await);
    }

    #[tokio::test]
    async fn a_node_takes_no_more_pods_than_it_may() {
        let capacity = Arc::new(Capacity::new(Resources::new(64.0, 0.0).with_pods(3), 8));
        let two = vec![Resources::new(0.1, 0.0).with_pods(1); 2];
        let _first = capacity
            .acquire(two.clone(), Priority::default())
            .await
            .expect("an allocation");
        assert!(!fits(&capacity, two).await);
        assert!(fits(&capacity, cpu(0.1)).await);
    }

    #[tokio::test]
    async fn pods_that_start_at_once_are_limited() {
        let capacity = Capacity::new(capacity_of(10.0), 8).overlapping(true);
        let capacity = Arc::new(capacity.starting(2));
        let three = vec![cpu(0.1)[0]; 3];
        let mut large = capacity
            .acquire(three.clone(), Priority::default())
            .await
            .expect("more than may start begins alone");
        assert!(!fits(&capacity, cpu(0.1)).await);
        large.overlap();
        let one = held(&capacity, 0.1).await;
        assert!(fits(&capacity, cpu(0.1)).await, "two start, and three run");
        assert!(!fits(&capacity, three.clone()).await);
        drop(large);
        assert!(
            !fits(&capacity, vec![cpu(0.1)[0]; 2]).await,
            "what overlapped is not given back twice"
        );
        drop(one);
        assert!(fits(&capacity, three).await);
    }

    #[tokio::test]
    async fn a_case_that_overlaps_keeps_its_capacity_and_lets_another_begin() {
        let capacity = Arc::new(Capacity::new(capacity_of(3.0), 1).overlapping(true));
        let mut first = held(&capacity, 1.0).await;
        assert!(!fits(&capacity, cpu(1.0)).await);
        first.overlap();
        first.overlap();
        let mut second = held(&capacity, 1.0).await;
        second.overlap();
        assert!(
            !fits(&capacity, cpu(0.1)).await,
            "one of one overlaps already"
        );
        drop(first);
        second.overlap();
        assert!(
            !fits(&capacity, cpu(2.5)).await,
            "the second still has its capacity"
        );
        assert!(fits(&capacity, cpu(2.0)).await);
        let strict = Arc::new(Capacity::new(capacity_of(3.0), 1));
        let mut one = held(&strict, 1.0).await;
        one.overlap();
        assert!(
            !fits(&strict, cpu(1.0)).await,
            "whoever names a number gets no more"
        );
    }

    #[tokio::test]
    async fn no_pod_is_sent_that_finds_no_node_beside_the_others() {
        let nodes = vec![capacity_of(1.05), capacity_of(1.9)];
        let capacity = Arc::new(Capacity::new(capacity_of(2.95), 8).on(Some(nodes)));
        let two = vec![cpu(1.0)[0]; 2];
        let first = capacity
            .acquire(two, Priority::default())
            .await
            .expect("an allocation");
        assert!(
            !fits(&capacity, cpu(0.95)).await,
            "the sum is there, but scattered"
        );
        assert!(fits(&capacity, cpu(0.9)).await);
        drop(first);
        assert!(fits(&capacity, cpu(0.95)).await);
        let impossible =
            tokio::time::timeout(Duration::from_millis(50), held(&capacity, 2.5)).await;
        let impossible = impossible.expect("what no node can hold says so itself");
        assert!(
            fits(&capacity, cpu(0.4)).await,
            "and keeps nobody waiting beside it"
        );
        assert!(!fits(&capacity, cpu(0.5)).await, "but the sum counts it");
        drop(impossible);
    }

    #[tokio::test]
    async fn what_is_too_large_runs_alone_and_what_waits_gets_its_turn() {
        let capacity = Arc::new(Capacity::new(capacity_of(1.0), 8));
        let first = held(&capacity, 0.5).await;
        let mut large = std::pin::pin!(held(&capacity, 64.0));
        let limit = Duration::from_millis(50);
        assert!(
            tokio::time::timeout(limit, &mut large).await.is_err(),
            "it waits until all is free"
        );
        drop(first);
        let large = large.await;
        assert!(!fits(&capacity, cpu(0.1)).await);
        drop(large);
        assert!(fits(&capacity, cpu(1.0)).await);
    }

    #[tokio::test]
    async fn the_capacity_of_a_node_takes_one_head_of_one_cpu_or_two_of_half() {
        for cores in [1.0, 0.5] {
            let capacity = Arc::new(Capacity::new(capacity_of(1.05), 8));
            let mut all = Vec::new();
            while all.len() < (if cores < 1.0 { 2 } else { 1 }) {
                all.push(held(&capacity, cores).await);
            }
            assert!(!fits(&capacity, cpu(0.1)).await);
        }
    }

    #[tokio::test]
    async fn a_case_that_does_not_fit_is_overtaken_but_not_for_ever() {
        let capacity = Arc::new(Capacity::new(capacity_of(2.0), 8));
        let first = held(&capacity, 1.0).await;
        let mut large = tokio::spawn({
            let capacity = Arc::clone(&capacity);
            async move { held(&capacity, 2.0).await }
        });
        while capacity.state().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        for _ in 0..PATIENCE {
            assert!(fits(&capacity, cpu(1.0)).await, "it fits beside the first");
        }
        assert!(
            !fits(&capacity, cpu(1.0)).await,
            "now it is the large one's turn"
        );
        assert!(!large.is_finished());
        drop(first);
        let large = (&mut large).await.expect("a task");
        assert!(!fits(&capacity, cpu(0.1)).await);
        drop(large);
        assert!(fits(&capacity, cpu(1.0)).await);
    }

    #[tokio::test]
    async fn the_highest_priority_begins_and_of_equal_ones_the_first_to_ask() {
        let capacity = Arc::new(Capacity::new(capacity_of(8.0), 1));
        let first = held(&capacity, 1.0).await;
        let began = Mutex::new(Vec::new());
        let one = async |name: &'static str, millicores: u64, seconds: u64| {
            let priority = Priority {
                millicores,
                takes: Some(Duration::from_secs(seconds)),
            };
            let allocation = capacity
                .acquire(cpu(1.0), priority)
                .await
                .expect("an allocation");
            began.lock().expect("a list").push(name);
            drop(allocation);
        };
        let release = async {
            while capacity.state().waiting.len() < 5 {
                tokio::task::yield_now().await;
            }
            drop(first);
        };
        tokio::join!(
            one("third", 500, 9),
            one("fourth", 500, 9),
            one("last", 500, 8),
            one("second", 1000, 1),
            one("first", 1000, 2),
            release
        );
        assert_eq!(
            *began.lock().expect("a list"),
            ["first", "second", "third", "fourth", "last"]
        );
    }

    #[tokio::test]
    async fn processes_share_the_capacity_by_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let process = |jobs| {
            let capacity = Capacity::new(capacity_of(1.0), jobs)
                .overlapping(true)
                .shared(folder.path().into());
            Arc::new(capacity.expect("a folder"))
        };
        let (one, other) = (process(8), process(8));
        let first = held(&one, 0.7).await;
        let mut waiting = std::pin::pin!(other.acquire(cpu(0.5), Priority::default()));
        let limit = Duration::from_millis(300);
        assert!(
            tokio::time::timeout(limit, &mut waiting).await.is_err(),
            "no capacity is left"
        );
        drop(first);
        let second = waiting.await.expect("an allocation");
        // A limit of jobs counts those of others.
        let third = process(1);
        assert!(
            tokio::time::timeout(limit, third.acquire(cpu(0.1), Priority::default()))
                .await
                .is_err()
        );
        drop(second);
        let mut third = held(&third, 0.1).await;
        let fourth = process(1);
        assert!(
            tokio::time::timeout(limit, fourth.acquire(cpu(0.1), Priority::default()))
                .await
                .is_err()
        );
        third.overlap();
        held(&fourth, 0.1).await;
    }
}
