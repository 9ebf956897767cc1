//! Observation: one watch cache for each namespace, logs, events and the dashboard.

mod cache;
mod dashboard;
mod logs;
mod namespace;

pub use dashboard::{HEAD_PORT, parse_jobs, parse_nodes};
pub use namespace::{NamespaceView, ray_cluster_resource};
