//! When the cluster's state became what a scenario checks, seen by a watch of the bench's own.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};

use super::Failed;

/// How often the dashboard is asked, and a log that can't be opened yet.
const ASK: Duration = Duration::from_millis(100);

/// What a scenario waits for, last of all.
#[derive(Clone, Copy)]
pub enum Truth {
    /// The head Pod is Ready.
    Ready,
    /// This is in the head's log.
    Log(&'static str),
    /// Ray's dashboard lists a job as SUCCEEDED.
    Job,
}

/// Waits for the head of a `RayCluster` that is made from now on, and for what is true of it.
pub async fn became_true(client: Client, cluster: &str, truth: Truth) -> Result<Timestamp, Failed> {
    let labels = format!("ray.io/cluster={cluster},ray.io/node-type=head");
    let config = watcher::Config::default().labels(&labels);
    let mut pods = watcher(Api::<Pod>::all(client.clone()), config)
        .default_backoff()
        .applied_objects()
        .boxed();
    while let Some(pod) = pods.try_next().await? {
        let status = pod.status.clone().unwrap_or_default();
        if pod.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let ready = status
            .conditions
            .iter()
            .flatten()
            .any(|one| one.type_ == "Ready" && one.status == "True");
        match truth {
            Truth::Ready if ready => return Ok(Timestamp::now()),
            Truth::Ready => {}
            _ if status.pod_ip.is_none() => {}
            Truth::Log(text) => return in_log(client, &pod, text).await,
            Truth::Job => return job(client, &pod).await,
        }
    }
    Err("the watch of Pods ended".into())
}

async fn in_log(client: Client, pod: &Pod, text: &str) -> Result<Timestamp, Failed> {
    let pods: Api<Pod> = Api::namespaced(client, &pod.namespace().unwrap_or_default());
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    loop {
        if let Ok(stream) = pods.log_stream(&pod.name_any(), &follow).await {
            let mut lines = stream.lines();
            while let Some(line) = lines.try_next().await? {
                if line.contains(text) {
                    return Ok(Timestamp::now());
                }
            }
        }
        tokio::time::sleep(ASK).await;
    }
}

async fn job(client: Client, pod: &Pod) -> Result<Timestamp, Failed> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:8265/proxy/api/jobs/");
    loop {
        let request = http::Request::get(&path).body(Vec::new())?;
        if client
            .request_text(request)
            .await
            .is_ok_and(|jobs| jobs.contains("SUCCEEDED"))
        {
            return Ok(Timestamp::now());
        }
        tokio::time::sleep(ASK).await;
    }
}
