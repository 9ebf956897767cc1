//! The view of one namespace: the watches of the cluster fill it, and each change wakes the tasks
//! that wait for one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DynamicObject, LogParams};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock;
use super::dashboard;
use super::logs;
use super::state::{NamespaceState, Shared};
use super::watches::Watches;
use crate::check::{Bounds, Lines, LogKey, Observation};

const DASHBOARD_POLL: Duration = Duration::from_millis(500);
const REREAD_PAUSE: Duration = Duration::from_millis(500);

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
        self.watches.forget(self.shared.namespace());
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
        self.shared.with_state(|state| state.pods.gone())
    }

    /// What the dashboard's last failure to answer was, where it fails now.
    pub fn dashboard_error(&self) -> Option<String> {
        self.shared
            .with_state(|state| state.dashboard_error.clone())
    }

    /// What is known now. Milestones, rejections and the largest node are the engine's to fill in.
    pub fn observe(&self) -> Observation {
        self.shared
            .with_state_mut(|state| self.observe_state(state))
    }

    fn observe_state(&self, state: &mut NamespaceState) -> Observation {
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
                    // The next change may request it again; this pause bounds how often.
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
