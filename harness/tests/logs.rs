//! Cases whose containers write long and strange logs, against an API server that the test plays.

#![allow(missing_docs, reason = "an integration test has no public interface")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use kuberay_conformance::plan::{self, Filter, Pair};
use kuberay_conformance::report::{CellResult, ImageRecord, Origin, Outcome, Redactor, Silent};
use kuberay_conformance::run::{Engine, EngineOptions, EvidencePolicy, Operator, Subjects, new_run_id};
use kuberay_conformance::scenario::{Lane, load_all};
use semver::Version;
use serde_json::{Value, json};
use tokio::sync::watch;

/// What the container writes: its log, piece by piece.
type Log = Arc<dyn Fn() -> BoxStream<'static, Bytes> + Send + Sync>;

/// Serves one head Pod in the namespace that the case makes.
struct Server {
    namespace: watch::Sender<Option<String>>,
    log: Log,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

fn streamed(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

fn answer(code: u16, value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string())).boxed_unsync();
    Response::builder().status(code).body(body).unwrap()
}

fn failure(code: u16, reason: &str) -> Answer {
    let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code,
        "reason": reason, "message": reason});
    answer(code, &status)
}

fn pod(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": "head", "uid": namespace, "resourceVersion": "2",
            "creationTimestamp": "2026-11-28T01:00:00Z", "labels": {"ray.io/node-type": "head"}},
        "spec": {"nodeName": "node", "containers": [{"name": "ray-head", "image": "ray"}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "ray-head", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "containerID": "containerd://1", "state": {"running": {"startedAt": "2026-11-28T01:00:00Z"}}}]}})
}

impl Server {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Answer {
        let (parts, sent) = request.into_parts();
        let (path, query) = (
            parts.uri.path().to_owned(),
            parts.uri.query().unwrap_or_default().to_owned(),
        );
        let kind = path.rsplit('/').next().unwrap_or_default();
        if parts.method == Method::POST {
            let sent = sent.collect().await.unwrap().to_bytes();
            let object: Value = serde_json::from_slice(&sent).unwrap();
            if kind == "namespaces" {
                let name = object["metadata"]["name"].as_str().unwrap().to_owned();
                self.namespace.send_replace(Some(name));
            }
            return answer(201, &object);
        }
        if kind == "log" {
            if query.contains("previous=true") {
                return failure(400, "BadRequest");
            }
            let log = (self.log)();
            return if query.contains("follow=true") {
                streamed(log.chain(stream::pending()))
            } else {
                streamed(log)
            };
        }
        if !query.contains("watch=true") {
            return answer(
                200,
                &json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}),
            );
        }
        if query.contains("sendInitialEvents") {
            return failure(422, "Invalid");
        }
        if kind != "pods" {
            return streamed(stream::pending());
        }
        // One Pod in each namespace; a case that the environment failed is tried again in another.
        let mut namespace = self.namespace.subscribe();
        namespace.mark_changed();
        let events = stream::unfold(namespace, |mut namespace| async {
            loop {
                namespace.changed().await.ok()?;
                let name = namespace.borrow_and_update().clone();
                if let Some(name) = name {
                    let event = json!({"type": "ADDED", "object": pod(&name)});
                    return Some((Bytes::from(format!("{event}\n")), namespace));
                }
            }
        });
        streamed(events.chain(stream::pending()))
    }
}

/// The result of a case with these checks whose head writes this log, and whose evidence goes to `output`.
async fn run(checks: &str, timeout: &str, log: Log, output: &Path) -> CellResult {
    let server = Arc::new(Server {
        namespace: watch::Sender::new(None),
        log,
    });
    let service = tower::service_fn(move |request| -> BoxFuture<'static, Result<_, Infallible>> {
        let server = Arc::clone(&server);
        Box::pin(async move { Ok(server.answer(request).await) })
    });
    let scenarios = tempfile::tempdir().unwrap();
    let folder = scenarios.path().join("a-log");
    std::fs::create_dir(&folder).unwrap();
    let scenario = format!(
        "apiVersion: kuberay-conformance/v1alpha1\nkind: Scenario\nmetadata: {{name: a-log}}\nspec:\n  \
         description: A container writes.\n  lanes: [kind]\n  timeout: {timeout}\n  manifests: [raycluster.yaml]\n  \
         checks:\n{checks}"
    );
    std::fs::write(folder.join("scenario.yaml"), scenario).unwrap();
    let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\n";
    std::fs::write(folder.join("raycluster.yaml"), manifest).unwrap();
    let scenarios = load_all(scenarios.path()).unwrap();
    let (operator, ray) = (Version::new(1, 6, 2), Version::new(2, 52, 0));
    let pairs = Pair::crossed(std::slice::from_ref(&operator), std::slice::from_ref(&ray));
    let cells = plan::cells(&scenarios, &[(Lane::Kind, pairs)], &Filter::default()).cells;
    let image = |name: &str| ImageRecord {
        name: name.into(),
        origin: Origin::Built,
        source: "the test".into(),
        digest: "sha256:0".into(),
        pinned: true,
    };
    let subjects = Subjects {
        kubernetes: "v1.34.4".into(),
        operator: Operator::Beside {
            log: output.join("operator.log"),
            stays: false,
        },
        operator_image: image("operator"),
        samples: output.into(),
        rays: BTreeMap::from([(ray, image("ray"))]),
        permits: None,
    };
    let options = EngineOptions {
        run: new_run_id(),
        output: output.into(),
        evidence: EvidencePolicy::Always,
        jobs: 1,
        overlap: false,
        room_share: 1,
        journal: None,
        redactor: Redactor::default(),
        ends: None,
        write_pending: false,
        record_verified: false,
    };
    let cancel = tokio_util::sync::CancellationToken::new();
    let client = Client::new(service, "default");
    let engine = Engine::new(client, subjects, options, Arc::new(Silent), cancel)
        .await
        .unwrap();
    engine.run_cell(&cells[0]).await
}

fn text(text: &'static [u8]) -> Log {
    Arc::new(move || stream::iter([Bytes::from_static(text)]).boxed())
}

/// The log of the head among the evidence.
fn log_in_evidence(result: &CellResult, output: &Path) -> Vec<u8> {
    let folder = output.join(result.evidence.as_ref().unwrap());
    std::fs::read(folder.join("logs/head/ray-head.log")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_writes_what_is_expected_passes() {
    let output = tempfile::tempdir().unwrap();
    let checks = "    - logs: {role: head, after: [running], lines: [{must: Ray runtime started}, {not: Traceback}]}\n";
    let result = run(checks, "30s", text(b"hello\nRay runtime started.\n"), output.path()).await;
    assert_eq!(result.outcome, Outcome::Passed, "{:?}", result.reason);
    assert_eq!(
        log_in_evidence(&result, output.path()),
        b"hello\nRay runtime started.\n"
    );
}
