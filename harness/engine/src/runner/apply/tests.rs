use std::convert::Infallible;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use rstest::rstest;
use serde_json::{Value, json};

use super::apply;
use crate::check::Rejection;
use crate::operator::Sender;
use crate::runner::CaseError;

/// What comes of a `ConfigMap` to which the API server answers so.
async fn answered(code: u16, body: String) -> Result<Vec<Rejection>, CaseError> {
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer = Response::builder()
            .status(code)
            .body(Body::from(body.clone().into_bytes()));
        std::future::ready(Ok::<_, Infallible>(answer.expect("an answer")))
    });
    let sender = Sender::new(Client::new(service, "default"));
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}});
    apply(&sender, &[object]).await
}

fn status(code: u16, reason: &str, message: &str, details: Option<Value>) -> String {
    let mut status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": message,
    });
    if let Some(details) = details {
        status["details"] = details;
    }
    status.to_string()
}

fn named() -> Value {
    json!({"name": "a", "kind": "configmaps"})
}

fn terminating() -> Value {
    json!({"name": "a", "kind": "configmaps", "causes": [
        {"reason": "NamespaceTerminating", "message": "namespace n is being terminated", "field": "metadata.namespace"}]})
}

const AUTHORISER: &str = "configmaps is forbidden: User \"jane\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"n\"";
const QUOTA: &str = "configmaps \"a\" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: \
                     count/configmaps=1, limited: count/configmaps=1";
const TERMINATING: &str = "configmaps \"a\" is forbidden: unable to create new content in namespace n because it is being terminated";

#[rstest]
#[case::no_credentials(401, "Unauthorized", "Unauthorized", None)]
#[case::authoriser(403, "Forbidden", AUTHORISER, Some(json!({"kind": "configmaps"})))]
#[case::quota(403, "Forbidden", QUOTA, Some(named()))]
#[case::quota_wants_limits(
    403,
    "Forbidden",
    "pods \"a\" is forbidden: failed quota: q: must specify limits.cpu for: ray-head",
    Some(named())
)]
#[case::terminating(403, "Forbidden", TERMINATING, Some(terminating()))]
#[case::service_account(
    403,
    "Forbidden",
    "pods \"a\" is forbidden: error looking up service account n/default: serviceaccount \"default\" not found",
    Some(named())
)]
#[case::not_ready(
    403,
    "Forbidden",
    "configmaps \"a\" is forbidden: not yet ready to handle request",
    Some(named())
)]
#[case::namespace_gone(404, "NotFound", "namespaces \"n\" not found", Some(json!({"name": "n", "kind": "namespaces"})))]
#[case::there_already(409, "AlreadyExists", "configmaps \"a\" already exists", Some(named()))]
#[case::conflict(
    409,
    "Conflict",
    "Operation cannot be fulfilled on configmaps \"a\"",
    Some(named())
)]
#[case::too_many(
    429,
    "TooManyRequests",
    "the server has received too many requests",
    None
)]
#[case::webhook_is_away(
    500,
    "InternalError",
    "failed calling webhook \"v.ray.io\": connection refused",
    None
)]
#[tokio::test]
async fn an_answer_about_the_cluster_or_the_access_to_it_is_an_environment_error(
    #[case] code: u16,
    #[case] reason: &str,
    #[case] message: &str,
    #[case] details: Option<Value>,
) {
    let error = answered(code, status(code, reason, message, details)).await;
    let error = error.expect_err("an error of the environment").to_string();
    assert!(error.contains(message), "{error}");
    assert!(error.contains("ConfigMap a"), "{error}");
}

#[tokio::test]
async fn a_refusal_by_a_proxy_is_an_environment_error() {
    let error = answered(403, "<html>403 Forbidden</html>".into()).await;
    let error = error.expect_err("an error of the environment").to_string();
    assert!(error.contains("ConfigMap a"), "{error}");
}

#[rstest]
#[case::malformed(
    400,
    "BadRequest",
    "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dat\"",
    None
)]
#[case::too_large(
    413,
    "RequestEntityTooLarge",
    "Request entity too large: limit is 3145728",
    None
)]
#[case::invalid(
    422,
    "Invalid",
    "ConfigMap \"a\" is invalid: data[x y]: Invalid value",
    Some(named())
)]
#[case::webhook(
    403,
    "Forbidden",
    "admission webhook \"v.ray.io\" denied the request: the name is too long",
    None
)]
#[case::webhook_with_a_code_of_its_own(
    409,
    "Conflict",
    "admission webhook \"v.ray.io\" denied the request: another has it",
    None
)]
#[case::policy(
    403,
    "Forbidden",
    "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
    Some(named())
)]
#[case::pod_security(
    403,
    "Forbidden",
    "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
    Some(named())
)]
#[case::priority(
    403,
    "Forbidden",
    "pods \"a\" is forbidden: no PriorityClass with name none was found",
    Some(named())
)]
#[tokio::test]
async fn a_verdict_on_the_object_is_a_rejection(
    #[case] code: u16,
    #[case] reason: &str,
    #[case] message: &str,
    #[case] details: Option<Value>,
) {
    let rejections = answered(code, status(code, reason, message, details))
        .await
        .expect("a finding");
    let expected = Rejection {
        object: "ConfigMap a".into(),
        message: format!("{reason}: {message}"),
    };
    assert_eq!(rejections, [expected]);
}

#[tokio::test]
async fn a_kind_that_is_not_served_is_a_rejection() {
    let rejections = answered(404, "404 page not found".into())
        .await
        .expect("a finding");
    assert_eq!(
        rejections[0].message,
        "the API server serves no ConfigMap in v1"
    );
}
