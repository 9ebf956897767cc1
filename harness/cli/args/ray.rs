//! Arguments that name a Ray of the user's own.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::RaySource;

/// A Ray in the place of a release's own.
#[derive(Debug, Clone, Default, Args)]
pub struct OwnRay {
    /// Image of Ray on kind, in place of the release's own; with --context, its name there
    ///
    /// On kind, the container engine holds the image or can pull it, and --ray names the release
    /// that it is compared with.
    #[arg(long, hide_short_help = true, value_name = "IMAGE")]
    pub ray_image: Option<String>,
    /// Wheel of Ray on kind, such as a pull request's; it replaces Ray in the image of --ray
    ///
    /// The other packages remain those of that release.
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
