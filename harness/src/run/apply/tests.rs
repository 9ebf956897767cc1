use std::convert::Infallible;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;

use super::apply;
use crate::check::Rejection;
use crate::operator::Sender;
use crate::run::CellError;

/// What comes of a `ConfigMap` to which the API server answers so.
async fn answered(code: u16, body: String) -> Result<Vec<Rejection>, CellError> {
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

#[tokio::test]
async fn a_kind_that_is_not_served_is_a_rejection() {
    let rejections = answered(404, "404 page not found".into()).await.expect("a finding");
    assert_eq!(rejections[0].message, "the API server serves no ConfigMap in v1");
}
