//! The server in front of the registry and the files: TLS, logins and faults.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::TryStreamExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::ReaderStream;

use super::{Fault, LOGIN};

type Problem = std::io::Error;
pub type Body = BoxBody<Bytes, Problem>;

/// Blobs that are larger are layers.
const LARGE: usize = 1 << 16;

#[derive(Clone)]
pub struct Front {
    pub files: PathBuf,
    pub registry_port: u16,
    pub fault: Arc<Mutex<Fault>>,
    pub asked: Arc<Mutex<Vec<String>>>,
}

fn problem(error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::other(error)
}

pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// The contents of a file, piece by piece.
pub fn of_file(file: std::fs::File) -> Body {
    let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 1 << 17);
    let frames = pieces.map_ok(Frame::data);
    BodyExt::boxed(StreamBody::new(frames))
}

/// Sends one request to the registry.
pub async fn to_registry(port: u16, request: Request<Body>) -> Result<Response<Incoming>, Problem> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(problem)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(problem)
}

fn answer(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(whole(text));
    *response.status_mut() = status;
    response
}

impl Front {
    pub async fn serve(self, listener: std::net::TcpListener, acceptor: TlsAcceptor) {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (front, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let answer = service_fn(move |request| {
                    let front = front.clone();
                    async move { front.answer(request).await }
                });
                // A connection that is cut ends with an error, which is what was asked for.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let fault = *self.fault.lock().unwrap();
        if fault == Fault::Login && !is_logged_in(&request) {
            let mut response = answer(StatusCode::UNAUTHORIZED, "who are you?");
            let challenge = HeaderValue::from_static("Basic realm=\"company\"");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
            return Ok(response);
        }
        if let Some(file) = path.strip_prefix("/files/") {
            return self.file(file, fault);
        }
        if fault == Fault::Stall && path.contains("/manifests/") {
            std::future::pending::<Infallible>().await;
        }
        self.of_registry(request, &path, fault).await
    }

    /// A file below the folder of files.
    fn file(&self, path: &str, fault: Fault) -> Result<Response<Body>, Problem> {
        let is_sum = path.ends_with(".sha256") || path.ends_with("SHA256SUMS");
        if fault == Fault::OtherChecksum && is_sum {
            let name = path.rsplit('/').next().unwrap_or_default();
            let sums = std::fs::read_to_string(self.files.join(path))?;
            let other = sums.replace(|digit: char| digit.is_ascii_digit(), "0");
            assert_ne!(sums, other, "{name}");
            // Names of files hold digits, too.
            let kept = sums.split_whitespace().skip(1);
            let words = other.split_whitespace().take(1).chain(kept);
            return Ok(Response::new(whole(words.collect::<Vec<_>>().join("  "))));
        }
        match std::fs::File::open(self.files.join(path)) {
            Ok(file) => Ok(Response::new(of_file(file))),
            Err(_) => Ok(answer(StatusCode::NOT_FOUND, "no such file")),
        }
    }

    async fn of_registry(
        &self,
        request: Request<Incoming>,
        path: &str,
        fault: Fault,
    ) -> Result<Response<Body>, Problem> {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(header::AUTHORIZATION);
        let body = body.map_err(problem).boxed();
        let request = Request::from_parts(parts, body);
        let response = to_registry(self.registry_port, request).await?;
        let (mut parts, body) = response.into_parts();
        let is_good = parts.status.is_success();
        if is_good && fault == Fault::OtherManifest && path.contains("/manifests/") {
            let mut bytes = body.collect().await.map_err(problem)?.to_bytes().to_vec();
            bytes.push(b' ');
            parts.headers.remove("docker-content-digest");
            parts.headers.remove(header::CONTENT_LENGTH);
            return Ok(Response::from_parts(parts, whole(bytes)));
        }
        if is_good && fault == Fault::CutBlob && path.contains("/blobs/") {
            let bytes = body.collect().await.map_err(problem)?.to_bytes();
            if bytes.len() > LARGE {
                let half = bytes.slice(..bytes.len() / 2);
                let cut = Problem::other("cut");
                let pieces = [Ok(Frame::data(half)), Err(cut)];
                let pieces = futures::stream::iter(pieces);
                return Ok(Response::from_parts(
                    parts,
                    BodyExt::boxed(StreamBody::new(pieces)),
                ));
            }
            return Ok(Response::from_parts(parts, whole(bytes)));
        }
        Ok(Response::from_parts(parts, body.map_err(problem).boxed()))
    }
}

fn is_logged_in(request: &Request<Incoming>) -> bool {
    let (user, password) = LOGIN;
    let expected = BASE64_STANDARD.encode(format!("{user}:{password}"));
    let given = request.headers().get(header::AUTHORIZATION);
    given.is_some_and(|given| given.as_bytes() == format!("Basic {expected}").as_bytes())
}
