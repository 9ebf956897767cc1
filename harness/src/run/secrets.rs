//! The Secrets of a namespace, whose values neither evidence nor results may hold.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::{Value, json};

/// Returns all Secrets of a namespace.
pub(super) async fn in_namespace(client: &Client, namespace: &str) -> Result<Vec<Value>, kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let found = secrets.list(&ListParams::default()).await?;
    let objects = found.items.iter().map(|secret| {
        let mut object = serde_json::to_value(secret).map_err(kube::Error::SerdeError)?;
        // The items of a list have no kind of their own.
        object["kind"] = json!("Secret");
        Ok(object)
    });
    objects.collect()
}
