//! Values of Secrets, which neither evidence nor results may hold.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::Value;

/// Of the Secrets among objects that are sent.
pub(super) fn sent(objects: &[Value]) -> Vec<String> {
    let secrets = objects.iter().filter(|object| object["kind"] == "Secret");
    secrets
        .filter_map(|object| serde_json::from_value::<Secret>(object.clone()).ok())
        .flat_map(values)
        .collect()
}

/// Of all Secrets in a namespace.
pub(super) async fn in_namespace(client: &Client, namespace: &str) -> Result<Vec<String>, kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let found = secrets.list(&ListParams::default()).await?;
    Ok(found.items.into_iter().flat_map(values).collect())
}

fn values(secret: Secret) -> Vec<String> {
    let data = secret.data.into_iter().flatten();
    let decoded = data.filter_map(|(_, value)| String::from_utf8(value.0).ok());
    let plain = secret.string_data.into_iter().flatten().map(|(_, value)| value);
    decoded.chain(plain).collect()
}

#[cfg(test)]
mod tests;
