//! Tests of cases in a cluster that exists, with an API server in memory.

use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::artifact::SourcePolicy;
use crate::operator::{MANAGED_BY, MANAGER, OWN_NAMESPACE};
use crate::progress::Silent;
use crate::provider::{CaseRunner, CleanUp};
use crate::provider::{CustomOperator, Phases, RunEnd};
use crate::target::ContextOptions;

const RBAC: &str = "/apis/rbac.authorization.k8s.io";

/// A cluster with an operator of another run's and a role of somebody else's; `deleted` is what the
/// run deletes.
fn client(deleted: &Arc<Mutex<Vec<String>>>) -> Client {
    let deleted = Arc::clone(deleted);
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path().to_owned();
        if request.method() == Method::DELETE {
            deleted.lock().unwrap().push(path.clone());
        }
        let (status, answer) = answer(&path);
        let body = Body::from(answer.to_string().into_bytes());
        let response = Response::builder().status(status).body(body).unwrap();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    Client::new(service, "default")
}

fn answer(path: &str) -> (StatusCode, Value) {
    let ours = json!({MANAGED_BY: MANAGER});
    let found = match path.strip_prefix(RBAC) {
        Some("/v1") => {
            let role = json!({"name": "clusterroles", "singularName": "", "namespaced": false,
                "kind": "ClusterRole", "verbs": ["get", "delete"]});
            json!({"apiVersion": "v1", "kind": "APIResourceList",
                "groupVersion": "rbac.authorization.k8s.io/v1", "resources": [role]})
        }
        Some("/v1/clusterroles/foreign") => json!({"apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole", "metadata": {"name": "foreign", "uid": "f"}}),
        None if path == format!("/api/v1/namespaces/{OWN_NAMESPACE}") => {
            json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": OWN_NAMESPACE, "labels": ours}})
        }
        // Whether the namespace is gone: it is.
        None if path == "/api/v1/namespaces" => json!({"apiVersion": "v1",
            "kind": "NamespaceList", "metadata": {"resourceVersion": "1"}, "items": []}),
        _ => {
            let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {},
                "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found"});
            return (StatusCode::NOT_FOUND, status);
        }
    };
    (StatusCode::OK, found)
}

/// Serves a run that installs an operator, until `end`; returns its error, and how long it took.
async fn installed(client: Client, end: RunEnd) -> (String, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "foreign"}});
    let rendered = Rendered {
        crds: Vec::new(),
        objects: vec![role],
        namespace: "a".into(),
        deployment: "b".into(),
    };
    let release = Version::new(1, 6, 2);
    let there = ExistingProvider {
        spec: ExistingSpec {
            source: SourcePolicy::Auto,
            context: ContextOptions {
                name: "kind-mine".into(),
                kubeconfig: None,
                allowed: None,
            },
            install_operator: true,
            operator: CustomOperator::default(),
            operator_deployment: None,
            ray_image: None,
            capacity_share: 1,
            keep: false,
        },
        cluster: Existing {
            client,
            context: "kind-mine".into(),
            server: "https://127.0.0.1".into(),
            kubernetes: "1.36.0".into(),
        },
        identity: "u".into(),
        operator: TheOperator::ToInstall {
            rendered: Box::new(rendered),
            release: release.clone(),
        },
        programs: Programs::new(store.clone(), SourcePolicy::Auto, Arc::clone(&progress)),
        store,
        progress: Arc::clone(&progress),
    };
    let mut serve = Serve {
        releases: &ReleaseSpec::new(release, Version::new(2, 52, 0)),
        cases: &[],
        end: &end,
        progress: &progress,
        phases: &mut Phases::start(),
        runner: &NoCases,
    };
    let began = std::time::Instant::now();
    let served = tokio::time::timeout(Duration::from_secs(30), there.serve(&mut serve)).await;
    let error = served.expect("it ends with the run").unwrap_err();
    (error.to_string(), began.elapsed())
}

#[tokio::test]
async fn a_run_that_may_not_install_its_operator_leaves_that_of_another_run() {
    let deleted = Arc::default();
    let (error, _) = installed(client(&deleted), RunEnd::never()).await;
    assert!(error.contains("ClusterRole foreign"), "{error}");
    assert_eq!(*deleted.lock().unwrap(), [""; 0]);
}

/// An API server that never answers requests whose path ends in the given text, and that shows no
/// `ClusterRole`.
fn silent_on(silent: &'static str) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| async move {
        let path = request.uri().path();
        if path.ends_with(silent) {
            return std::future::pending().await;
        }
        let (status, answer) = if path.ends_with("/foreign") {
            (StatusCode::INTERNAL_SERVER_ERROR, json!({}))
        } else {
            answer(path)
        };
        let body = Body::from(answer.to_string().into_bytes());
        let response = Response::builder().status(status).body(body).unwrap();
        Ok::<_, Infallible>(response)
    });
    Client::new(service, "default")
}

#[rstest]
#[case::installing_at_the_limit("/foreign", false, "time limit")]
#[case::installing_at_ctrl_c("/foreign", true, "interrupted")]
#[case::removing_at_the_limit(OWN_NAMESPACE, false, "ClusterRole foreign")]
#[tokio::test]
async fn installing_and_removing_an_operator_end_with_the_run(
    #[case] silent: &'static str,
    #[case] is_cancelled: bool,
    #[case] why: &str,
) {
    let soon = Duration::from_millis(200);
    let mut end = RunEnd::never();
    if is_cancelled {
        let cancel = end.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(soon).await;
            cancel.cancel();
        });
    } else {
        (end.ends, end.timeout) = (Some(Instant::now() + soon), Some(soon));
    }
    let (error, took) = installed(silent_on(silent), end).await;
    assert!(error.contains(why), "{error}");
    assert!(took < Duration::from_secs(5), "{took:?}: {error}");
}

/// The operator is not installed, so no case begins.
struct NoCases;

impl CaseRunner for NoCases {
    fn made_of(&self, _: TargetKind, _: &Environment) {}

    fn rest(&self, cases: &[TestCase], _: &dyn Fn(&TestCase) -> Vec<ImageRecord>) -> Vec<TestCase> {
        cases.to_vec()
    }

    fn run<'a>(
        &'a self,
        _: Batch<'a>,
    ) -> futures::future::LocalBoxFuture<'a, Result<CleanUp, TargetError>> {
        panic!("no operator is there to run cases with")
    }
}
