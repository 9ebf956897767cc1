//! The operator: a KubeRay release is installed in a cluster, or runs beside a control plane.

mod beside;
mod crds;
mod install;
mod objects;
mod render;
mod wait;

pub use beside::{Beside, BesideOptions, log_about};
pub use crds::{crds_are_served, create_crds};
pub use install::{Installed, OperatorError, Options, ensure, log_since};
pub use objects::{FIELD_MANAGER, MANAGED_BY, MANAGER, ObjectError, Sender};
pub use render::Rendered;
