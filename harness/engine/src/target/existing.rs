//! Clusters that exist: used only when their kubeconfig context is named, and only if it looks like
//! one for tests.

mod context;
mod permissions;
mod purpose;

pub use context::{ContextError, ContextOptions, Existing, IN_CLUSTER, ReadOnly};
pub use permissions::{Permission, PermissionError};
