//! Waiting for nodes, by watching them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Node, Service};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Config};

use tower::layer::layer_fn;

use super::deadline::{Deadlines, Limits};
use super::error::ClusterError;

/// The user agent of the harness's requests.
const USER_AGENT: &str = concat!("kuberay-conformance/", env!("CARGO_PKG_VERSION"));

fn api(doing: &'static str) -> impl Fn(kube::Error) -> ClusterError {
    move |source| ClusterError::Api {
        doing,
        source: source.into(),
    }
}

/// A client for the cluster of a kubeconfig file, and for no other: the user's own is never read.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client, ClusterError> {
    let doing = "reading the cluster's kubeconfig";
    let wrong =
        |source: Box<dyn std::error::Error + Send + Sync>| ClusterError::Api { doing, source };
    let read = Kubeconfig::read_from(kubeconfig).map_err(|error| wrong(error.into()))?;
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(read, &options)
        .await
        .map_err(|error| wrong(error.into()))?;
    // It listens on this machine: a proxy that the environment names is the way to others.
    config.proxy_url = None;
    client_of(config).map_err(api(doing))
}

/// A client that says who it is, because API servers count and audit requests by that, and whose
/// requests have deadlines.
pub(crate) fn client_of(config: Config) -> Result<Client, kube::Error> {
    client_with(config, Limits::default())
}

/// Longest time of the program that a kubeconfig names for credentials; a browser may ask for a
/// password meanwhile.
const CREDENTIALS_WITHIN: Duration = Duration::from_mins(2);

/// As [`client_of`], for a config of the user's. A program that it names for credentials is run at
/// once, and kube waits for its end; here this has a limit, and the future can be dropped
/// meanwhile.
pub(super) async fn client_of_user(config: Config) -> Result<Client, kube::Error> {
    let exec = config.auth_info.exec.as_ref();
    let Some(program) = exec.map(|exec| exec.command.clone().unwrap_or_default()) else {
        return client_of(config);
    };
    let (sender, made) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    // Not a thread of the runtime, whose end would wait for it.
    std::thread::spawn(move || {
        let _runtime = runtime.enter();
        let _ = sender.send(client_of(config));
    });
    match tokio::time::timeout(CREDENTIALS_WITHIN, made).await {
        Ok(Ok(made)) => made,
        _ => Err(kube::Error::Service(
            format!(
                "`{program}`, which the kubeconfig names for credentials, did not end within {} s",
                CREDENTIALS_WITHIN.as_secs()
            )
            .into(),
        )),
    }
}

pub(super) fn client_with(mut config: Config, limits: Limits) -> Result<Client, kube::Error> {
    config.headers.push((
        http::header::USER_AGENT,
        http::HeaderValue::from_static(USER_AGENT),
    ));
    let builder = ClientBuilder::try_from(config)?;
    let deadlines = layer_fn(|service| Deadlines::new(service, limits));
    Ok(builder.with_layer(&deadlines).build())
}

/// Whether the API server answers, within `patience`.
pub(super) async fn answers(client: &Client, patience: Duration) -> bool {
    matches!(
        tokio::time::timeout(patience, client.apiserver_version()).await,
        Ok(Ok(_))
    )
}

/// The API server's release.
pub(super) async fn version(client: &Client) -> Result<String, ClusterError> {
    Ok(client
        .apiserver_version()
        .await
        .map_err(api("asking the API server for its release"))?
        .git_version)
}

/// Where Pods find the API server, and where they ask for names: the addresses of two Services.
pub(super) async fn service_addresses(client: &Client) -> Result<[String; 2], ClusterError> {
    let address = async |namespace: &str, name: &str| {
        let services: Api<Service> = Api::namespaced(client.clone(), namespace);
        let service = services.get(name).await;
        let spec = service
            .map_err(api("reading a Service of the control plane"))?
            .spec;
        Ok::<_, ClusterError>(spec.and_then(|spec| spec.cluster_ip).unwrap_or_default())
    };
    Ok([
        address("default", "kubernetes").await?,
        address("kube-system", "kube-dns").await?,
    ])
}

/// Waits until there are `count` nodes and `judge` has no complaint about any; returns them by
/// name.
pub(super) async fn nodes(
    client: &Client,
    count: usize,
    patience: Duration,
    awaited: &'static str,
    judge: impl Fn(&Node) -> Result<(), String>,
) -> Result<Vec<Node>, ClusterError> {
    let started = Instant::now();
    let mut seen: BTreeMap<String, Node> = BTreeMap::new();
    let mut last = "no node".to_owned();
    let watch = async {
        let mut events = watcher(Api::<Node>::all(client.clone()), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        loop {
            match events.try_next().await {
                Ok(Some(node)) => {
                    seen.insert(node.metadata.name.clone().unwrap_or_default(), node);
                }
                Ok(None) => return,
                Err(error) => last = error.to_string(),
            }
            let complaints: Vec<String> =
                seen.values().filter_map(|node| judge(node).err()).collect();
            if seen.len() >= count && complaints.is_empty() {
                return;
            }
            if !seen.is_empty() {
                last = format!("{} of {count} nodes; {}", seen.len(), complaints.join("; "));
            }
        }
    };
    let in_time = tokio::time::timeout(patience, watch).await.is_ok();
    if in_time {
        return Ok(seen.into_values().collect());
    }
    Err(ClusterError::Deadline {
        seconds: started.elapsed().as_secs(),
        awaited,
        seen: last,
    })
}

/// Complains about a node that is not Ready, with the kubelet's reason.
pub(crate) fn is_ready(node: &Node) -> Result<(), String> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    match conditions.and_then(|all| all.iter().find(|condition| condition.type_ == "Ready")) {
        Some(ready) if ready.status == "True" => Ok(()),
        Some(ready) => Err(format!(
            "{name}: {}",
            ready
                .message
                .as_deref()
                .unwrap_or("not Ready, without a reason")
        )),
        None => Err(format!("{name}: its kubelet has not reported yet")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!([{"type": "Ready", "status": "True"}]), Ok(()))]
    #[case(json!([{"type": "Ready", "status": "False", "message": "cni plugin not initialized"}]), Err("n1: cni plugin not initialized"))]
    #[case(json!([]), Err("n1: its kubelet has not reported yet"))]
    fn readiness_has_a_reason(
        #[case] conditions: serde_json::Value,
        #[case] expected: Result<(), &str>,
    ) {
        let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": conditions}});
        assert_eq!(
            is_ready(&serde_json::from_value(node).unwrap()),
            expected.map_err(str::to_owned)
        );
    }
}
