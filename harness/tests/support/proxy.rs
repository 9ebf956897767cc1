//! A proxy in front of a real API server that terminates TLS with an authority of its own and
//! stalls, cuts, throttles or corrupts the requests that a test selects.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{Method, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::tls;

/// What becomes of a request that is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It gets no answer.
    Stall,
    /// Its connection is closed without an answer.
    Cut,
    /// The body of its answer comes with so many bytes per second.
    Throttle(usize),
    /// Every seventh byte of the body of its answer is another, beginning with the first.
    Corrupt,
    /// So long after the first request its answer is cut off, and later requests get none.
    CutLater(Duration),
    /// So long after the first request nothing more of its answer's body comes.
    Silent(Duration),
}

/// The requests that get a fault.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// A verb of Kubernetes: get, list, watch, create, update, patch, delete or deletecollection.
    pub verb: &'static str,
    /// The plural name of a resource, such as `pods`, with its subresource where it has one, such
    /// as `pods/log`, or a path that is none's, such as `/version`.
    pub resource: &'static str,
    pub fault: Fault,
}

/// A proxy that serves as long as this process lives.
pub struct Proxy {
    /// The kubeconfig that leads to it.
    pub kubeconfig: PathBuf,
    selected: Arc<Selected>,
}

/// The requests that got the fault.
#[derive(Default)]
struct Selected {
    count: AtomicUsize,
    first: OnceLock<Instant>,
}

impl Proxy {
    /// How many requests got the fault.
    pub fn selected(&self) -> usize {
        self.selected.count.load(Ordering::Relaxed)
    }
}

/// Starts a proxy; the kubeconfig that leads to it has the context `name`.
pub async fn start(upstream: Client, rule: Rule, name: &str, folder: &Path) -> Proxy {
    let tls = tls::signed("127.0.0.1");
    let acceptor = tls.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let selected = Arc::<Selected>::default();
    let counter = Arc::clone(&selected);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            let served = serve(acceptor.clone(), stream, upstream.clone(), rule, counter);
            tokio::spawn(served);
        }
    });
    let path = folder.join("through-the-proxy");
    std::fs::write(&path, kubeconfig(address, &tls.authority, name).to_string()).unwrap();
    Proxy {
        kubeconfig: path,
        selected,
    }
}

fn kubeconfig(address: SocketAddr, authority: &str, name: &str) -> serde_json::Value {
    let authority = BASE64_STANDARD.encode(authority);
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {
            "server": format!("https://{address}"), "certificate-authority-data": authority,
        }}],
        "users": [{"name": name, "user": {"token": "the proxy has its own"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    })
}

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    upstream: Client,
    rule: Rule,
    selected: Arc<Selected>,
) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let answer = service_fn(move |request: Request<Incoming>| {
        let (upstream, selected) = (upstream.clone(), Arc::clone(&selected));
        async move { answer(request, &upstream, rule, &selected).await }
    });
    // A connection that is cut ends with an error, which is what was asked for.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    upstream: &Client,
    rule: Rule,
    selected: &Selected,
) -> Result<Response<Answer>, std::io::Error> {
    let (mut parts, body) = request.into_parts();
    let is_selected = what(&parts.method, &parts.uri) == (rule.verb, rule.resource.into());
    let first = *selected.first.get_or_init(Instant::now);
    if is_selected {
        selected.count.fetch_add(1, Ordering::Relaxed);
        match rule.fault {
            Fault::Stall => std::future::pending().await,
            Fault::Cut => return Err(std::io::Error::other("cut")),
            Fault::CutLater(after) if first.elapsed() >= after => {
                return Err(std::io::Error::other("cut"));
            }
            Fault::Throttle(_) | Fault::Corrupt | Fault::CutLater(_) | Fault::Silent(_) => {}
        }
    }
    // The client adds its own.
    parts.headers.remove(http::header::AUTHORIZATION);
    parts.headers.remove(http::header::HOST);
    let body = body.collect().await.map_err(std::io::Error::other)?;
    let request = Request::from_parts(parts, Body::from(body.to_bytes()));
    let response = upstream
        .send(request)
        .await
        .map_err(std::io::Error::other)?;
    Ok(response.map(|body| match rule.fault {
        Fault::Throttle(rate) if is_selected => throttled(body, rate),
        Fault::Corrupt if is_selected => corrupted(body),
        Fault::CutLater(after) if is_selected => cut_at(body, first + after),
        Fault::Silent(after) if is_selected => silent_from(body, first + after),
        _ => body.boxed_unsync(),
    }))
}

/// The verb and the resource of a request, as Kubernetes calls them.
fn what(method: &Method, uri: &Uri) -> (&'static str, String) {
    let path = uri.path();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => &[],
    };
    let (resource, name) = match rest {
        [] => (path.to_owned(), Some("")),
        ["namespaces", _, resource, name @ ..] | [resource, name @ ..] => {
            let below = name.get(1).map(|part| format!("/{part}"));
            let resource = format!("{resource}{}", below.unwrap_or_default());
            (resource, name.first().copied())
        }
    };
    let watches = uri.query().is_some_and(|query| query.contains("watch="));
    let verb = match (method.as_str(), name) {
        ("GET", _) if watches => "watch",
        ("GET", Some(_)) => "get",
        ("GET", None) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", Some(_)) => "delete",
        _ => "deletecollection",
    };
    (verb, resource)
}

type Answer = UnsyncBoxBody<Bytes, kube::Error>;

/// Hands on a tenth of the bytes of a second at a time.
fn throttled(body: Body, rate: usize) -> Answer {
    let part = (rate / 10).max(1);
    let parts = body.into_data_stream().flat_map(move |data| {
        let parts: Vec<Result<Bytes, kube::Error>> = match data {
            Ok(data) => data
                .chunks(part)
                .map(|part| Ok(Bytes::copy_from_slice(part)))
                .collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(parts)
    });
    let slow = parts.then(|part| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        part.map(Frame::data)
    });
    StreamBody::new(slow).boxed_unsync()
}

/// Breaks off at a moment.
fn cut_at(body: Body, end: Instant) -> Answer {
    let cut = stream::once(async move {
        tokio::time::sleep_until(end.into()).await;
        Err(kube::Error::Service("cut".into()))
    });
    let parts = body.into_data_stream().map_ok(Frame::data);
    StreamBody::new(stream::select(parts, cut)).boxed_unsync()
}

/// Hands nothing on from a moment on.
fn silent_from(body: Body, begin: Instant) -> Answer {
    let parts = body.into_data_stream().map_ok(Frame::data);
    let before = parts.take_until(tokio::time::sleep_until(begin.into()));
    StreamBody::new(before.chain(stream::pending())).boxed_unsync()
}

fn corrupted(body: Body) -> Answer {
    let mut at = 0_usize;
    let corrupt = body.map_frame(move |frame| {
        frame.map_data(|data| {
            let mut data = data.to_vec();
            for byte in &mut data {
                if at.is_multiple_of(7) {
                    *byte ^= 0x15;
                }
                at += 1;
            }
            Bytes::from(data)
        })
    });
    corrupt.boxed_unsync()
}
