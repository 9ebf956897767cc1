//! Why no container engine can be used.

use std::path::PathBuf;

/// Why no container engine can be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Neither docker nor podman answered as it must.
    #[error(
        "no container engine can run kind's nodes:{}\nstart Docker, or install podman (on Debian, as root: apt-get install podman conmon runc netavark \
         aardvark-dns iptables uidmap)", list(.0)
    )]
    None(Vec<String>),
    /// A file that the engine needs could not be written.
    #[error("writing {path} for the container engine: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

fn list(reasons: &[String]) -> String {
    reasons
        .iter()
        .map(|reason| format!("\n  - {reason}"))
        .collect()
}
