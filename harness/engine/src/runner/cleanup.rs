//! Removes the objects of a case in the background, and those of a killed run before the next one
//! begins.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt};

use super::capacity::Allocation;
use super::namespace::RUN;
use super::owner::{OWNER, PROCESS, has_ended, owner};
use crate::observe::{NamespaceView, Watches, until};
use crate::operator::{MANAGED_BY, MANAGER};
use crate::progress::Progress;

const PODS_WITHIN: Duration = Duration::from_mins(1);
const NAMESPACE_WITHIN: Duration = Duration::from_mins(1);

/// Deletes a case's namespace; gives the allocation back when its Pods are gone from the node.
/// Returns what went wrong.
pub(super) async fn remove(
    client: Client,
    namespace: String,
    mut view: NamespaceView,
    allocation: Allocation,
) -> Result<(), String> {
    if !delete(&client, &namespace).await? {
        return Ok(());
    }
    let gone = async {
        while view.pod_count() > 0 {
            view.changed().await;
        }
    };
    let in_time = tokio::time::timeout(PODS_WITHIN, gone).await.is_ok();
    drop((view, allocation));
    let gone = await_gone(&client, &namespace).await;
    gone.map_err(|problem| {
        if in_time {
            problem
        } else {
            format!("{problem}, and its Pods do not end")
        }
    })
}

/// Deletes what an operator works on in a namespace that can't be deleted itself: where no
/// controller runs, it would never end.
pub(super) async fn remove_ray_objects(client: Client, namespace: String) -> Result<(), String> {
    // In this order, so that none makes another again.
    for (kind, plural) in [
        ("RayCronJob", "raycronjobs"),
        ("RayService", "rayservices"),
        ("RayJob", "rayjobs"),
        ("RayCluster", "rayclusters"),
    ] {
        let resource = ApiResource {
            group: "ray.io".into(),
            version: "v1".into(),
            api_version: "ray.io/v1".into(),
            kind: kind.into(),
            plural: plural.into(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
        let deleted = api
            .delete_collection(&DeleteParams::background(), &ListParams::default())
            .await;
        match deleted {
            Ok(_) => {}
            // Older releases have fewer kinds.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => {
                return Err(format!(
                    "the {plural} in {namespace} could not be deleted: {error}"
                ));
            }
        }
    }
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let deleted = pods
        .delete_collection(
            &DeleteParams::default().grace_period(0),
            &ListParams::default(),
        )
        .await;
    deleted.map_err(|error| format!("the Pods in {namespace} could not be deleted: {error}"))?;
    Ok(())
}

async fn list(client: &Client) -> Result<Vec<Namespace>, kube::Error> {
    let ours = ListParams::default().labels(&of_cases());
    Ok(Api::all(client.clone()).list(&ours).await?.items)
}

/// Counts the namespaces of the cases of all runs.
pub(super) async fn count(client: &Client) -> Result<usize, kube::Error> {
    let ours = ListParams::default().labels(&of_cases());
    let namespaces = Api::<Namespace>::all(client.clone());
    Ok(namespaces.list_metadata(&ours).await?.items.len())
}

/// The label selector of the namespaces of cases.
fn of_cases() -> String {
    format!("{MANAGED_BY}={MANAGER},{RUN}")
}

/// The namespaces that ended runs of this owner have left.
fn left(of_cases: &[Namespace]) -> Vec<String> {
    let here = owner();
    let ended = of_cases.iter().filter(|namespace| {
        let made_by = namespace.labels().get(OWNER).map(String::as_str);
        let process = namespace.annotations().get(PROCESS).map(String::as_str);
        has_ended(made_by, process, &here)
    });
    ended.map(ResourceExt::name_any).collect()
}

/// Removes the namespaces that ended runs of this machine have left, and waits until they are gone;
/// returns what was removed, one sentence each.
pub(super) async fn remove_left(
    client: &Client,
    progress: &dyn Progress,
) -> Result<Vec<String>, kube::Error> {
    let mut told = Vec::new();
    for name in left(&list(client).await?) {
        progress.update("namespaces", &format!("removing {name}"));
        let gone = async {
            delete(client, &name).await?;
            await_gone(client, &name).await
        };
        match gone.await {
            Ok(()) => told.push(format!("removed the namespace {name}")),
            Err(problem) => told.push(format!("warning: {problem}")),
        }
    }
    Ok(told)
}

async fn await_gone(client: &Client, namespace: &str) -> Result<(), String> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let deleted = until(namespaces, namespace, |found| found.is_none());
    match tokio::time::timeout(NAMESPACE_WITHIN, deleted).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "failed to confirm the deletion of the namespace {namespace}: {error}"
        )),
        Err(_) => Err(format!("the namespace {namespace} is still being deleted")),
    }
}

/// Removes the namespaces of runs whose process has ended without removing them, and waits until
/// their Pods are gone: they would take the room of the next run's. Returns the namespaces of cases
/// of all runs.
pub(super) async fn remove_orphans(
    client: &Client,
    watches: &Arc<Watches>,
    progress: &dyn Progress,
) -> Result<BTreeSet<String>, kube::Error> {
    let of_cases = list(client).await?;
    for name in left(&of_cases) {
        progress.line(&format!(
            "removing the namespace {name}, which a run that was killed has left"
        ));
        if let Err(problem) = delete(client, &name).await {
            progress.line(&format!("warning: {problem}"));
            continue;
        }
        let mut view = NamespaceView::start(watches, &name);
        let gone = async {
            while !view.synced() || view.pod_count() > 0 {
                view.changed().await;
            }
        };
        if tokio::time::timeout(PODS_WITHIN, gone).await.is_err() {
            progress.line(&format!("warning: Pods of the namespace {name} do not end"));
        }
    }
    Ok(of_cases.iter().map(ResourceExt::name_any).collect())
}

/// Begins to delete a namespace and its Pods; false when it is gone already.
async fn delete(client: &Client, namespace: &str) -> Result<bool, String> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    // In this order: in a namespace that ends the operator can't make Pods anew, and the second
    // request shortens the thirty seconds that a shell as first process of a container would
    // otherwise ignore.
    match namespaces
        .delete(namespace, &DeleteParams::background())
        .await
    {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
        Err(error) => {
            return Err(format!(
                "the namespace {namespace} could not be deleted: {error}"
            ));
        }
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let at_once = DeleteParams::default().grace_period(1);
    if let Err(error) = pods
        .delete_collection(&at_once, &ListParams::default())
        .await
    {
        tracing::debug!(namespace, %error, "Pods go with their namespace's own patience");
    }
    Ok(true)
}
