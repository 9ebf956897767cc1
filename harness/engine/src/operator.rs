//! The operator: a KubeRay release is installed in a cluster, or runs beside an API server.

mod beside;
mod crds;
mod discover;
mod error;
mod health;
mod install;
mod inventory;
mod model;
mod objects;
mod refusal;
mod render;
mod source;
#[cfg(test)]
mod tests;
mod wait;

pub use beside::{Beside, BesideOptions, log_about};
pub use crds::{crds_are_served, create_crds};
pub use discover::{DeploymentName, DiscoverError, FoundOperator, discover};
pub use error::OperatorError;
pub use health::{OperatorDown, OperatorHealth};
pub use install::{Wanted, ensure, log_since};
pub use inventory::{OWN_NAMESPACE, install_beside_others, remove_own};
pub use model::{InstallOptions, Installed};
pub use objects::{FIELD_MANAGER, MANAGED_BY, MANAGER, ObjectError, Sender};
pub(crate) use refusal::is_about_the_object;
pub use render::{Rendered, release_of};
pub use source::{Manifests, Renderers};
