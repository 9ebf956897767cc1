//! Tests of `results`, with `ConfigMaps` in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::runner::{JobJournal, Journal as _, JournalEntry, JournalHead};
use crate::scenario::results::example;

/// Serves `ConfigMaps` as an API server does, as far as this module asks for them.
#[derive(Clone, Default)]
struct Server {
    maps: Arc<Mutex<BTreeMap<String, Value>>>,
    version: Arc<AtomicU64>,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Client::new(service, NAMESPACE)
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let object: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let (status, answer) = match head.method {
            Method::GET => (StatusCode::OK, self.list(&query)),
            Method::POST => self.put(object, true),
            Method::PATCH => self.put(object, false),
            method => panic!("{method} is not permitted to the account of a Job"),
        };
        let body = Body::from(answer.to_string().into_bytes());
        Response::builder().status(status).body(body).unwrap()
    }

    fn list(&self, query: &str) -> Value {
        let name = query
            .split('&')
            .find_map(|part| part.strip_prefix("fieldSelector=metadata.name%3D"));
        let maps = self.maps.lock().unwrap();
        // Labels are not looked at: every test has one Job with one shard, and asks for one kind at
        // a time.
        let holds = ["case", "shard", "evidence"]
            .into_iter()
            .find(|holds| query.contains(&format!("holds%3D{holds}")));
        let is_wanted = |map: &&Value| {
            name.is_none_or(|name| map["metadata"]["name"] == name)
                && holds.is_none_or(|holds| map["metadata"]["labels"][HOLDS] == holds)
        };
        let items: Vec<&Value> = maps.values().filter(is_wanted).collect();
        json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": items})
    }

    fn put(&self, mut object: Value, creates: bool) -> (StatusCode, Value) {
        let mut maps = self.maps.lock().unwrap();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let there = maps
            .get(&name)
            .map(|map| map["metadata"]["resourceVersion"].clone());
        let expected = &object["metadata"]["resourceVersion"];
        let is_stale = expected.is_string() && Some(expected) != there.as_ref();
        if is_stale || creates && there.is_some() {
            let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": 409,
                "reason": "Conflict", "message": "changed"});
            return (StatusCode::CONFLICT, status);
        }
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        maps.insert(name, object.clone());
        (StatusCode::OK, object)
    }
}

fn pod(server: &Server) -> JobJournal {
    JobJournal::new(JobResults::new(server.client(), "conformance"), 1)
}

fn head() -> JournalHead {
    JournalHead::new(None, Vec::new())
}

/// The result of one case, with what a Pod found.
fn entry(found: &str) -> JournalEntry {
    let mut result = example::run().cases.remove(0);
    result.reason = Some(found.into());
    JournalEntry {
        digest: "sha256:0".into(),
        result,
    }
}

async fn kept(server: &Server) -> Option<String> {
    let results = JobResults::new(server.client(), "conformance");
    let mut cases = results.cases(None).await.unwrap();
    assert_eq!(cases.len(), 1);
    cases.remove(0).result.reason
}

#[tokio::test]
async fn a_pod_that_is_terminating_does_not_overwrite_the_results_of_the_next() {
    let server = Server::default();
    let (first, second) = (pod(&server), pod(&server));
    first.begin(&head(), false).await.unwrap();
    first.note(&entry("the first"), None).await.unwrap();
    second.begin(&head(), true).await.unwrap();
    second.note(&entry("the second"), None).await.unwrap();
    let refused = first
        .note(&entry("the first again"), None)
        .await
        .expect_err("it is the second's");
    assert_eq!(kept(&server).await.as_deref(), Some("the second"));
    assert!(
        refused
            .to_string()
            .contains("is of a later Pod of the shard"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_pod_takes_a_shard_over_and_writes_its_results_again() {
    let server = Server::default();
    let (first, second) = (pod(&server), pod(&server));
    first.begin(&head(), false).await.unwrap();
    first.note(&entry("the first"), None).await.unwrap();
    first.note(&entry("the first again"), None).await.unwrap();
    assert_eq!(kept(&server).await.as_deref(), Some("the first again"));
    let resumed = second.begin(&head(), true).await.unwrap();
    assert_eq!(resumed.len(), 1);
    second.note(&entry("the second"), None).await.unwrap();
    assert_eq!(kept(&server).await.as_deref(), Some("the second"));
}
