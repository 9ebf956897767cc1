//! Control planes: etcd and kube-apiserver as child processes on loopback, made anew for each
//! start.

mod arguments;
mod certificates;
mod folder;
mod kubelet;
mod objects;
mod plane;

pub use kubelet::ready_status;
pub use objects::StoredObjects;
pub use plane::{ApiServer, ControlPlane, PlaneOptions};
