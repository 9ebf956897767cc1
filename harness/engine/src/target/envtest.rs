//! API servers: etcd and kube-apiserver as child processes on loopback, made anew for each
//! start.

mod arguments;
mod certificates;
mod control_plane;
mod folder;
mod kubelet;
mod objects;

pub use control_plane::{ApiServer, ControlPlane, ControlPlaneOptions};
pub use kubelet::ready_status;
pub use objects::StoredObjects;
