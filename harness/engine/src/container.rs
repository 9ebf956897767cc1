//! Container engines: podman and Docker, and what the host offers them.

mod engine;
mod error;
mod host;
mod probe;

pub use engine::{Engine, EngineKind};
pub use error::EngineError;
pub(crate) use host::MODULES;
pub use host::{Cgroup, Host};
