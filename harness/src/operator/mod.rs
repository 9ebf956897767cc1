//! The operator: a KubeRay release is installed in a cluster.

mod install;
mod objects;
mod render;
mod wait;

pub use install::{Installed, OperatorError, Options, ensure, log_since};
pub use objects::{FIELD_MANAGER, MANAGED_BY, MANAGER, ObjectError, Sender};
pub use render::Rendered;
