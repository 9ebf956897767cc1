//! Observation: one watch of each kind for a cluster, a view of each namespace, logs, events and
//! the dashboard.

mod cache;
mod clock;
mod dashboard;
mod followed_logs;
mod logs;
mod missed;
mod namespace;
mod resources;
mod state;
mod stream;
mod watches;

pub use clock::now;
pub use dashboard::{HEAD_PORT, parse_jobs, parse_nodes};
pub(crate) use logs::read as read_log;
pub use missed::ComparedKinds;
pub use namespace::NamespaceView;
pub use resources::ray_cluster_resource;
pub use stream::{until, watch};
pub use watches::Watches;
