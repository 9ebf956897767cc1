//! A deadline for every request to an API server, so that one that stalls is told instead of waited
//! for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, header};
use http_body_util::Either;
use kube::client::{Body, DynBody};
use tower::{BoxError, Service};
use tower_http::timeout::{DeadlineBody, TimeoutBody};

/// The limit for a request and its answer: as long as API servers give a request by themselves.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_mins(1);
/// Longest silence of a watch. API servers end a watch of kube's after 290 s at most.
pub(super) const WATCH_SPEAKS_WITHIN: Duration = Duration::from_mins(5);

/// The time limits of requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Until the answer begins, and until it is whole.
    pub(super) answer: Duration,
    /// Between two parts of a watch's answer.
    pub(super) silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: ANSWERED_WITHIN,
            silence: WATCH_SPEAKS_WITHIN,
        }
    }
}

/// An API server that did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not answer {request} within {} s", .limit.as_secs_f32())]
struct Stalled {
    request: String,
    limit: Duration,
}

/// Gives every request a deadline. A log that is followed and a connection that becomes another
/// protocol may take as long as they like once they have begun.
#[derive(Debug, Clone)]
pub(super) struct Deadlines<S> {
    inner: S,
    limits: Limits,
}

impl<S> Deadlines<S> {
    pub(super) fn new(inner: S, limits: Limits) -> Self {
        Self { inner, limits }
    }
}

/// An answer with its deadline.
type Limited = Either<DeadlineBody<Box<DynBody>>, Either<TimeoutBody<Box<DynBody>>, Box<DynBody>>>;

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Watch,
    Endless,
}

fn kind(request: &Request<Body>) -> Kind {
    let has = |name: &str| {
        let query = request.uri().query().unwrap_or_default();
        let mut pairs = query.split('&').map(|pair| pair.split_once('='));
        pairs.any(|pair| pair.is_some_and(|(key, value)| key == name && value != "false"))
    };
    if request.headers().contains_key(header::UPGRADE) || has("follow") {
        Kind::Endless
    } else if has("watch") {
        Kind::Watch
    } else {
        Kind::Plain
    }
}

impl<S> Service<Request<Body>> for Deadlines<S>
where
    S: Service<Request<Body>, Response = Response<Box<DynBody>>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Limited>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Limits { answer, silence } = self.limits;
        let kind = kind(&request);
        let name = format!("{} {}", request.method(), request.uri().path());
        let asked = self.inner.call(request);
        Box::pin(async move {
            let Ok(response) = tokio::time::timeout(answer, asked).await else {
                return Err(Stalled {
                    request: name,
                    limit: answer,
                }
                .into());
            };
            Ok(response?.map(|body| match kind {
                Kind::Plain => Either::Left(DeadlineBody::new(answer, body)),
                Kind::Watch => Either::Right(Either::Left(TimeoutBody::new(silence, body))),
                Kind::Endless => Either::Right(Either::Right(body)),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::{ListParams, WatchParams};
    use kube::{Api, Config};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::target::ready::client_with;

    const LIMITS: Limits = Limits {
        answer: Duration::from_millis(300),
        silence: Duration::from_millis(300),
    };

    /// A server that accepts, sends the beginning of an answer, and then says nothing.
    async fn stalls_after(beginning: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(beginning.as_bytes()).await;
                open.push(stream);
            }
        });
        address
    }

    async fn maps(beginning: &'static str) -> Api<ConfigMap> {
        let address = stalls_after(beginning).await;
        let config = Config::new(format!("http://{address}").parse().unwrap());
        Api::default_namespaced(client_with(config, LIMITS).unwrap())
    }

    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

    #[tokio::test]
    async fn a_server_that_never_answers_is_told_with_the_request() {
        let error = maps("")
            .await
            .list(&ListParams::default())
            .await
            .unwrap_err();
        let kube::Error::Service(told) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(
            told.to_string(),
            "the API server did not answer GET /api/v1/namespaces/default/configmaps within 0.3 s"
        );
    }

    #[tokio::test]
    async fn an_answer_that_stalls_half_way_ends() {
        let asked = maps(HEAD).await;
        let all = ListParams::default();
        let listed = tokio::time::timeout(Duration::from_secs(20), asked.list(&all));
        let error = listed.await.expect("it has a deadline").unwrap_err();
        assert!(!error.to_string().is_empty());
    }

    #[tokio::test]
    async fn a_watch_that_says_nothing_ends() {
        use futures::TryStreamExt as _;

        let asked = maps(HEAD).await;
        let watched = async {
            let mut events = Box::pin(asked.watch(&WatchParams::default(), "0").await.unwrap());
            events.try_next().await
        };
        let next = tokio::time::timeout(Duration::from_secs(20), watched).await;
        assert!(next.expect("it has a deadline").is_err());
    }
}
