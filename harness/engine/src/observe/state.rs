//! The state of one namespace, which the watches fill and its view reads.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::DynamicObject;
use kube::{Api, Client};
use tokio::sync::watch;

use super::cache::Cache;
use super::followed_logs::{Instance, Logs, instance};
use crate::check::{self, Dashboard, LogKey};

/// Of which kinds the first list has been read whole.
#[derive(Debug, Clone, Copy, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one for each kind that is watched"
)]
pub(super) struct Synced {
    pub(super) pods: bool,
    pub(super) events: bool,
    pub(super) jobs: bool,
    pub(super) ray_clusters: bool,
    pub(super) ray_jobs: bool,
}

#[derive(Debug, Default)]
pub(super) struct NamespaceState {
    pub(super) pods: Cache<Pod>,
    pub(super) events: Cache<Event>,
    pub(super) jobs: Cache<Job>,
    pub(super) ray_clusters: Cache<DynamicObject>,
    pub(super) ray_jobs: Cache<DynamicObject>,
    pub(super) dashboard: Option<Dashboard>,
    pub(super) dashboard_error: Option<String>,
    /// When objects were first observed, by uid.
    pub(super) seen: BTreeMap<String, Timestamp>,
    /// The present failure of each `RayCluster` by its uid: since when the operator says so, and
    /// when that was first observed.
    pub(super) failing: BTreeMap<String, (serde_json::Value, Timestamp)>,
}

impl NamespaceState {
    /// Notes what is seen for the first time.
    pub(super) fn note(&mut self, ray_clusters: &[serde_json::Value], now: Timestamp) {
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
    pub(super) head: watch::Sender<Option<(String, Option<String>)>>,
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

    pub(super) fn with_state_mut<T>(&self, work: impl FnOnce(&mut NamespaceState) -> T) -> T {
        work(&mut lock(&self.state))
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
        (pod.and_then(|pod| instance(pod, key)), gone)
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
