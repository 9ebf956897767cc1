//! etcd and kube-apiserver as child processes on loopback. Each start makes them anew.

mod arguments;
mod certificates;
mod control_plane;
mod folder;
mod kubelet;
mod objects;

pub use control_plane::{ApiServer, ControlPlane, ControlPlaneOptions};
pub use kubelet::ready_status;
pub use objects::StoredObjects;
