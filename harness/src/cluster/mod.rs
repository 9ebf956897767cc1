//! Clusters: providers that bring a Kubernetes cluster up and take down what they made.
/// Stub.
#[derive(Debug, Clone)]
pub struct Engine;
impl Engine {
    /// Stub.
    pub fn command(&self) -> tokio::process::Command {
        crate::process::command("podman")
    }
}
