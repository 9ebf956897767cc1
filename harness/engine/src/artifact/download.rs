//! Downloads over HTTP, with the proxies and the certificate authorities of the host.

use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::ArtifactError;
use super::error::{causes, file};
use super::logins::Login;
use super::supply::Supply;

/// How a download may end, and how often it is tried.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Until a server accepts the connection.
    connect: Duration,
    /// Between two parts of an answer.
    stall: Duration,
    /// For one attempt, from the connection to the last byte.
    whole: Duration,
    /// After the first failed attempt; twice as long after each further one.
    pause: Duration,
    /// How many attempts follow the first.
    retries: u32,
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(30),
    stall: Duration::from_mins(1),
    whole: Duration::from_mins(30),
    pause: Duration::from_secs(1),
    retries: 3,
};
/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// Which kinds of addresses a download accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schemes {
    /// HTTPS, also where a server redirects.
    Https,
    /// Those of a Go module proxy: HTTPS, plain HTTP and files. Only for what a pinned hash proves.
    OfProxies,
}

/// Why an attempt failed.
struct Failure {
    problem: String,
    /// Whether another attempt may succeed.
    is_transient: bool,
}

impl Failure {
    fn lasting(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            is_transient: false,
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let is_transient = error.is_timeout() || error.is_body() || error.is_decode();
        Self {
            problem: causes(&error.without_url()),
            is_transient,
        }
    }
}

/// Chooses the TLS implementation that kube uses, for the whole process, unless one is chosen
/// already.
pub(super) fn choose_tls_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Asks a server on this machine for a path with HEAD, without a proxy and without a mirror.
///
/// # Errors
/// Fails when nothing listens there or no answer comes in time.
pub(crate) async fn head_local(
    port: u16,
    path: &str,
    accept: &str,
) -> Result<reqwest::Response, reqwest::Error> {
    choose_tls_provider();
    let client = Client::builder().no_proxy().timeout(LIMITS.connect);
    let request = client
        .build()?
        .head(format!("http://127.0.0.1:{port}{path}"));
    request.header("accept", accept).send().await
}

/// Downloads a file of at most `largest` bytes. An existing file is replaced.
///
/// Proxies come from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`),
/// certificate authorities from `SSL_CERT_FILE` and `SSL_CERT_DIR`, else from the host's bundle.
///
/// # Errors
/// Fails when the address is of another kind than `schemes`, the server does not answer with the
/// file or stalls, or the file is too large or can't be written.
pub(super) async fn download(
    url: &str,
    target: &Path,
    schemes: Schemes,
    largest: u64,
) -> Result<(), ArtifactError> {
    download_within(url, target, schemes, largest, LIMITS, &Supply::of_process()).await
}

async fn download_within(
    url: &str,
    target: &Path,
    schemes: Schemes,
    largest: u64,
    limits: Limits,
    supply: &Supply,
) -> Result<(), ArtifactError> {
    let mirror = supply.download_mirror(url);
    let failed = |problem: String| ArtifactError::Download {
        url: match &mirror {
            Some(mirror) => format!("{url} from the mirror {mirror}"),
            None => url.into(),
        },
        problem,
    };
    let address = mirror.as_deref().unwrap_or(url);
    let address = Url::parse(address).map_err(|error| failed(error.to_string()))?;
    match (address.scheme(), schemes) {
        ("https", _) | ("http", Schemes::OfProxies) => {}
        ("file", Schemes::OfProxies) => {
            return copy(&address, target, largest).await.map_err(failed);
        }
        (scheme, _) => {
            return Err(failed(format!(
                "addresses with {scheme}:// are not accepted"
            )));
        }
    }
    choose_tls_provider();
    let authorities = match supply.authority() {
        Some(text) => Certificate::from_pem_bundle(text.as_bytes()),
        None => Ok(Vec::new()),
    };
    let authorities = authorities.map_err(|error| failed(causes(&error)))?;
    let host = place_of(&address);
    let login = match &mirror {
        Some(_) => supply.logins.find(&host, address.path()).await,
        None => None,
    };
    let client = Client::builder()
        .tls_certs_merge(authorities)
        .user_agent(concat!("kuberay-conformance/", env!("CARGO_PKG_VERSION")))
        .https_only(schemes == Schemes::Https)
        .redirect(Policy::limited(REDIRECTS))
        .connect_timeout(limits.connect)
        .read_timeout(limits.stall)
        .timeout(limits.whole)
        .build()
        .map_err(|error| failed(Failure::from(error).problem))?;
    let mut pause = limits.pause;
    for retry in 0.. {
        let mut written = tokio::fs::File::create(target)
            .await
            .map_err(file("making", target))?;
        let asked = attempt(&client, &address, login.as_ref(), &mut written, largest);
        match asked.await {
            Ok(()) => break,
            Err(failure) if failure.is_transient && retry < limits.retries => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(Failure { problem, .. }) => {
                let login = login.as_ref();
                return Err(failed(
                    login.map_or(problem.clone(), |login| login.mask(&problem)),
                ));
            }
        }
    }
    Ok(())
}

/// Host and port, as login files name them.
fn place_of(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    match address.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Says that a server wants another login.
fn refused(status: StatusCode, address: &Url, login: Option<&Login>) -> String {
    let host = place_of(address);
    match login {
        None => format!(
            "the server answers {status}; run `podman login {host}` or `docker login {host}`, whose \
             files downloads from mirrors read, too"
        ),
        Some(login) => format!(
            "the server answers {status} to the login of {}; log in again with `podman login {host}` \
             or `docker login {host}`",
            login.file.display()
        ),
    }
}

async fn attempt(
    client: &Client,
    address: &Url,
    login: Option<&Login>,
    target: &mut tokio::fs::File,
    largest: u64,
) -> Result<(), Failure> {
    let mut request = client.get(address.clone());
    if let Some(login) = login {
        request = request.basic_auth(&login.user, Some(&login.password));
    }
    let mut answer = request.send().await?;
    let status = answer.status();
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
        return Err(Failure::lasting(refused(status, address, login)));
    }
    if !status.is_success() {
        return Err(Failure {
            problem: format!("the server answers {status}"),
            is_transient: status.is_server_error()
                || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status),
        });
    }
    let mut left = largest;
    while let Some(part) = answer.chunk().await? {
        left = left
            .checked_sub(part.len() as u64)
            .ok_or_else(|| too_large(largest))?;
        let written = target.write_all(&part).await;
        written.map_err(|error| Failure::lasting(format!("writing the download: {error}")))?;
    }
    let flushed = target.flush().await;
    flushed.map_err(|error| Failure::lasting(format!("writing the download: {error}")))
}

fn too_large(largest: u64) -> Failure {
    Failure::lasting(format!(
        "it has more than {largest} bytes, the most that is accepted"
    ))
}

/// Copies a file of this machine.
async fn copy(address: &Url, target: &Path, largest: u64) -> Result<(), String> {
    let path = address
        .to_file_path()
        .map_err(|()| "it names no file of this machine".to_owned())?;
    let copied = async {
        let source = tokio::fs::File::open(path).await?;
        let mut written = tokio::fs::File::create(target).await?;
        let copied =
            tokio::io::copy(&mut source.take(largest.saturating_add(1)), &mut written).await?;
        written.flush().await?;
        std::io::Result::Ok(copied)
    };
    match copied.await {
        Ok(copied) if copied > largest => Err(too_large(largest).problem),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
#[path = "download/tests.rs"]
mod tests;
