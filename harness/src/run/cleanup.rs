//! What a cell made goes, in the background.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client};

use super::capacity::Permit;
use crate::observe::NamespaceView;

const PODS_WITHIN: Duration = Duration::from_secs(60);
const NAMESPACE_WITHIN: Duration = Duration::from_secs(60);

/// Deletes a cell's namespace; gives the permit back when its Pods are gone from the node. Returns what went wrong.
pub(super) async fn remove(
    client: Client,
    namespace: String,
    mut view: NamespaceView,
    permit: Permit,
) -> Result<(), String> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    // In this order: in a namespace that ends the operator can't make Pods anew, and the second request shortens the
    // thirty seconds that a shell as first process of a container would otherwise ignore.
    match namespaces.delete(&namespace, &DeleteParams::background()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(error) => return Err(format!("the namespace {namespace} could not be deleted: {error}")),
    }
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let at_once = DeleteParams::default().grace_period(1);
    if let Err(error) = pods.delete_collection(&at_once, &ListParams::default()).await {
        tracing::debug!(namespace, %error, "Pods go with their namespace's own patience");
    }
    let gone = async {
        while view.pod_count() > 0 {
            view.changed().await;
        }
    };
    let in_time = tokio::time::timeout(PODS_WITHIN, gone).await.is_ok();
    drop((view, permit));
    let deleted = await_condition(namespaces, &namespace, |found: Option<&Namespace>| found.is_none());
    match tokio::time::timeout(NAMESPACE_WITHIN, deleted).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "whether the namespace {namespace} is gone is not known: {error}"
        )),
        Err(_) if in_time => Err(format!("the namespace {namespace} is still being deleted")),
        Err(_) => Err(format!("Pods of the namespace {namespace} do not end")),
    }
}
