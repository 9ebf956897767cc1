//! The Secrets of a case's namespace, whose values nothing that is written or printed may hold.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::json;

use crate::redact::Redactor;

/// Longest wait of progress for the API server's answer.
const IN_TIME: Duration = Duration::from_secs(2);

/// The Secrets of a namespace, and the redactor that learns them.
pub(super) struct Secrets<'a> {
    secrets: Api<Secret>,
    redactor: &'a Redactor,
}

impl<'a> Secrets<'a> {
    /// Of this namespace.
    pub(super) fn new(client: &Client, namespace: &str, redactor: &'a Redactor) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            redactor,
        }
    }

    /// Learns the values of those that are there now.
    ///
    /// # Errors
    /// When they can't be listed.
    pub(super) async fn learn(&self) -> Result<(), kube::Error> {
        for secret in self.secrets.list(&ListParams::default()).await?.items {
            let mut object = serde_json::to_value(secret).map_err(kube::Error::SerdeError)?;
            // The items of a list have no kind of their own.
            object["kind"] = json!("Secret");
            self.redactor.learn(&object);
        }
        Ok(())
    }

    /// As [`Self::learn`], as far as the API server answers soon. That it does not, is told with
    /// the evidence.
    pub(super) async fn learn_in_time(&self) {
        let learned = tokio::time::timeout(IN_TIME, self.learn()).await;
        if let Ok(Err(error)) = learned {
            tracing::debug!(%error, "the namespace's Secrets can't be read");
        }
    }
}
