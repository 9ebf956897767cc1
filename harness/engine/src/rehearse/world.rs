//! What the watches of the rehearsal show, and the statuses that a kubelet would write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::ObjectKey;
use super::prepare::key_of;
use crate::check::Observation;
use crate::observe::{ray_cluster_resource, watch};
use crate::operator::FIELD_MANAGER;
use crate::target::ready_status;

/// Statuses that are written at once.
const AT_ONCE: usize = 8;

/// A kind of object that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    RayCluster,
    Pod,
    Job,
    Event,
}

impl Kind {
    const ALL: [Self; 4] = [Self::RayCluster, Self::Pod, Self::Job, Self::Event];

    fn resource(self) -> ApiResource {
        let (api, kind, plural) = match self {
            Self::RayCluster => return ray_cluster_resource(),
            Self::Pod => ("v1", "Pod", "pods"),
            Self::Job => ("batch/v1", "Job", "jobs"),
            Self::Event => ("v1", "Event", "events"),
        };
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        ApiResource {
            group: group.into(),
            version: version.into(),
            api_version: api.into(),
            kind: kind.into(),
            plural: plural.into(),
        }
    }
}

/// What is known now.
struct WorldState {
    live: HashMap<Kind, BTreeMap<String, Value>>,
    /// The object that a user wrote of each RayCluster, also of those that are gone.
    roots: HashMap<(String, String), ObjectKey>,
    changed: Instant,
}

/// The observations of one moment, by the object that a user wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    pub objects: BTreeMap<ObjectKey, Observation>,
}

impl Moment {
    /// Returns the observation of an object; an empty one where the operator made nothing of it.
    pub fn of(&self, key: &ObjectKey) -> Observation {
        self.objects.get(key).cloned().unwrap_or_default()
    }

    /// Number of Pods.
    pub fn pods(&self) -> usize {
        self.objects.values().map(|one| one.pods.len()).sum()
    }

    /// Uids of all events.
    pub fn events(&self) -> BTreeSet<String> {
        let events = self.objects.values().flat_map(|one| &one.events);
        events
            .filter_map(|event| event.metadata.uid.clone())
            .collect()
    }
}

/// Watches of the rehearsal's API server; they end when this is dropped.
pub(super) struct World {
    state: Arc<Mutex<WorldState>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn lock(state: &Mutex<WorldState>) -> MutexGuard<'_, WorldState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Begins to watch, and to write the status of each Pod that comes.
    pub fn watch(client: &Client) -> Self {
        let state = Arc::new(Mutex::new(WorldState {
            live: HashMap::new(),
            roots: HashMap::new(),
            changed: Instant::now(),
        }));
        let (new_pods, pods) = mpsc::unbounded_channel();
        let mut tasks: Vec<JoinHandle<()>> = Kind::ALL
            .into_iter()
            .map(|kind| {
                let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
                let (state, new_pods) = (Arc::clone(&state), new_pods.clone());
                tokio::spawn(async move {
                    let mut events = watch(api, watcher::Config::default());
                    while let Some(item) = events.next().await {
                        match item {
                            Ok(event) => take(&state, kind, event, &new_pods),
                            Err(error) => tracing::debug!(%error, "watch broke; it starts again"),
                        }
                    }
                })
            })
            .collect();
        tasks.push(tokio::spawn(kubelet(client.clone(), pods)));
        Self { state, tasks }
    }

    /// Returns the time since the last change of the Pods, Jobs and RayClusters that exist, and of
    /// their specs.
    pub fn quiet_for(&self) -> Duration {
        lock(&self.state).changed.elapsed()
    }

    /// Everything that is known now, by the object that a user wrote.
    pub fn now(&self) -> Moment {
        let state = lock(&self.state);
        let mut moment = Moment::default();
        let live = |kind| state.live.get(&kind).into_iter().flat_map(BTreeMap::values);
        for value in live(Kind::RayCluster) {
            let mut value = value.clone();
            value["kind"] = "RayCluster".into();
            let at = moment.objects.entry(root_of_cluster(&value)).or_default();
            at.ray_clusters.push(value);
        }
        for value in live(Kind::Pod) {
            let cluster = value["metadata"]["labels"]["ray.io/cluster"].as_str();
            let namespace = key_of(value).namespace;
            let root = cluster.and_then(|name| state.roots.get(&(namespace, name.to_owned())));
            if let (Some(root), Ok(pod)) = (root, serde_json::from_value(value.clone())) {
                moment
                    .objects
                    .entry(root.clone())
                    .or_default()
                    .pods
                    .push(pod);
            }
        }
        for value in live(Kind::Job) {
            let root = owner(value, &["RayJob", "RayService", "RayCluster"]);
            if let (Some(root), Ok(job)) = (root, serde_json::from_value(value.clone())) {
                let root = state.root_of(root);
                moment.objects.entry(root).or_default().jobs.push(job);
            }
        }
        for value in live(Kind::Event) {
            let about = &value["involvedObject"];
            let text = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
            let key = ObjectKey {
                kind: text("kind"),
                namespace: text("namespace"),
                name: text("name"),
            };
            if !key.kind.starts_with("Ray") {
                continue;
            }
            if let Ok(event) = serde_json::from_value(value.clone()) {
                let root = state.root_of(key);
                moment.objects.entry(root).or_default().events.push(event);
            }
        }
        moment
    }
}

impl WorldState {
    /// The object that a user wrote behind a RayCluster, or the object itself.
    fn root_of(&self, key: ObjectKey) -> ObjectKey {
        let known = (key.namespace.clone(), key.name.clone());
        match self.roots.get(&known) {
            Some(root) if key.kind == "RayCluster" => root.clone(),
            _ => key,
        }
    }
}

/// The owner of one of these kinds.
fn owner(value: &Value, kinds: &[&str]) -> Option<ObjectKey> {
    let owners = value["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find_map(|owner| {
        let kind = owner["kind"].as_str()?;
        kinds.contains(&kind).then(|| ObjectKey {
            kind: kind.into(),
            namespace: key_of(value).namespace,
            name: owner["name"].as_str().unwrap_or_default().into(),
        })
    })
}

fn root_of_cluster(value: &Value) -> ObjectKey {
    owner(value, &["RayJob", "RayService"]).unwrap_or_else(|| ObjectKey {
        kind: "RayCluster".into(),
        ..key_of(value)
    })
}

/// Takes in what a watch shows.
fn take(
    state: &Mutex<WorldState>,
    kind: Kind,
    event: Event<DynamicObject>,
    new_pods: &mpsc::UnboundedSender<Value>,
) {
    let mut state = lock(state);
    let (object, gone) = match event {
        Event::Apply(object) | Event::InitApply(object) => (object, false),
        Event::Delete(object) => (object, true),
        Event::Init | Event::InitDone => return,
    };
    let Ok(value) = serde_json::to_value(object) else {
        return;
    };
    let uid = value["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if kind == Kind::RayCluster && !gone {
        let key = key_of(&value);
        let root = root_of_cluster(&value);
        state.roots.insert((key.namespace, key.name), root);
    }
    let of_kind = state.live.entry(kind).or_default();
    let before = if gone {
        of_kind.remove(&uid)
    } else {
        of_kind.insert(uid, value.clone())
    };
    if kind == Kind::Pod && before.is_none() && !gone {
        // The receiver lives as long as the watches.
        let _ = new_pods.send(value.clone());
    }
    let differs = |before: &Value| {
        ["labels", "annotations", "deletionTimestamp"]
            .iter()
            .any(|field| before["metadata"][*field] != value["metadata"][*field])
            || before["spec"] != value["spec"]
            || before["status"]["state"] != value["status"]["state"]
    };
    if kind != Kind::Event && (gone || before.as_ref().is_none_or(differs)) {
        state.changed = Instant::now();
    }
}

/// Writes of each Pod that it runs and is ready.
async fn kubelet(client: Client, pods: mpsc::UnboundedReceiver<Value>) {
    let stream = futures::stream::unfold(pods, async |mut pods| Some((pods.recv().await?, pods)));
    let one = async |value: Value| {
        let Ok(pod) = serde_json::from_value::<Pod>(value) else {
            return;
        };
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let name = pod.metadata.name.clone().unwrap_or_default();
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let status = Patch::Merge(ready_status(&pod, Timestamp::now()));
        let api: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        if let Err(error) = api.patch_status(&name, &params, &status).await {
            // The operator may have deleted it meanwhile.
            tracing::debug!(%error, "the status of a Pod was not written");
        }
    };
    stream.for_each_concurrent(AT_ONCE, one).await;
}
