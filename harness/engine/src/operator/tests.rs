//! The operator of a cluster whose answers the tests write.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::{Installed, discover, log_since};

/// Answers each request as `answer` says of its path and query.
fn client(answer: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request
            .uri()
            .path_and_query()
            .map_or("", |path| path.as_str())
            .to_owned();
        std::future::ready(Ok::<_, Infallible>(answer(&path)))
    });
    Client::new(service, "default")
}

fn json_answer(value: &Value) -> Response<Body> {
    Response::new(Body::from(value.to_string().into_bytes()))
}

fn deployment(made: Timestamp, available: i32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "ray", "name": "kuberay-operator", "uid": "d", "generation": 1,
            "creationTimestamp": format!("{made:.0}")},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [
            {"name": "operator", "image": "quay.io/kuberay/operator:v1.6.2"}]}}},
        "status": {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": available,
            "conditions": [{"type": "Available", "status": if available > 0 { "True" } else { "False" }}]}})
}

fn pods() -> Value {
    let labels = json!({"a": "b", "pod-template-hash": "6c8f"});
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "kuberay-operator-6c8f", "uid": "r"});
    json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [
        {"metadata": {"namespace": "ray", "name": "kuberay-operator-6c8f-1", "labels": labels, "ownerReferences": [owner]}}]})
}

fn installed() -> Installed {
    Installed {
        release: semver::Version::new(1, 6, 2),
        namespace: "ray".into(),
        deployment: "kuberay-operator".into(),
        reused: true,
    }
}

/// The operator's log since so many seconds, and the query with which it was asked for.
async fn log_of(seconds: i64) -> (String, String) {
    let asked = Arc::new(Mutex::new(String::new()));
    let query = Arc::clone(&asked);
    let client = client(move |path| {
        if path.contains("/log") {
            path.clone_into(&mut query.lock().expect("no panic"));
            return Response::new(Body::from(b"reconciling\n".to_vec()));
        }
        json_answer(&if path.contains("deployments") {
            deployment(Timestamp::UNIX_EPOCH, 1)
        } else {
            pods()
        })
    });
    let since = Timestamp::now() - SignedDuration::from_secs(seconds);
    let text = log_since(&client, &installed(), since).await;
    let asked = asked.lock().expect("no panic").clone();
    (text, asked)
}

#[tokio::test]
async fn the_operators_log_is_that_of_its_pods() {
    assert_eq!(log_of(90).await.0, "reconciling\n");
}

#[tokio::test]
async fn the_log_is_asked_for_by_its_age_and_not_by_a_time_of_our_clock() {
    let (_, asked) = log_of(90).await;
    assert!(asked.contains("sinceSeconds=9"), "{asked}");
    assert!(!asked.contains("sinceTime"), "{asked}");
}

/// An API server whose clock is ahead of ours, or behind it; the operator became available at the
/// second look.
#[rstest::rstest]
#[case::an_hour_ahead(3600)]
#[case::an_hour_behind(-3600)]
#[tokio::test]
async fn an_operator_that_has_just_begun_by_the_api_servers_clock_is_waited_for(#[case] skew: i64) {
    let looks = Arc::new(Mutex::new(0));
    let client = client(move |path| {
        let now = Timestamp::now() + SignedDuration::from_secs(skew);
        let mut answer = if path.contains("deployments") {
            let mut looks = looks.lock().expect("no panic");
            *looks += 1;
            let one = deployment(now - SignedDuration::from_secs(5), i32::from(*looks > 1));
            json_answer(
                &json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {}, "items": [one]}),
            )
        } else {
            json_answer(&pods())
        };
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer
            .headers_mut()
            .insert("date", date.parse().expect("a header"));
        answer
    });
    let found = discover(&client, None, None).await.expect("the operator");
    assert_eq!(found.installed.release, semver::Version::new(1, 6, 2));
}
