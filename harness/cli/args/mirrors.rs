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
    /// Manifests, reports and pins keep the public names and digests. Credentials come from the
    /// login files of podman and Docker. Other sources: `KUBERAY_CONFORMANCE_MIRRORS`, separated by
    /// commas, and kuberay-conformance.toml.
    #[arg(
        long = "mirror",
        hide_short_help = true,
        value_name = "REGISTRY=HOST[/PREFIX]"
    )]
    pub images: Vec<String>,
    /// Mirror (second URL) of downloads whose addresses begin with the first URL; repeatable
    ///
    /// Other sources: `KUBERAY_CONFORMANCE_DOWNLOAD_MIRRORS`, separated by commas, and
    /// kuberay-conformance.toml.
    #[arg(
        long = "download-mirror",
        hide_short_help = true,
        value_name = "URL=URL"
    )]
    pub downloads: Vec<String>,
    /// PEM file with certificate authorities of the mirrors, in addition to the system's
    #[arg(long = "mirror-ca", hide_short_help = true, value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// YAML file with image digests that replace those in fixtures/versions.yaml; reports name it
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub pins: Option<PathBuf>,
}
