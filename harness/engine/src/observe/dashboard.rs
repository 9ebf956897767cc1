//! The dashboard of a Ray head, spoken to over a port-forward stream of the API server; no local
//! port is bound.

use std::time::Duration;

use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::Value;

use crate::check::{Dashboard, DashboardJob, DashboardNode};

/// The dashboard's port on a head Pod.
pub const HEAD_PORT: u16 = 8265;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the dashboard gave no answer; it is asked again, so only the text matters.
#[derive(Debug, thiserror::Error)]
pub(super) enum DashboardError {
    #[error("the port-forward to {pod}:{HEAD_PORT} could not be opened: {source}")]
    Forward {
        pod: String,
        source: Box<kube::Error>,
    },
    #[error("the dashboard closed the connection: {0}")]
    Connection(#[from] hyper::Error),
    #[error("GET {path} was not answered within {} s", REQUEST_TIMEOUT.as_secs())]
    Timeout { path: &'static str },
    #[error("GET {path} was answered with {status}")]
    Status {
        path: &'static str,
        status: http::StatusCode,
    },
    #[error("the answer to GET {path} was not understood: {source}")]
    Answer {
        path: &'static str,
        source: serde_json::Error,
    },
}

/// A connection to the dashboard of one head Pod.
pub(super) struct Client {
    sender: SendRequest<Empty<Bytes>>,
    connection: tokio::task::JoinHandle<()>,
    ray_version: Option<String>,
    head_ip: Option<String>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Client {
    /// Opens the stream; that it opens says nothing yet of whether anything listens behind it.
    pub(super) async fn connect(
        pods: &Api<Pod>,
        pod: &str,
        head_ip: Option<String>,
    ) -> Result<Self, DashboardError> {
        let timeout = || DashboardError::Timeout { path: "(connect)" };
        let mut forward =
            tokio::time::timeout(REQUEST_TIMEOUT, pods.portforward(pod, &[HEAD_PORT]))
                .await
                .map_err(|_| timeout())?
                .map_err(|source| DashboardError::Forward {
                    pod: pod.into(),
                    source: Box::new(source),
                })?;
        let Some(stream) = forward.take_stream(HEAD_PORT) else {
            return Err(timeout());
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move {
            // The forwarder must live as long as its stream. How the connection ends, requests
            // tell.
            let _ = connection.await;
            drop(forward);
        });
        Ok(Self {
            sender,
            connection,
            ray_version: None,
            head_ip,
        })
    }

    /// Asks for the release (once), the nodes and the jobs.
    pub(super) async fn read(&mut self) -> Result<Dashboard, DashboardError> {
        if self.ray_version.is_none() {
            let version = self.get("/api/version").await?;
            self.ray_version = version["ray_version"].as_str().map(str::to_owned);
        }
        let nodes = parse_nodes(
            &self.get("/nodes?view=summary").await?,
            self.head_ip.as_deref(),
        );
        let jobs =
            parse_jobs(self.get("/api/jobs/").await?).map_err(|source| DashboardError::Answer {
                path: "/api/jobs/",
                source,
            })?;
        Ok(Dashboard {
            ray_version: self.ray_version.clone(),
            jobs,
            nodes,
        })
    }

    async fn get(&mut self, path: &'static str) -> Result<Value, DashboardError> {
        let request = Request::get(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .expect("a constant request is well formed");
        let exchange = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(DashboardError::Status { path, status });
            }
            let body = response.into_body().collect().await?.to_bytes();
            serde_json::from_slice(&body).map_err(|source| DashboardError::Answer { path, source })
        };
        tokio::time::timeout(REQUEST_TIMEOUT, exchange)
            .await
            .map_err(|_| DashboardError::Timeout { path })?
    }
}

/// Reads the answer of `/api/jobs/`.
///
/// # Errors
/// When it is not a list of jobs.
pub fn parse_jobs(answer: Value) -> Result<Vec<DashboardJob>, serde_json::Error> {
    serde_json::from_value(answer)
}

/// Reads the answer of `/nodes?view=summary`; entries without an address are left out. A release
/// that doesn't say which node is the head is helped by the head Pod's address.
pub fn parse_nodes(answer: &Value, head_ip: Option<&str>) -> Vec<DashboardNode> {
    let Some(summary) = answer["data"]["summary"].as_array() else {
        return Vec::new();
    };
    summary
        .iter()
        .filter_map(|node| {
            let raylet = &node["raylet"];
            let ip = node["ip"]
                .as_str()
                .or_else(|| raylet["nodeManagerAddress"].as_str())?
                .to_owned();
            let is_head = raylet["isHeadNode"]
                .as_bool()
                .unwrap_or(Some(ip.as_str()) == head_ip);
            let state = raylet["state"].as_str().unwrap_or_default().to_owned();
            let totals = raylet["resourcesTotal"].as_object().into_iter().flatten();
            let resources =
                totals.filter_map(|(name, total)| Some((name.clone(), total.as_f64()?)));
            Some(DashboardNode {
                ip,
                state,
                is_head,
                resources: resources.collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod mutated;

#[cfg(test)]
mod tests {
    use assertables::assert_in_delta;
    use serde_json::json;

    use super::{parse_jobs, parse_nodes};

    #[test]
    fn nodes_are_read_from_the_summary() {
        let answer = json!({"result": true, "data": {"summary": [
            {"ip": "10.244.0.8", "raylet": {"state": "ALIVE", "isHeadNode": true,
                "resourcesTotal": {"CPU": 1.0, "memory": 2_147_483_648.0, "node:10.244.0.8": 1.0}}},
            {"ip": "10.244.0.9", "raylet": {"state": "DEAD", "isHeadNode": false}},
            {"raylet": {"state": "ALIVE"}},
        ]}});
        let nodes = parse_nodes(&answer, None);
        assert_eq!(nodes.len(), 2);
        assert!(nodes[0].is_head);
        assert_eq!(nodes[0].state, "ALIVE");
        assert!(!nodes[1].is_head);
        assert_eq!(nodes[1].state, "DEAD");
        assert_in_delta!(nodes[0].resources["CPU"], 1.0, f64::EPSILON);
        assert!(nodes[1].resources.is_empty());
    }

    #[test]
    fn the_heads_address_helps_where_the_release_does_not_say() {
        let answer =
            json!({"data": {"summary": [{"ip": "10.0.0.1", "raylet": {"state": "ALIVE"}}]}});
        assert!(parse_nodes(&answer, Some("10.0.0.1"))[0].is_head);
        assert!(!parse_nodes(&answer, Some("10.0.0.2"))[0].is_head);
    }

    #[test]
    fn no_summary_is_no_nodes() {
        assert!(parse_nodes(&json!({"result": false, "data": null}), None).is_empty());
    }

    #[test]
    fn a_captured_answer_of_jobs_is_read() {
        let answer = json!([{"type": "DRIVER", "job_id": "01000000", "submission_id": null,
            "driver_info": {"id": "01000000", "node_ip_address": "10.244.0.8", "pid": "58"},
            "status": "SUCCEEDED", "entrypoint": "python -c \"import ray; ray.init(); print(ray.cluster_resources())\"",
            "message": null, "error_type": null, "start_time": 1_795_411_950_348_i64, "end_time": 1_795_411_951_000_i64,
            "metadata": {}, "runtime_env": {}}]);
        let jobs = parse_jobs(answer).expect("jobs");
        assert_eq!(jobs[0].status, "SUCCEEDED");
        assert_eq!(jobs[0].start_time, Some(1_795_411_950_348));
    }
}
