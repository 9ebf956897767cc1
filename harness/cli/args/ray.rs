//! Arguments that name a Ray of the user's own.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::RaySource;

/// A Ray in the place of a release's own.
#[derive(Debug, Clone, Default, Args)]
pub struct OwnRay {
    /// Ray image to use instead of the release's
    ///
    /// On kind, the container engine must have the image or be able to pull it, and --ray names
    /// the Ray release that it replaces. With --context, the nodes must be able to pull it.
    #[arg(long, hide_short_help = true, value_name = "IMAGE")]
    pub ray_image: Option<String>,
    /// Ray wheel for kind, such as one built from a pull request
    ///
    /// It replaces Ray in the image of --ray; all other packages stay the same.
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        conflicts_with = "ray_image"
    )]
    pub ray_wheel: Option<PathBuf>,
}

impl OwnRay {
    /// Where Ray's image on kind comes from.
    pub fn source(&self) -> RaySource {
        let image = self.ray_image.clone().map(RaySource::Image);
        let wheel = || self.ray_wheel.clone().map(RaySource::Wheel);
        image.or_else(wheel).unwrap_or_default()
    }
}
