//! The namespace of a case: made for it alone, marked as ours, and ready for Pods.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use super::CaseError;
use super::names::RunId;
use super::owner::{OWNER, PROCESS, owner, process};
use crate::observe::until;
use crate::operator::{FIELD_MANAGER, MANAGED_BY, MANAGER};

/// The label with the run's id on all that a run makes.
pub(super) const RUN: &str = "kuberay-conformance/run";

/// Kubernetes' controllers stood still for 38 s once on a machine with two cores that was busy.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Makes the namespace.
pub(super) async fn create(client: &Client, name: &str, run: &RunId) -> Result<(), CaseError> {
    let labels = json!({MANAGED_BY: MANAGER, RUN: run.to_string(), OWNER: owner()});
    let metadata = json!({"name": name, "labels": labels, "annotations": {PROCESS: process()}});
    let namespace: Namespace = serde_json::from_value(json!({"metadata": metadata}))
        .map_err(|source| error(name)(kube::Error::SerdeError(source)))?;
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PostParams::default()
    };
    let api: Api<Namespace> = Api::all(client.clone());
    api.create(&params, &namespace).await.map_err(error(name))?;
    Ok(())
}

/// Waits until the control plane has put into it what every Pod needs; a Pod that comes before is
/// refused, or waits a second for its token.
pub(super) async fn until_ready(client: &Client, name: &str) -> Result<(), CaseError> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), name);
    let ready = async {
        tokio::try_join!(
            until(accounts, "default", |found| found.is_some()),
            until(maps, "kube-root-ca.crt", |found| found.is_some()),
        )
    };
    match tokio::time::timeout(READY_WITHIN, ready).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(error(name)(kube::Error::Service(source.into()))),
        Err(elapsed) => Err(error(name)(kube::Error::Service(elapsed.into()))),
    }
}

fn error(namespace: &str) -> impl FnOnce(kube::Error) -> CaseError + use<'_> {
    move |source| CaseError::Namespace {
        namespace: namespace.into(),
        source: Box::new(source),
    }
}
