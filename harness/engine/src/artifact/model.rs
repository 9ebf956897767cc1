//! What the store hands out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::results::ImageRecord;

/// Where artifacts may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourcePolicy {
    /// Pull where an image registry answers, else build.
    #[default]
    Auto,
    /// Pull public images and release binaries only.
    Pull,
    /// Build everything from package registries.
    Build,
}

/// Where Ray's image on kind comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RaySource {
    /// The release, pulled or built.
    #[default]
    Release,
    /// An image that the container engine holds or can pull, by name.
    Image(String),
    /// A wheel of Ray, which takes the place of Ray in the release's image.
    Wheel(PathBuf),
}

/// An image that the container engine holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The public name with registry and tag that manifests use, such as
    /// `docker.io/rayproject/ray:2.52.0`.
    pub public_name: String,
    /// The name under which the engine holds it, such as
    /// `localhost/kuberay-conformance/ray:2.52.0-0f3a…`.
    pub local_name: String,
    /// An archive of it (`docker-archive`, with `public_name` inside) in the store; none of an image
    /// that the user brings.
    pub archive: Option<PathBuf>,
    /// For reports.
    pub record: ImageRecord,
}
