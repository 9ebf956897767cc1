//! Requests to the API server: lists in pages, gets and logs, all of them counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject, ListParams, LogParams};
use kube::{Api, Client};
use serde_json::Value;

/// Objects of one page.
const PAGE: u32 = 500;
/// Pages of one list; a list with more is cut.
const PAGES: usize = 20;
/// Lines and bytes of one log.
const LINES: i64 = 200;
const BYTES: i64 = 64 << 10;

/// Returns the message of an API server or of the connection to it, without the client's types.
pub(super) fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => {
            format!("{} ({} {})", status.message, status.code, status.reason)
        }
        other => other.to_string(),
    }
}

/// A kind of object.
pub(super) struct ResourceKind(ApiResource);

impl ResourceKind {
    pub(super) fn new(api_version: &str, kind: &str, plural: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self(ApiResource {
            group: group.into(),
            version: version.into(),
            api_version: api_version.into(),
            kind: kind.into(),
            plural: plural.into(),
        })
    }

    /// One of KubeRay's.
    pub(super) fn ray(kind: &str, plural: &str) -> Self {
        Self::new("ray.io/v1", kind, plural)
    }
}

/// Sends requests and counts them.
#[derive(Clone)]
pub(super) struct Requests {
    client: Client,
    namespace: Option<String>,
    count: Arc<AtomicUsize>,
}

impl Requests {
    pub(super) fn new(client: Client, namespace: Option<String>) -> Self {
        Self {
            client,
            namespace,
            count: Arc::default(),
        }
    }

    /// The same for every namespace, and for objects without one.
    pub(super) fn everywhere(&self) -> Self {
        Self {
            namespace: None,
            ..self.clone()
        }
    }

    /// Number of requests so far.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn counted(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Lists objects, at most as many as [`PAGES`] pages hold; selectors may be empty.
    pub(super) async fn list(
        &self,
        kind: &ResourceKind,
        labels: &str,
        fields: &str,
    ) -> Result<Vec<Value>, kube::Error> {
        let api: Api<DynamicObject> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind.0),
            None => Api::all_with(self.client.clone(), &kind.0),
        };
        let mut params = ListParams::default().limit(PAGE);
        if !labels.is_empty() {
            params = params.labels(labels);
        }
        if !fields.is_empty() {
            params = params.fields(fields);
        }
        let mut all = Vec::new();
        for _ in 0..PAGES {
            self.counted();
            let page = api.list(&params).await?;
            for object in page.items {
                let mut value = serde_json::to_value(object).map_err(kube::Error::SerdeError)?;
                // Items of a list have no kind of their own.
                value["apiVersion"] = kind.0.api_version.clone().into();
                value["kind"] = kind.0.kind.clone().into();
                all.push(value);
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        Ok(all)
    }

    /// Gets an object; an empty namespace means one without.
    pub(super) async fn get(
        &self,
        kind: &ResourceKind,
        namespace: &str,
        name: &str,
    ) -> Result<Value, kube::Error> {
        let api: Api<DynamicObject> = if namespace.is_empty() {
            Api::all_with(self.client.clone(), &kind.0)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &kind.0)
        };
        self.counted();
        let object = api.get(name).await?;
        serde_json::to_value(object).map_err(kube::Error::SerdeError)
    }

    /// The end of a log, each line with the time at which it was written.
    pub(super) async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<String, kube::Error> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let params = LogParams {
            container: Some(container.into()),
            previous,
            tail_lines: Some(LINES),
            limit_bytes: Some(BYTES),
            timestamps: true,
            ..LogParams::default()
        };
        self.counted();
        api.logs(pod, &params).await
    }

    /// The release of Kubernetes.
    pub(super) async fn version(&self) -> Result<Option<String>, kube::Error> {
        self.counted();
        let version = self.client.apiserver_version().await?;
        Ok(Some(version.git_version))
    }
}
