//! Clusters: providers that bring a Kubernetes cluster up and take down what they made.

mod authority;
mod deadline;
mod envtest;
mod error;
mod existing;
mod handle;
mod kind;
mod kind_config;
mod lock;
mod names;
mod network;
mod node;
mod node_facts;
mod preflight;
mod processes;
mod push;
mod ready;
mod registry;
mod remove;
mod service;
mod state;
mod unpacked;

pub use envtest::{ApiServer, ControlPlane, ControlPlaneOptions, StoredObjects, ready_status};
pub use error::ClusterError;
pub(crate) use error::who;
pub use existing::{
    ContextError, ContextOptions, Existing, IN_CLUSTER, Permission, PermissionError, ReadOnly,
};
pub use handle::{ClusterHandle, EarlyCluster, Status};
pub use kind::{KindCluster, Unpack, UpOptions};
pub(crate) use kind::{Left, UP, UPGRADE};
pub use kind_config::{CriKeys, Extras, kind_config};
pub use lock::{Holder, Patience};
pub(crate) use lock::{Lease, Lock};
pub use node_facts::NodeFacts;
pub use preflight::PreflightFinding;
pub(crate) use ready::{client, is_ready as node_is_ready};
pub use registry::registry_helper;
pub use remove::Removed;

/// Ends every process of ours with this program name and these arguments, and waits for its end;
/// returns their ids.
pub(crate) async fn end_process(program: &str, arguments: &[&str]) -> Vec<u32> {
    processes::end(processes::Signature { program, arguments }).await
}
