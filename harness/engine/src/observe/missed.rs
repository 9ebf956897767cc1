//! Compares what watches have shown of a namespace with what the API server lists.
//!
//! A watch can fall silent without an error, for example behind a proxy that keeps the connection
//! and forwards nothing. A case must not fail for what its run could not see.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use kube::api::{DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::cache::Cache;
use super::namespace::NamespaceView;
use super::resources::ray_resource;
use super::state::NamespaceState;

/// How late a watch may be.
const LATE: Duration = Duration::from_secs(3);

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedKinds {
    /// Pods alone.
    Pods,
    /// Pods, and Jobs that make Pods.
    PodsAndJobs,
    /// All that is watched.
    All,
}

/// Names and versions of objects by their uid.
type Versions = BTreeMap<String, (String, String)>;

/// Names of objects by their uid.
type Names = BTreeMap<String, String>;

/// What is listed of one kind, and what was known of it before; nothing of a kind that is not
/// compared.
#[derive(Default)]
struct Listed {
    kind: &'static str,
    versions: Versions,
    before: Names,
}

impl Listed {
    /// What the watch has not shown, in words.
    fn missing<K: ResourceExt + Clone>(&self, cache: &Cache<K>) -> Vec<String> {
        let kind = self.kind;
        let unseen = self.versions.iter().filter_map(|(uid, (name, version))| {
            let is_unseen = !cache.has_shown(uid, version);
            is_unseen.then(|| format!("it has not shown `{name}` in version {version}"))
        });
        let left = self.before.iter().filter_map(|(uid, name)| {
            let is_left = !self.versions.contains_key(uid) && cache.is_live(uid);
            is_left.then(|| format!("it has not reported that `{name}` was deleted"))
        });
        unseen
            .chain(left)
            .map(|what| format!("the watch of {kind} is silent: {what}"))
            .collect()
    }
}

impl NamespaceView {
    /// Lists what is to be compared, and returns what the watches don't show of it within three
    /// seconds, in words; also what could not be listed. Empty where nothing is missed.
    pub async fn missed(&mut self, compared: ComparedKinds) -> Vec<String> {
        let (client, namespace) = (self.shared().client(), self.shared().namespace().to_owned());
        let before = self.shared().with_state(|state| {
            [
                state.pods.names(),
                state.events.names(),
                state.jobs.names(),
                state.ray_clusters.names(),
                state.ray_jobs.names(),
            ]
        });
        let [pods, events, jobs, ray_clusters, ray_jobs] = before;
        let ray = |kind: &str, plural: &str| -> Api<DynamicObject> {
            Api::namespaced_with(client.clone(), &namespace, &ray_resource(kind, plural))
        };
        let (clusters_api, ray_jobs_api) =
            (ray("RayCluster", "rayclusters"), ray("RayJob", "rayjobs"));
        let events_api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        let jobs_api: Api<Job> = Api::namespaced(client.clone(), &namespace);
        let pods_api = self.shared().pods_api();
        let (all, with_jobs) = (
            compared == ComparedKinds::All,
            compared != ComparedKinds::Pods,
        );
        let (pods, events, jobs, ray_clusters, ray_jobs) = tokio::join!(
            list("pods", &pods_api, Some(pods)),
            list("events", &events_api, all.then_some(events)),
            list("jobs", &jobs_api, with_jobs.then_some(jobs)),
            list("rayclusters", &clusters_api, all.then_some(ray_clusters)),
            list("rayjobs", &ray_jobs_api, all.then_some(ray_jobs)),
        );
        let (pods, events, jobs, ray_clusters, ray_jobs) =
            match (pods, events, jobs, ray_clusters, ray_jobs) {
                (Ok(pods), Ok(events), Ok(jobs), Ok(ray_clusters), Ok(ray_jobs)) => {
                    (pods, events, jobs, ray_clusters, ray_jobs)
                }
                (pods, events, jobs, ray_clusters, ray_jobs) => {
                    let all = [pods, events, jobs, ray_clusters, ray_jobs];
                    return all.into_iter().filter_map(Result::err).collect();
                }
            };
        let end = Instant::now() + LATE;
        loop {
            let missing = self.shared().with_state(|state: &NamespaceState| {
                [
                    pods.missing(&state.pods),
                    events.missing(&state.events),
                    jobs.missing(&state.jobs),
                    ray_clusters.missing(&state.ray_clusters),
                    ray_jobs.missing(&state.ray_jobs),
                ]
                .concat()
            });
            if missing.is_empty() || tokio::time::timeout_at(end, self.changed()).await.is_err() {
                return missing;
            }
        }
    }
}

/// Lists the metadata of the objects of a kind, of which these were known before; does nothing
/// without them.
async fn list<K>(kind: &'static str, api: &Api<K>, before: Option<Names>) -> Result<Listed, String>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let Some(before) = before else {
        return Ok(Listed::default());
    };
    let list = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(|error| {
            format!("listing {kind} to find events that their watch missed: {error}")
        })?;
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
