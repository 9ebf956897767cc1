//! Artifacts: where binaries and images come from, pulled or built, kept in a store keyed by
//! content.

mod artifacts;
mod authorities;
mod built_in;
mod certificates;
mod debian;
mod download;
mod error;
mod go;
mod harness;
mod image;
mod inventory;
mod key;
mod logins;
mod mirrors;
mod model;
mod module_zip;
mod oci;
mod own_ray;
mod programs;
mod pull;
mod python_lock;
mod recipes;
mod stock;
mod store;
mod supply;
pub mod system;

pub use kuberay_conformance_pins::{Pins, UNPINNED};

pub use artifacts::Artifacts;
pub use built_in::built_in_scenarios;
pub(crate) use download::head_local;
pub use error::ArtifactError;
pub(crate) use error::file;
pub use inventory::{Inventory, MirroredTargets, PublicFile, PublicImage};
pub use key::ArtifactKey;
pub use mirrors::{DownloadMirror, ImageMirror, MirrorError};
pub use model::*;
pub use programs::Programs;
pub use pull::digest_of;
pub use python_lock::{PythonLock, lock_ray};
pub use recipes::text_of as fixture;
pub use stock::{Need, Prune, Stored};
pub use store::Store;
pub use supply::{DOWNLOAD_MIRRORS, MIRROR_CA, MIRRORS, PINS, Supply, SupplySettings};
