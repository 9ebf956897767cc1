//! Options for the source of artifacts, for mirrors and for pins of the user's own.

use std::path::PathBuf;

use clap::Args;

use super::SourceChoice;
use crate::artifact;

/// Where programs and images come from. Every command that gets some has these options.
#[derive(Debug, Clone, Args)]
pub struct ArtifactSource {
    /// Source of programs and images: pull, build or auto
    #[arg(
        long,
        hide_short_help = true,
        value_name = "SOURCE",
        value_enum,
        default_value_t
    )]
    pub artifacts: SourceChoice,
    #[command(flatten)]
    pub mirrors: Mirrors,
}

impl ArtifactSource {
    /// Returns the source, for commands that have installed the mirrors.
    pub fn source(&self) -> artifact::SourcePolicy {
        self.artifacts.into()
    }
}

/// Where artifacts come from in place of the public registries.
///
/// `Mirrors::install` reads the values, not clap, which repeats what it refuses: it may hold a
/// login.
#[derive(Debug, Clone, Default, Args)]
pub struct Mirrors {
    /// Mirror of an image registry, such as docker.io=mirror.example.com/docker; repeatable
    ///
    /// Names and digests of images stay public. Logins come from the files of podman and Docker.
    /// Also read from `KUBERAY_CONFORMANCE_MIRRORS`, with commas, and from
    /// kuberay-conformance.toml.
    #[arg(
        long = "mirror",
        hide_short_help = true,
        value_name = "REGISTRY=HOST[/PREFIX]"
    )]
    pub images: Vec<String>,
    /// Mirror of the files whose addresses begin with the first URL; repeatable
    ///
    /// Also read from `KUBERAY_CONFORMANCE_DOWNLOAD_MIRRORS`, with commas, and from
    /// kuberay-conformance.toml.
    #[arg(
        long = "download-mirror",
        hide_short_help = true,
        value_name = "URL=URL"
    )]
    pub downloads: Vec<String>,
    /// Certificate authorities of the mirrors, in PEM, beside those that this machine trusts
    #[arg(long = "mirror-ca", hide_short_help = true, value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// Digests of images, in place of those of fixtures/versions.yaml; reports name the file
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub pins: Option<PathBuf>,
}
