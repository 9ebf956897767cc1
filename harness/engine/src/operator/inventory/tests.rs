//! Tests of `inventory`, with an API server in memory.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use rstest::rstest;

use super::*;

/// The operator's namespace with an inventory, and cluster roles with labels; notes what is
/// deleted.
struct Server {
    made_by: &'static str,
    data: Value,
    roles: Value,
    deleted: Mutex<Vec<String>>,
}

impl Server {
    fn new(data: Value, roles: Value) -> Arc<Self> {
        Arc::new(Self {
            made_by: MANAGER,
            data,
            roles,
            deleted: Mutex::default(),
        })
    }

    fn client(self: &Arc<Self>) -> Client {
        let server = Arc::clone(self);
        let service = tower::service_fn(move |request: Request<Body>| {
            let (status, answer) = server.answer(request.method(), request.uri().path());
            let body = Body::from(answer.to_string().into_bytes());
            let response = Response::builder().status(status).body(body).unwrap();
            std::future::ready(Ok::<_, Infallible>(response))
        });
        Client::new(service, "default")
    }

    fn answer(&self, method: &Method, path: &str) -> (StatusCode, Value) {
        let (collection, name) = path.rsplit_once('/').unwrap();
        if method == Method::DELETE {
            self.deleted.lock().unwrap().push(name.into());
            return (
                StatusCode::OK,
                json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success"}),
            );
        }
        let answer = match (collection, name) {
            ("/apis/rbac.authorization.k8s.io", "v1") => {
                let role = json!({"name": "clusterroles", "singularName": "", "namespaced": false, "kind": "ClusterRole",
                    "verbs": ["get", "delete"]});
                json!({"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "rbac.authorization.k8s.io/v1",
                    "resources": [role]})
            }
            ("/api/v1/namespaces", OWN_NAMESPACE) => {
                json!({"apiVersion": "v1", "kind": "Namespace",
                    "metadata": {"name": OWN_NAMESPACE, "labels": {MANAGED_BY: self.made_by}}})
            }
            // Whether the namespace is gone: it is.
            ("/api/v1", "namespaces") => {
                json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {"resourceVersion": "1"}, "items": []})
            }
            (_, INVENTORY) => {
                json!({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": INVENTORY, "namespace": OWN_NAMESPACE, "uid": "of-this"}, "data": self.data})
            }
            ("/apis/rbac.authorization.k8s.io/v1/clusterroles", name)
                if !self.roles[name].is_null() =>
            {
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                    "metadata": {"name": name, "uid": "u", "resourceVersion": "7", "labels": self.roles[name]}})
            }
            ("/apis/apiextensions.k8s.io", "v1") => {
                let crd = json!({"name": "customresourcedefinitions", "singularName": "", "namespaced": false,
                    "kind": "CustomResourceDefinition", "verbs": ["get", "delete"]});
                json!({"apiVersion": "v1", "kind": "APIResourceList",
                    "groupVersion": "apiextensions.k8s.io/v1", "resources": [crd]})
            }
            ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", name)
                if !self.roles[name].is_null() =>
            {
                json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                    "metadata": {"name": name, "uid": "u", "resourceVersion": "7",
                        "labels": {MANAGED_BY: MANAGER, LISTED_BY: "of-this"}},
                    "spec": {"group": "ray.io", "versions": self.roles[name],
                        "names": {"plural": "rayclusters", "kind": "RayCluster"}}})
            }
            ("/apis/ray.io/v1alpha1", "rayclusters") => {
                json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                    "metadata": {}, "items": [{"metadata": {"name": "of-somebody"}}]})
            }
            _ => {
                let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": 404,
                    "reason": "NotFound", "message": "not found"});
                return (StatusCode::NOT_FOUND, status);
            }
        };
        (StatusCode::OK, answer)
    }

    fn deleted(&self) -> Vec<String> {
        self.deleted.lock().unwrap().clone()
    }
}

fn role(name: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}})
}

#[tokio::test]
async fn a_namespace_that_no_run_has_made_stays() {
    let list = json!({LIST: Value::from(vec![role("ours")]).to_string()});
    let server = Arc::new(Server {
        made_by: "helm",
        data: list,
        roles: json!({"ours": {}}),
        deleted: Mutex::default(),
    });
    assert_eq!(remove_own(&server.client()).await.unwrap(), [""; 0]);
    assert_eq!(server.deleted(), [""; 0]);
}

#[rstest]
#[case::cut_off(json!({LIST: "[{\"apiVersion\": \"rbac"}))]
#[case::another_form(json!({LIST: "{}"}))]
#[case::no_name(json!({LIST: "[{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {}}]"}))]
#[case::no_list(json!({}))]
#[tokio::test]
async fn an_inventory_that_cannot_be_read_is_an_error_and_nothing_is_deleted(#[case] data: Value) {
    let server = Server::new(data, json!({}));
    let result = remove_own(&server.client()).await;
    assert_eq!(server.deleted(), [""; 0]);
    let error = result.expect_err("nobody knows what to remove").to_string();
    assert!(error.contains("can't be read"), "{error}");
    assert!(error.contains(INVENTORY), "{error}");
}

#[tokio::test]
async fn only_what_carries_the_labels_of_this_inventory_is_deleted() {
    let listed_by = "kuberay-conformance/inventory";
    let roles = json!({
        "cluster-admin": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "kuberay-conformance-run": {MANAGED_BY: MANAGER},
        "of-another-inventory": {MANAGED_BY: MANAGER, listed_by: "of-another"},
        "no-longer-ours": {MANAGED_BY: "helm", listed_by: "of-this"},
        "ours": {MANAGED_BY: MANAGER, listed_by: "of-this"},
    });
    let mut list: Vec<Value> = roles
        .as_object()
        .unwrap()
        .keys()
        .map(|name| role(name))
        .collect();
    list.push(role("gone"));
    let server = Server::new(json!({LIST: Value::from(list).to_string()}), roles);
    let told = remove_own(&server.client()).await.unwrap();
    assert_eq!(server.deleted(), ["ours", OWN_NAMESPACE]);
    assert!(
        told.contains(
            &"ClusterRole cluster-admin stays: no run created it with this operator".to_owned()
        ),
        "{told:?}"
    );
}

#[rstest]
#[case::only_an_older_version(json!([{"name": "v1alpha1", "served": true}]))]
#[case::an_older_version_beside_one_that_is_not_served(
    json!([{"name": "v1", "served": false}, {"name": "v1alpha1", "served": true}])
)]
#[case::none_that_shows_them(json!([{"name": "v1alpha1", "served": false}]))]
#[tokio::test]
async fn a_crd_stays_while_objects_of_any_version_are_there(#[case] versions: Value) {
    let name = "rayclusters.ray.io";
    let data = json!({LIST: Value::from(vec![crd(name)]).to_string()});
    let server = Server::new(data, json!({name: versions}));
    let told = remove_own(&server.client()).await.unwrap();
    assert_eq!(server.deleted(), [OWN_NAMESPACE], "{told:?}");
    assert!(told[0].starts_with(&format!("{name} stays: ")), "{told:?}");
}
