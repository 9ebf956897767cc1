//! Watches of a whole cluster, one for each kind; what they show is handed on to the views of
//! namespaces.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::resources::ray_resource;
use super::state::{NamespaceState, Shared, Synced};

/// One watch for each kind of object, for as many namespaces as there are; they end when this is
/// dropped.
pub struct Watches {
    inner: Arc<Inner>,
    tasks: Vec<JoinHandle<()>>,
}

struct Inner {
    client: Client,
    namespaces: Mutex<Namespaces>,
}

#[derive(Default)]
struct Namespaces {
    by_name: HashMap<String, Arc<Shared>>,
    synced: Synced,
    /// The last error of each watch that has shown nothing since, by the kind of its objects.
    broken: BTreeMap<String, String>,
}

impl Drop for Watches {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Watches {
    /// Begins to watch Pods, events, Jobs, `RayClusters` and `RayJobs` in all namespaces. Must be
    /// called within a tokio runtime.
    pub fn start(client: Client) -> Arc<Self> {
        let inner = Arc::new(Inner {
            client: client.clone(),
            namespaces: Mutex::default(),
        });
        let clusters = Api::all_with(client.clone(), &ray_resource("RayCluster", "rayclusters"));
        let jobs = Api::all_with(client.clone(), &ray_resource("RayJob", "rayjobs"));
        let tasks = vec![
            watch(
                &inner,
                Api::all(client.clone()),
                |synced| synced.pods = true,
                |state, event| state.pods.apply(event),
            ),
            watch(
                &inner,
                Api::<Job>::all(client.clone()),
                |synced| synced.jobs = true,
                |state, event| state.jobs.apply(event),
            ),
            watch(
                &inner,
                Api::all(client),
                |synced| synced.events = true,
                |state, event| state.events.apply(event),
            ),
            watch(
                &inner,
                clusters,
                |synced| synced.ray_clusters = true,
                |state, event| state.ray_clusters.apply(event),
            ),
            watch(
                &inner,
                jobs,
                |synced| synced.ray_jobs = true,
                |state, event| state.ray_jobs.apply(event),
            ),
        ];
        Arc::new(Self { inner, tasks })
    }

    /// What is known of a namespace, current from now on.
    pub(super) fn namespace(&self, name: &str) -> Arc<Shared> {
        self.inner.namespace(name)
    }

    /// Says which watches have broken and shown nothing since, and why.
    pub(super) fn broken(&self) -> Vec<String> {
        let namespaces = self.inner.lock();
        let broken = namespaces.broken.iter();
        broken
            .map(|(kind, error)| format!("the watch of {kind} breaks: {error}"))
            .collect()
    }

    /// Forgets what is known of a namespace that nobody looks at any more.
    pub(super) fn forget(&self, name: &str) {
        self.inner.lock().by_name.remove(name);
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Namespaces> {
        self.namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn namespace(&self, name: &str) -> Arc<Shared> {
        let mut namespaces = self.lock();
        let synced = namespaces.synced;
        let known = namespaces.by_name.entry(name.into());
        Arc::clone(
            known.or_insert_with(|| Arc::new(Shared::new(self.client.clone(), name, synced))),
        )
    }

    /// Every namespace that is known, for what concerns all; those that come later begin with
    /// `change` made.
    fn all(&self, change: impl FnOnce(&mut Synced)) -> Vec<Arc<Shared>> {
        let mut namespaces = self.lock();
        change(&mut namespaces.synced);
        namespaces.by_name.values().cloned().collect()
    }
}

fn watch<K>(
    inner: &Arc<Inner>,
    api: Api<K>,
    synced: fn(&mut Synced),
    take: fn(&mut NamespaceState, watcher::Event<K>) -> bool,
) -> JoinHandle<()>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    // Views hold the watches, so that the watches must not hold what views hold.
    let inner: Weak<Inner> = Arc::downgrade(inner);
    // The last part of the path, such as `pods`.
    let url = api.resource_url();
    let kind = url.rsplit('/').next().unwrap_or_default().to_owned();
    tokio::spawn(async move {
        let mut stream = super::stream::watch(api, watcher::Config::default());
        while let Some(item) = stream.next().await {
            let Some(inner) = inner.upgrade() else { return };
            match item {
                Ok(event) => {
                    // That one begins anew shows nothing yet.
                    if !matches!(event, watcher::Event::Init) {
                        inner.lock().broken.remove(&kind);
                    }
                    hand_on(&inner, event, synced, take);
                }
                Err(error) => {
                    tracing::debug!(%error, "watch broke; it starts again");
                    let error = causes(&error);
                    inner.lock().broken.insert(kind.clone(), error);
                }
            }
        }
    })
}

/// An error with its causes, which kube's own texts leave out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

fn hand_on<K: ResourceExt + Clone>(
    inner: &Inner,
    event: watcher::Event<K>,
    synced: fn(&mut Synced),
    take: fn(&mut NamespaceState, watcher::Event<K>) -> bool,
) {
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};
    match event {
        Init => {
            for shared in inner.all(|_| ()) {
                shared.change(|state| take(state, Init));
            }
        }
        InitDone => {
            for shared in inner.all(synced) {
                shared.change(|state| take(state, InitDone));
            }
        }
        Apply(object) | InitApply(object) | Delete(object) if object.namespace().is_none() => {
            tracing::debug!(
                name = object.name_any(),
                "an object without a namespace was seen"
            );
        }
        Apply(object) => of(inner, &object).change(|state| take(state, Apply(object))),
        InitApply(object) => of(inner, &object).change(|state| take(state, InitApply(object))),
        Delete(object) => of(inner, &object).change(|state| take(state, Delete(object))),
    }
}

fn of<K: ResourceExt>(inner: &Inner, object: &K) -> Arc<Shared> {
    inner.namespace(&object.namespace().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use k8s_openapi::api::core::v1::Pod;
    use kube::client::Body;

    use super::*;

    fn inner() -> Inner {
        let service = tower_service();
        Inner {
            client: Client::new(service, "default"),
            namespaces: Mutex::default(),
        }
    }

    fn tower_service() -> impl tower::Service<
        Request<Body>,
        Response = Response<Body>,
        Error = std::convert::Infallible,
        Future = std::future::Ready<Result<Response<Body>, std::convert::Infallible>>,
    > + Clone
    + Send
    + 'static {
        tower::service_fn(|_: Request<Body>| std::future::ready(Ok(Response::new(Body::empty()))))
    }

    fn pod(namespace: &str, name: &str) -> Pod {
        serde_json::from_value(
            serde_json::json!({"metadata": {"namespace": namespace, "name": name, "uid": name}}),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn each_namespace_is_told_of_its_own_objects_only() {
        let inner = inner();
        let take: fn(&mut NamespaceState, watcher::Event<Pod>) -> bool =
            |state, event| state.pods.apply(event);
        let synced: fn(&mut Synced) = |synced| synced.pods = true;
        let early = inner.namespace("early");
        hand_on(&inner, watcher::Event::Init, synced, take);
        hand_on(
            &inner,
            watcher::Event::InitApply(pod("early", "a")),
            synced,
            take,
        );
        assert!(!early.synced().pods);
        assert_eq!(early.pods(), 0);
        hand_on(&inner, watcher::Event::InitDone, synced, take);
        assert!(early.synced().pods);
        assert_eq!(early.pods(), 1);

        let late = inner.namespace("late");
        assert!(
            late.synced().pods,
            "one that comes after the first list has nothing to wait for"
        );
        hand_on(
            &inner,
            watcher::Event::Apply(pod("late", "b")),
            synced,
            take,
        );
        assert_eq!(early.pods(), 1);
        assert_eq!(late.pods(), 1);
        hand_on(
            &inner,
            watcher::Event::Delete(pod("early", "a")),
            synced,
            take,
        );
        assert_eq!(early.pods(), 0);
        assert_eq!(late.pods(), 1);
        // A watch that begins again has both in one list.
        hand_on(&inner, watcher::Event::Init, synced, take);
        hand_on(
            &inner,
            watcher::Event::InitApply(pod("late", "b")),
            synced,
            take,
        );
        hand_on(&inner, watcher::Event::InitDone, synced, take);
        assert_eq!(early.pods(), 0);
        assert_eq!(late.pods(), 1);
    }
}
