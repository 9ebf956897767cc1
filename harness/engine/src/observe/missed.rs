//! Compares what watches have shown of a namespace with what the API server lists.
//!
//! A watch can fall silent without an error, for example behind a proxy that keeps the connection
//! and forwards nothing. A case must not fail for what its run could not see.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::{DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::cache::Cache;
use super::namespace::{NamespaceState, NamespaceView, ray_resource};

/// How late a watch may be.
const LATE: Duration = Duration::from_secs(3);

/// Names and versions of objects by their uid.
type Versions = BTreeMap<String, (String, String)>;

/// What is listed of one kind, and what was known of it before.
struct Listed {
    kind: &'static str,
    versions: Versions,
    before: Vec<String>,
}

impl Listed {
    /// What the watch has not shown, in words.
    fn missing<K: ResourceExt + Clone>(&self, cache: &Cache<K>) -> Vec<String> {
        let kind = self.kind;
        let unseen = self.versions.iter().filter_map(|(uid, (name, version))| {
            let is_unseen = !cache.has_shown(uid, version);
            is_unseen.then(|| format!("it has not shown `{name}` in version {version}"))
        });
        let left = cache.live().into_iter().filter_map(|object| {
            let uid = object.uid()?;
            let is_left = self.before.contains(&uid) && !self.versions.contains_key(&uid);
            is_left.then(|| format!("it has not shown that `{}` is gone", object.name_any()))
        });
        unseen
            .chain(left)
            .map(|what| format!("the watch of {kind} is silent: {what}"))
            .collect()
    }
}

impl NamespaceView {
    /// Lists Pods and `RayClusters`, and returns what the watches don't show of them within three
    /// seconds, in words; also what could not be listed. Empty where nothing is missed.
    pub async fn missed(&mut self) -> Vec<String> {
        let (pods_before, clusters_before) = self.shared().with_state(|state| {
            let uids = |uids: &mut dyn Iterator<Item = &str>| uids.map(str::to_owned).collect();
            let pods: Vec<String> = uids(&mut state.pods.uids());
            let clusters: Vec<String> = uids(&mut state.ray_clusters.uids());
            (pods, clusters)
        });
        let resource = ray_resource("RayCluster", "rayclusters");
        let clusters: Api<DynamicObject> =
            Api::namespaced_with(self.shared().client(), self.shared().namespace(), &resource);
        let pods = self.shared().pods_api();
        let (pods, clusters) = tokio::join!(
            list("pods", &pods, pods_before),
            list("rayclusters", &clusters, clusters_before),
        );
        let (pods, clusters) = match (pods, clusters) {
            (Ok(pods), Ok(clusters)) => (pods, clusters),
            (pods, clusters) => {
                return [pods.err(), clusters.err()].into_iter().flatten().collect();
            }
        };
        let end = Instant::now() + LATE;
        loop {
            let missing = self.shared().with_state(|state: &NamespaceState| {
                let mut missing = pods.missing(&state.pods);
                missing.extend(clusters.missing(&state.ray_clusters));
                missing
            });
            if missing.is_empty() || tokio::time::timeout_at(end, self.changed()).await.is_err() {
                return missing;
            }
        }
    }
}

/// Lists the metadata of the objects of a kind.
async fn list<K>(kind: &'static str, api: &Api<K>, before: Vec<String>) -> Result<Listed, String>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let list = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(|error| format!("listing {kind} to see what their watch has missed: {error}"))?;
    let versions = list.items.into_iter().map(|object: PartialObjectMeta<K>| {
        let metadata = object.metadata;
        (
            metadata.uid.unwrap_or_default(),
            (
                metadata.name.unwrap_or_default(),
                metadata.resource_version.unwrap_or_default(),
            ),
        )
    });
    Ok(Listed {
        kind,
        versions: versions.collect(),
        before,
    })
}
