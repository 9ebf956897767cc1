//! An image in a registry or in its mirror: what is read of it, and why that failed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig};
use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::io::AsyncWrite;

use super::super::certificates::certificates;
use super::super::error::causes;
use super::super::logins::Login;
use super::super::supply::Supply;
use super::super::{ArtifactError, download};

/// How long a registry may take until it accepts a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a registry may send nothing.
const STALL: Duration = Duration::from_secs(30);
/// What a blob takes at most, in bytes; the largest layer of a node's image takes 1 GiB.
const LARGEST: u64 = 8 << 30;

/// Whether a registry, or its mirror, gives us this image.
pub(in super::super) async fn answers(image: &str) -> bool {
    let Ok(remote) = Remote::open(image).await else {
        return false;
    };
    let auth = remote.auth();
    let asked = remote
        .client
        .fetch_manifest_digest(&remote.reference, &auth);
    asked.await.is_ok()
}

/// An image with a public name, where it is pulled from.
pub(in super::super) struct Remote {
    client: Client,
    /// Its place in the mirror, or in the public registry.
    reference: Reference,
    /// Its public name.
    image: String,
    /// The host that is asked, and whether that is a mirror.
    host: String,
    is_mirror: bool,
    login: Option<Login>,
}

impl Remote {
    /// Finds out where an image is pulled from and with which login; asks nobody yet.
    ///
    /// # Errors
    /// When the name is no image's.
    pub(in super::super) async fn open(image: &str) -> Result<Self, ArtifactError> {
        Self::through(image, &Supply::of_process()).await
    }

    pub(super) async fn through(image: &str, supply: &Arc<Supply>) -> Result<Self, ArtifactError> {
        let wrong = |problem: String| ArtifactError::Image {
            image: image.into(),
            problem,
        };
        let public: Reference = image
            .parse()
            .map_err(|error: oci_client::ParseError| wrong(error.to_string()))?;
        let mirror = supply.mirror(public.registry());
        let reference = match mirror {
            None => public,
            Some(mirror) => {
                let host = mirror.host().to_owned();
                let repository = mirror.repository(public.repository());
                match (public.digest(), public.tag()) {
                    (Some(digest), _) => Reference::with_digest(host, repository, digest.into()),
                    (None, tag) => {
                        Reference::with_tag(host, repository, tag.unwrap_or("latest").into())
                    }
                }
            }
        };
        let authority = supply.authority().unwrap_or_default();
        let extra_root_certificates = match authority {
            "" => Vec::new(),
            text => certificates(text).map_err(wrong)?,
        };
        download::choose_tls_provider();
        let client = Client::try_from(ClientConfig {
            extra_root_certificates: extra_root_certificates
                .into_iter()
                .map(|pem| Certificate {
                    encoding: CertificateEncoding::Pem,
                    data: pem.into_bytes(),
                })
                .collect(),
            connect_timeout: Some(CONNECT),
            read_timeout: Some(STALL),
            user_agent: concat!("kuberay-conformance/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        })
        .map_err(|error| wrong(causes(&error)))?;
        let host = reference.registry().to_owned();
        let login = supply.logins.find(&host, reference.repository()).await;
        Ok(Self {
            client,
            is_mirror: mirror.is_some(),
            reference,
            image: image.into(),
            host,
            login,
        })
    }

    fn auth(&self) -> RegistryAuth {
        match &self.login {
            Some(login) => RegistryAuth::Basic(login.user.clone(), login.password.clone()),
            None => RegistryAuth::Anonymous,
        }
    }

    /// The manifest for this machine, and the digest that the image is known by: that of the index,
    /// where it has one.
    pub(in super::super) async fn manifest(
        &self,
    ) -> Result<(OciImageManifest, String), ArtifactError> {
        let auth = self.auth();
        let pulled = self
            .client
            .pull_image_manifest_and_list_digest(&self.reference, &auth);
        let (manifest, own, list) = pulled
            .await
            .map_err(|error| self.failed("its manifest", &error))?;
        Ok((manifest, list.unwrap_or(own)))
    }

    /// Writes a blob; it is verified against its digest, and is never larger than its manifest
    /// says.
    pub(in super::super) async fn blob(
        &self,
        blob: &OciDescriptor,
        what: &str,
        target: impl AsyncWrite + Unpin,
    ) -> Result<(), ArtifactError> {
        let size = u64::try_from(blob.size).unwrap_or(0);
        if size > LARGEST {
            return Err(self.unusable(format!(
                "{what} has {size} bytes; at most {LARGEST} are accepted"
            )));
        }
        let mut limited = Limited {
            inner: target,
            left: size,
        };
        let pulled = self.client.pull_blob(&self.reference, blob, &mut limited);
        pulled.await.map_err(|error| self.failed(what, &error))?;
        if limited.left > 0 {
            let missing = limited.left;
            return Err(self.unusable(format!("{what} lacks {missing} of its {size} bytes")));
        }
        Ok(())
    }

    /// An image that is not what it should be.
    pub(in super::super) fn unusable(&self, problem: String) -> ArtifactError {
        ArtifactError::Image {
            image: self.image.clone(),
            problem,
        }
    }

    fn failed(&self, what: &str, error: &OciDistributionError) -> ArtifactError {
        let kind = if self.is_mirror { "mirror" } else { "registry" };
        let host = &self.host;
        let problem = self.problem(error);
        let problem = self
            .login
            .as_ref()
            .map_or(problem.clone(), |login| login.mask(&problem));
        self.unusable(format!("pulling {what} from the {kind} {host}: {problem}"))
    }

    /// What went wrong, and what to do.
    fn problem(&self, error: &OciDistributionError) -> String {
        let host = &self.host;
        if wants_login(error) {
            return match &self.login {
                None => format!(
                    "it asks for a login; run `podman login {host}` or `docker login {host}`"
                ),
                Some(login) => format!(
                    "it refuses the login of {}; log in again with `podman login {host}` or \
                     `docker login {host}`",
                    login.file.display()
                ),
            };
        }
        let copy = if self.is_mirror {
            "copy the image into the mirror (`artifacts list --to-mirror` prints names and digests)"
        } else {
            "check its name, or name a mirror that has it with --mirror"
        };
        match error {
            OciDistributionError::DigestError(DigestError::VerificationError {
                expected,
                actual,
            }) => format!(
                "its digest is {actual}, but {expected} is expected; it was not used; {}",
                if self.is_mirror {
                    "copy the image into the mirror again, with its digest"
                } else {
                    "try again"
                }
            ),
            OciDistributionError::RequestError(error) if error.is_timeout() => format!(
                "it sent nothing for {} s; check that {host} answers, and try again",
                STALL.as_secs()
            ),
            OciDistributionError::RequestError(error) if error.is_body() || error.is_decode() => {
                format!("the answer ended too early ({}); try again", causes(error))
            }
            OciDistributionError::RequestError(error) => format!(
                "{}; check that {host} answers, and that its certificate is trusted \
                 (SSL_CERT_FILE{})",
                causes(error),
                if self.is_mirror { ", --mirror-ca" } else { "" }
            ),
            OciDistributionError::ImageManifestNotFoundError(_)
            | OciDistributionError::ServerError { code: 404, .. } => {
                format!("it has no such image; {copy}")
            }
            OciDistributionError::RegistryError { envelope, .. }
                if envelope.errors.iter().any(|error| {
                    matches!(
                        error.code,
                        OciErrorCode::ManifestUnknown
                            | OciErrorCode::NameUnknown
                            | OciErrorCode::NotFound
                            | OciErrorCode::BlobUnknown
                    )
                }) =>
            {
                format!("it has no such image; {copy}")
            }
            error => causes(error),
        }
    }
}

/// Whether a registry refuses to answer who is not logged in, or not as the right one.
fn wants_login(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::UnauthorizedError { .. }
        | OciDistributionError::ServerError {
            code: 401 | 403, ..
        } => true,
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| {
                matches!(
                    error.code,
                    OciErrorCode::Unauthorized | OciErrorCode::Denied
                )
            })
        }
        _ => false,
    }
}

/// A target that takes so many bytes and no more.
struct Limited<W> {
    inner: W,
    left: u64,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Limited<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if bytes.len() as u64 > self.left {
            let error =
                std::io::Error::other("the answer has more bytes than the manifest declares");
            return Poll::Ready(Err(error));
        }
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.left -= *count as u64;
        }
        written
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
