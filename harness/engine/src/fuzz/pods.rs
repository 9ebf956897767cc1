//! The Pods of all namespaces, as one watch shows them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

/// Specs of the Pods of one RayCluster, by group.
pub(super) type Specs = BTreeMap<String, Value>;

/// Namespace and RayCluster.
type Key = (String, String);

/// Pods that Ray's operator made, from one watch; it ends when this is dropped.
pub(super) struct Pods {
    seen: Arc<Mutex<HashMap<Key, Specs>>>,
    changed: watch::Receiver<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pods {
    /// Begins to watch.
    pub fn watch(client: Client) -> Self {
        let seen: Arc<Mutex<HashMap<Key, Specs>>> = Arc::default();
        let (sender, changed) = watch::channel(());
        let into = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let config = watcher::Config::default().labels("ray.io/cluster");
            let stream = watcher(Api::<Pod>::all(client), config).default_backoff();
            let mut stream = std::pin::pin!(stream.applied_objects());
            while let Some(item) = stream.next().await {
                match item {
                    Ok(pod) => {
                        take(
                            &mut into.lock().unwrap_or_else(PoisonError::into_inner),
                            &pod,
                        );
                        sender.send_replace(());
                    }
                    Err(error) => tracing::debug!(%error, "watch broke; it starts again"),
                }
            }
        });
        Self {
            seen,
            changed,
            task,
        }
    }

    /// The Pods of the RayCluster of a name, or of the only one of a namespace, as soon as there are Pods of `wanted`
    /// groups; at the deadline those that there are. With them comes the RayCluster's name.
    pub async fn of(
        &self,
        namespace: &str,
        cluster: Option<&str>,
        wanted: usize,
        deadline: Instant,
    ) -> (String, Specs) {
        let mut changed = self.changed.clone();
        loop {
            changed.mark_unchanged();
            let (name, specs) = self.now(namespace, cluster);
            let over = async {
                tokio::time::timeout_at(deadline, changed.changed())
                    .await
                    .is_err()
            };
            if specs.len() >= wanted || over.await {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.remove(&(namespace.to_owned(), name.clone()));
                return (name, specs);
            }
        }
    }

    fn now(&self, namespace: &str, cluster: Option<&str>) -> (String, Specs) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match cluster {
            Some(cluster) => (namespace.to_owned(), cluster.to_owned()),
            None => seen
                .keys()
                .find(|(of, _)| of == namespace)
                .cloned()
                .unwrap_or_default(),
        };
        let specs = seen.get(&key).cloned().unwrap_or_default();
        (key.1, specs)
    }
}

fn take(seen: &mut HashMap<Key, Specs>, pod: &Pod) {
    let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
    let key = (pod.namespace().unwrap_or_default(), label("ray.io/cluster"));
    let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
    seen.entry(key)
        .or_default()
        .insert(label("ray.io/group"), spec);
}
