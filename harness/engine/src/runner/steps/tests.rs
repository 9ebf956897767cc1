use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use rstest::rstest;
use serde_json::json;

use super::*;

#[test]
fn other_pods_are_left_alone() {
    let pod: Pod =
        serde_json::from_value(json!({"metadata": {"name": "submitter"}})).expect("a Pod");
    assert!(!is_rays(&pod));
}

/// An operator that another replaces.
struct Replaced;

impl Upgrade for Replaced {
    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    fn end(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    fn upgrade(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }
}

/// An API server that serves roles; `changed` is what is written.
fn client(changed: &Arc<Mutex<Vec<String>>>) -> Client {
    let changed = Arc::clone(changed);
    let service = tower::service_fn(move |request: Request<Body>| {
        if request.method() != Method::GET {
            let path = request.uri().path().to_owned();
            changed.lock().unwrap().push(path);
        }
        let kind = |kind: &str, name: &str, namespaced: bool| {
            json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind,
                "verbs": ["patch"]})
        };
        let answer = json!({"apiVersion": "v1", "kind": "APIResourceList",
            "groupVersion": "rbac.authorization.k8s.io/v1", "resources": [
                kind("ClusterRole", "clusterroles", false), kind("Role", "roles", true)]});
        let response = Response::new(Body::from(answer.to_string().into_bytes()));
        std::future::ready(Ok::<_, Infallible>(response))
    });
    Client::new(service, "default")
}

#[rstest]
#[case::between(true)]
#[case::later(false)]
#[tokio::test]
async fn a_step_applies_nothing_outside_the_namespace_of_its_case(#[case] is_between: bool) {
    let changed = Arc::default();
    let client = client(&changed);
    let sender = Sender::new(client.clone());
    let object = |kind: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": "a", "namespace": "n"}})
    };
    let objects = [object("Role"), object("ClusterRole")];
    let (between, later): (&[Value], &[Value]) = if is_between {
        (&objects, &[])
    } else {
        (&[], &objects)
    };
    let steps = Steps {
        apply: Some("a.yaml".into()),
        ..Steps::default()
    };
    let parts = [between, later];
    let mut runner = StepRunner::new(&steps, parts, client, &sender, "n", Some(&Replaced));
    let observation = Observation {
        ray_clusters: vec![json!({"status": {"state": "ready"}})],
        ..Observation::default()
    };
    let acted = runner.act(&observation).await;
    let error = acted
        .expect_err("an object without a namespace")
        .to_string();
    assert!(
        error.contains("ClusterRole a belongs to no namespace"),
        "{error}"
    );
    assert_eq!(
        *changed.lock().unwrap(),
        ["/apis/rbac.authorization.k8s.io/v1/namespaces/n/roles/a"]
    );
}
