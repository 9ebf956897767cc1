//! The view of one namespace: the watches of the cluster fill it, and each change wakes the tasks
//! that wait for one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ApiResource, DynamicObject, LogParams};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cache::Cache;
use super::clock;
use super::dashboard;
use super::logs::{self, Instance, Logs};
use super::watches::{Synced, Watches};
use crate::check::{self, Bounds, Dashboard, Lines, LogKey, Observation};

const DASHBOARD_POLL: Duration = Duration::from_millis(500);
const REREAD_PAUSE: Duration = Duration::from_millis(500);

/// The resource of `RayCluster` objects.
pub fn ray_cluster_resource() -> ApiResource {
    ray_resource("RayCluster", "rayclusters")
}

/// One of KubeRay's resources in `ray.io/v1`, which every release from 1.0 on serves.
pub(super) fn ray_resource(kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: "ray.io".into(),
        version: "v1".into(),
        api_version: "ray.io/v1".into(),
        kind: kind.into(),
        plural: plural.into(),
    }
}

#[derive(Debug, Default)]
pub(super) struct NamespaceState {
    pub(super) pods: Cache<Pod>,
    pub(super) events: Cache<Event>,
    pub(super) jobs: Cache<Job>,
    pub(super) ray_clusters: Cache<DynamicObject>,
    pub(super) ray_jobs: Cache<DynamicObject>,
    dashboard: Option<Dashboard>,
    dashboard_error: Option<String>,
    /// When objects were first observed, by uid.
    seen: BTreeMap<String, Timestamp>,
    /// The present failure of each `RayCluster` by its uid: since when the operator says so, and
    /// when that was first observed.
    failing: BTreeMap<String, (serde_json::Value, Timestamp)>,
}

impl NamespaceState {
    /// Notes what is seen for the first time.
    fn note(&mut self, ray_clusters: &[serde_json::Value], now: Timestamp) {
        let uids = self
            .pods
            .uids()
            .chain(self.events.uids())
            .chain(self.ray_clusters.uids());
        for uid in uids.map(str::to_owned).collect::<Vec<_>>() {
            self.seen.entry(uid).or_insert(now);
        }
        for cluster in ray_clusters {
            let Some(uid) = cluster["metadata"]["uid"].as_str() else {
                continue;
            };
            let Some(since) =
                check::replica_failure(cluster).map(|failure| &failure["lastTransitionTime"])
            else {
                self.failing.remove(uid);
                continue;
            };
            let known = self
                .failing
                .entry(uid.into())
                .or_insert_with(|| (since.clone(), now));
            if known.0 != *since {
                *known = (since.clone(), now);
            }
        }
    }
}

pub(super) struct Shared {
    client: Client,
    namespace: String,
    state: Mutex<NamespaceState>,
    logs: Mutex<Logs>,
    version: watch::Sender<u64>,
    /// Name and address of the head Pod whose dashboard is asked for.
    head: watch::Sender<Option<(String, Option<String>)>>,
}

impl Shared {
    /// Of a namespace that nothing is known of; `synced` says of which kinds that is the whole
    /// truth.
    pub(super) fn new(client: Client, namespace: &str, synced: Synced) -> Self {
        let state = NamespaceState {
            pods: Cache::new(synced.pods),
            events: Cache::new(synced.events),
            jobs: Cache::new(synced.jobs),
            ray_clusters: Cache::new(synced.ray_clusters),
            ray_jobs: Cache::new(synced.ray_jobs),
            ..NamespaceState::default()
        };
        Self {
            client,
            namespace: namespace.into(),
            state: Mutex::new(state),
            logs: Mutex::default(),
            version: watch::Sender::new(0),
            head: watch::Sender::new(None),
        }
    }

    /// Of which kinds the first list has been read whole.
    pub(super) fn synced(&self) -> Synced {
        let state = lock(&self.state);
        Synced {
            pods: state.pods.synced(),
            events: state.events.synced(),
            jobs: state.jobs.synced(),
            ray_clusters: state.ray_clusters.synced(),
            ray_jobs: state.ray_jobs.synced(),
        }
    }

    /// How many Pods exist.
    pub(super) fn pods(&self) -> usize {
        lock(&self.state).pods.len()
    }

    /// Pods that exist.
    pub(super) fn live_pods(&self) -> Vec<Pod> {
        lock(&self.state).pods.live()
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn with_state<T>(&self, read: impl FnOnce(&NamespaceState) -> T) -> T {
        read(&lock(&self.state))
    }

    pub(super) fn pods_api(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(super) fn notify(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    pub(super) fn with_logs<T>(&self, change: impl FnOnce(&mut Logs) -> T) -> T {
        change(&mut lock(&self.logs))
    }

    /// The instance whose log a key names, and whether its Pod is gone for good.
    pub(super) fn instance(&self, key: &LogKey) -> (Option<Instance>, bool) {
        let state = lock(&self.state);
        let pod = state.pods.named(&key.pod);
        let gone = pod.is_none() && state.pods.synced();
        (pod.and_then(|pod| logs::instance(pod, key)), gone)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut NamespaceState) -> bool) {
        let changed = change(&mut lock(&self.state));
        if changed {
            self.notify();
        }
    }
}

/// A panic elsewhere must not hide what was seen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of one namespace, kept current by watches until it is dropped.
pub struct NamespaceView {
    watches: Arc<Watches>,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for NamespaceView {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.watches.forget(&self.shared.namespace);
    }
}

impl NamespaceView {
    /// Looks at a namespace through the watches of its cluster. Must be called within a tokio
    /// runtime.
    pub fn start(watches: &Arc<Watches>, namespace: &str) -> Self {
        let shared = watches.namespace(namespace);
        let tasks = vec![tokio::spawn(poll_dashboard(Arc::clone(&shared)))];
        Self {
            watches: Arc::clone(watches),
            changes: shared.changes(),
            shared,
            tasks,
        }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns when something has changed since the last call.
    pub async fn changed(&mut self) {
        // The sender lives in `shared`, which lives as long as this.
        let _ = self.changes.changed().await;
    }

    /// Whether every watch has read its first list.
    pub fn synced(&self) -> bool {
        let synced = self.shared.synced();
        synced.pods && synced.events && synced.jobs && synced.ray_clusters && synced.ray_jobs
    }

    /// Says which watches have broken and shown nothing since, and why.
    pub fn broken_watches(&self) -> Vec<String> {
        self.watches.broken()
    }

    /// How many Pods exist.
    pub fn pod_count(&self) -> usize {
        self.shared.pods()
    }

    /// Pods that exist in another namespace, which the same watches show.
    pub fn pods_in(&self, namespace: &str) -> Vec<Pod> {
        self.watches.namespace(namespace).live_pods()
    }

    /// Pods that existed and are gone, as last seen.
    pub fn gone_pods(&self) -> Vec<Pod> {
        lock(&self.shared.state).pods.gone()
    }

    /// What the dashboard's last failure to answer was, where it fails now.
    pub fn dashboard_error(&self) -> Option<String> {
        lock(&self.shared.state).dashboard_error.clone()
    }

    /// What is known now. Milestones, rejections and the largest node are the engine's to fill in.
    pub fn observe(&self) -> Observation {
        let mut state = lock(&self.shared.state);
        let now = clock::now();
        let values = |objects: Vec<DynamicObject>| -> Vec<_> {
            let values = objects.iter().map(serde_json::to_value);
            values.filter_map(Result::ok).collect()
        };
        let ray_clusters = values(state.ray_clusters.live());
        let ray_jobs = values(state.ray_jobs.live());
        state.note(&ray_clusters, now);
        Observation {
            now,
            seen: state.seen.clone(),
            failing: state
                .failing
                .iter()
                .map(|(uid, (_, since))| (uid.clone(), *since))
                .collect(),
            pods: state.pods.live(),
            jobs: state.jobs.live(),
            before_steps: None,
            events: state.events.live(),
            ray_clusters,
            ray_jobs,
            logs: self.shared.with_logs(|logs| logs.texts.clone()),
            dashboard: state.dashboard.clone(),
            rejections: Vec::new(),
            milestones: BTreeMap::new(),
            largest_node: None,
        }
    }

    /// Follows these logs from their beginning, if they are not followed yet.
    pub fn follow(&mut self, keys: impl IntoIterator<Item = LogKey>) {
        for key in keys {
            if self
                .shared
                .with_logs(|logs| logs.followed.insert(key.clone()))
            {
                self.tasks
                    .push(tokio::spawn(logs::follow(Arc::clone(&self.shared), key)));
            }
        }
    }

    /// Reads a log whole, from now; does nothing while such a read is under way.
    pub fn reread(&mut self, key: &LogKey) {
        if self
            .shared
            .with_logs(|logs| logs.rereading.insert(key.clone()))
        {
            let (shared, key) = (Arc::clone(&self.shared), key.clone());
            self.tasks.retain(|task| !task.is_finished());
            self.tasks.push(tokio::spawn(async move {
                if !logs::reread(&shared, &key).await {
                    // Whoever needs it asks again at the next change; this bounds how often.
                    tokio::time::sleep(REREAD_PAUSE).await;
                }
                shared.with_logs(|logs| logs.rereading.remove(&key));
                shared.notify();
            }));
        }
    }

    /// Reads a log whole, once, as much of it as evidence keeps.
    ///
    /// # Errors
    /// When there is no such log or the kubelet can't be asked.
    pub async fn whole_log(&self, key: &LogKey) -> Result<Lines, kube::Error> {
        let params = LogParams {
            container: Some(key.container.clone()),
            previous: key.previous,
            ..LogParams::default()
        };
        logs::read(&self.shared.pods_api(), &key.pod, &params, Bounds::EVIDENCE).await
    }

    /// Asks the dashboard of this head Pod until told otherwise; none asks no more.
    pub fn ask_dashboard(&self, head: Option<&Pod>) {
        let target = head.map(|pod| {
            let address = pod.status.as_ref().and_then(|status| status.pod_ip.clone());
            (pod.name_any(), address)
        });
        self.shared.head.send_if_modified(|current| {
            let differs = *current != target;
            if differs {
                *current = target;
            }
            differs
        });
    }
}

async fn poll_dashboard(shared: Arc<Shared>) {
    let mut target = shared.head.subscribe();
    let mut open: Option<(String, dashboard::Client)> = None;
    let mut of: Option<String> = None;
    loop {
        let wanted = target.borrow_and_update().clone();
        let Some((pod, address)) = wanted else {
            open = None;
            if target.changed().await.is_err() {
                return;
            }
            continue;
        };
        if open.as_ref().is_some_and(|(name, _)| *name != pod) {
            open = None;
        }
        if of.as_ref() != Some(&pod) {
            // What another head's dashboard said is not true of this one.
            shared.change(|state| state.dashboard.take().is_some());
            of = Some(pod.clone());
        }
        let answer = match &mut open {
            Some((_, client)) => client.read().await,
            None => match dashboard::Client::connect(&shared.pods_api(), &pod, address).await {
                Ok(client) => open.insert((pod, client)).1.read().await,
                Err(error) => Err(error),
            },
        };
        match answer {
            Ok(answer) => shared.change(|state| {
                state.dashboard_error = None;
                let changed = state.dashboard.as_ref() != Some(&answer);
                state.dashboard = Some(answer);
                changed
            }),
            Err(error) => {
                open = None;
                shared.change(|state| {
                    state.dashboard_error = Some(error.to_string());
                    false
                });
            }
        }
        let _ = tokio::time::timeout(DASHBOARD_POLL, target.changed()).await;
    }
}
