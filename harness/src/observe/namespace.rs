//! The view of one namespace: watches fill it, and whoever waits is told of every change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cache::Cache;
use super::dashboard;
use super::logs::{self, Instance, Logs};
use crate::check::{Dashboard, LogKey, Observation};

const DASHBOARD_POLL: Duration = Duration::from_millis(500);
const REREAD_PAUSE: Duration = Duration::from_millis(500);

/// The resource of `RayCluster` objects, served by every release from 1.0 on.
pub fn ray_cluster_resource() -> ApiResource {
    ApiResource {
        group: "ray.io".into(),
        version: "v1".into(),
        api_version: "ray.io/v1".into(),
        kind: "RayCluster".into(),
        plural: "rayclusters".into(),
    }
}

#[derive(Debug, Default)]
struct State {
    pods: Cache<Pod>,
    events: Cache<Event>,
    jobs: Cache<Job>,
    ray_clusters: Cache<DynamicObject>,
    dashboard: Option<Dashboard>,
    dashboard_error: Option<String>,
}

pub(super) struct Shared {
    client: Client,
    namespace: String,
    state: Mutex<State>,
    logs: Mutex<Logs>,
    version: watch::Sender<u64>,
    /// Name and address of the head Pod whose dashboard is asked for.
    head: watch::Sender<Option<(String, Option<String>)>>,
}

impl Shared {
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

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
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
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for NamespaceView {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl NamespaceView {
    /// Begins to watch Pods, events and `RayClusters` of a namespace. Must be called within a tokio runtime.
    pub fn start(client: Client, namespace: &str) -> Self {
        let shared = Arc::new(Shared {
            client: client.clone(),
            namespace: namespace.into(),
            state: Mutex::default(),
            logs: Mutex::default(),
            version: watch::Sender::new(0),
            head: watch::Sender::new(None),
        });
        let clusters = Api::namespaced_with(client.clone(), namespace, &ray_cluster_resource());
        let tasks = vec![
            watch_into(&shared, shared.pods_api(), |state, event| state.pods.apply(event)),
            watch_into(&shared, Api::namespaced(client.clone(), namespace), |state, event| {
                state.events.apply(event)
            }),
            watch_into(&shared, Api::namespaced(client, namespace), |state, event| {
                state.jobs.apply(event)
            }),
            watch_into(&shared, clusters, |state, event| state.ray_clusters.apply(event)),
            tokio::spawn(poll_dashboard(Arc::clone(&shared))),
        ];
        Self {
            changes: shared.changes(),
            shared,
            tasks,
        }
    }

    /// Returns when something has changed since the last call.
    pub async fn changed(&mut self) {
        // The sender lives in `shared`, which lives as long as this.
        let _ = self.changes.changed().await;
    }

    /// Whether every watch has read its first list.
    pub fn synced(&self) -> bool {
        let state = lock(&self.shared.state);
        state.pods.synced() && state.events.synced() && state.jobs.synced() && state.ray_clusters.synced()
    }

    /// How many Pods exist.
    pub fn pod_count(&self) -> usize {
        lock(&self.shared.state).pods.len()
    }

    /// Pods that existed and are gone, as last seen.
    pub fn gone_pods(&self) -> Vec<Pod> {
        lock(&self.shared.state).pods.gone()
    }

    /// What the dashboard's last failure to answer was, where it fails now.
    pub fn dashboard_error(&self) -> Option<String> {
        lock(&self.shared.state).dashboard_error.clone()
    }

    /// What is known now. Barriers, rejections and the largest node are the engine's to fill in.
    pub fn observe(&self) -> Observation {
        let state = lock(&self.shared.state);
        Observation {
            now: Timestamp::now(),
            pods: state.pods.live(),
            jobs: state.jobs.live(),
            before_stimulus: None,
            events: state.events.live(),
            ray_clusters: state
                .ray_clusters
                .live()
                .iter()
                .filter_map(|object| serde_json::to_value(object).ok())
                .collect(),
            logs: self.shared.with_logs(|logs| logs.texts.clone()),
            dashboard: state.dashboard.clone(),
            rejections: Vec::new(),
            barriers: BTreeMap::new(),
            largest_node: None,
        }
    }

    /// Follows these logs from their beginning, if they are not followed yet.
    pub fn follow(&mut self, keys: impl IntoIterator<Item = LogKey>) {
        for key in keys {
            if self.shared.with_logs(|logs| logs.followed.insert(key.clone())) {
                self.tasks
                    .push(tokio::spawn(logs::follow(Arc::clone(&self.shared), key)));
            }
        }
    }

    /// Reads a log whole, from now; does nothing while such a read is under way.
    pub fn reread(&mut self, key: &LogKey) {
        if self.shared.with_logs(|logs| logs.rereading.insert(key.clone())) {
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

    /// Reads a log whole, once.
    ///
    /// # Errors
    /// When there is no such log or the kubelet can't be asked.
    pub async fn whole_log(&self, key: &LogKey) -> Result<Vec<String>, kube::Error> {
        logs::read_whole(&self.shared.pods_api(), key).await
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

fn watch_into<K>(shared: &Arc<Shared>, api: Api<K>, take: fn(&mut State, watcher::Event<K>) -> bool) -> JoinHandle<()>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let stream = watcher(api, watcher::Config::default()).default_backoff();
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            match item {
                Ok(event) => shared.change(|state| take(state, event)),
                Err(error) => tracing::debug!(namespace = shared.namespace, %error, "watch broke; it starts again"),
            }
        }
    })
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
