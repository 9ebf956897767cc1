//! A proxy in front of a real API server that terminates TLS with an authority of its own and stalls or cuts the requests
//! that a test selects.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::ServerConfig;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What becomes of a request that is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It gets no answer.
    Stall,
    /// Its connection is closed without an answer.
    Cut,
}

/// The requests that get a fault: a method, and a part of the path.
#[derive(Debug, Clone)]
pub struct Rule {
    pub method: Method,
    pub path: &'static str,
    pub fault: Fault,
}

/// A proxy that serves as long as this process lives; the kubeconfig that leads to it has the context `name`.
pub async fn start(upstream: Client, rule: Rule, name: &str, folder: &Path) -> PathBuf {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served = serve(acceptor.clone(), stream, upstream.clone(), rule.clone());
            tokio::spawn(served);
        }
    });
    let path = folder.join("through-the-proxy");
    std::fs::write(&path, kubeconfig(address, &authority_pem, name).to_string()).unwrap();
    path
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

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, upstream: Client, rule: Rule) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let answer = service_fn(move |request: Request<Incoming>| {
        let (upstream, rule) = (upstream.clone(), rule.clone());
        async move { answer(request, &upstream, &rule).await }
    });
    // A connection that is cut ends with an error, which is what was asked for.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    upstream: &Client,
    rule: &Rule,
) -> Result<Response<Body>, std::io::Error> {
    if *request.method() == rule.method && request.uri().path().contains(rule.path) {
        match rule.fault {
            Fault::Stall => std::future::pending::<Infallible>().await,
            Fault::Cut => return Err(std::io::Error::other("cut")),
        };
    }
    let (mut parts, body) = request.into_parts();
    // The client adds its own.
    parts.headers.remove(http::header::AUTHORIZATION);
    parts.headers.remove(http::header::HOST);
    let body = http_body_util::BodyExt::collect(body)
        .await
        .map_err(std::io::Error::other)?;
    let request = Request::from_parts(parts, Body::from(body.to_bytes()));
    upstream.send(request).await.map_err(std::io::Error::other)
}
