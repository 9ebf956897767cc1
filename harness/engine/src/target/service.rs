//! The Docker-compatible API that testcontainers talks to: Docker's own, or a podman service of
//! ours.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::error::{ClusterError, file, or_gone};
use super::processes::{self, Signature};
use crate::container::{Engine, EngineKind};
use crate::process;

/// A socket's path may have 107 bytes.
const LONGEST: usize = 100;

/// Seconds after which an unused service ends by itself, should nobody be left to end it.
const IDLE: &str = "--time=60";

/// Where our podman service listens: in the cluster's folder where the path is not too long for a
/// socket.
pub(super) fn socket(folder: &Path, instance: &str) -> PathBuf {
    let usual = folder.join("podman.sock");
    if usual.as_os_str().len() <= LONGEST {
        return usual;
    }
    std::env::temp_dir().join(format!("kuberay-conformance-{instance}.sock"))
}

/// The engine's API; a service that we started ends when this is dropped.
pub(super) struct Api {
    /// For `DOCKER_HOST`; `None` where the caller's own environment says it.
    pub(super) address: Option<String>,
    _service: Option<Child>,
}

impl Api {
    /// Docker's API, or with podman a service on `socket`, which must stand in the state file
    /// already.
    pub(super) async fn open(engine: &Engine, socket: &Path) -> Result<Self, ClusterError> {
        if engine.kind == EngineKind::Docker {
            return Ok(Self {
                address: docker_address(engine).await,
                _service: None,
            });
        }
        let address = format!("unix://{}", socket.display());
        close(socket).await?;
        let mut serve = engine.command();
        serve
            .args(["system", "service", IDLE, &address])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut service = serve
            .spawn()
            .map_err(file("starting podman's API on", socket))?;
        let started = Instant::now();
        while tokio::net::UnixStream::connect(socket).await.is_err() {
            if let Ok(Some(status)) = service.try_wait() {
                return Err(ClusterError::Registry(format!(
                    "`podman system service` ended with {status}"
                )));
            }
            if started.elapsed() > Duration::from_secs(20) {
                return Err(ClusterError::Registry(
                    "`podman system service` does not listen after 20 s".into(),
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            address: Some(address),
            _service: Some(service),
        })
    }
}

/// Ends what serves on our socket, if anything does.
pub(super) async fn close(socket: &Path) -> Result<(), ClusterError> {
    let address = format!("unix://{}", socket.display());
    processes::end(Signature {
        program: "podman",
        arguments: &["system", "service", &address],
    })
    .await;
    or_gone(std::fs::remove_file(socket)).map_err(file("removing", socket))
}

/// The docker client may have its daemon from a context, which testcontainers does not know.
async fn docker_address(engine: &Engine) -> Option<String> {
    if std::env::var_os("DOCKER_HOST").is_some() {
        return None;
    }
    let mut inspect = engine.command();
    inspect.args([
        "context",
        "inspect",
        "--format",
        "{{.Endpoints.docker.Host}}",
    ]);
    let address = process::output(
        inspect,
        "asking docker for its daemon's address",
        process::INSPECTION,
    )
    .await
    .ok()?;
    Some(address.trim().to_owned()).filter(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use assertables::assert_ends_with;

    use super::*;

    #[test]
    fn a_socket_always_has_a_path_that_works() {
        assert_eq!(
            socket(Path::new("/c/a"), "i"),
            Path::new("/c/a/podman.sock")
        );
        let long = Path::new("/c").join("x".repeat(120));
        assert_ends_with!(socket(&long, "i"), "kuberay-conformance-i.sock");
    }
}
