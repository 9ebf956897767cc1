//! Options of `artifacts`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use semver::Version;

use super::{Mirrors, ReleaseArguments, Targets};
use crate::scenario;

/// Format of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// One line for each, with tab-separated columns
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub enum ArtifactsCommand {
    /// Print the contents of the cache, or what a mirror must contain
    List(ArtifactList),
    /// Remove unused files from the cache
    ///
    /// Removes artifacts that were last used with other pins or recipes, and leftovers of killed
    /// runs. Keeps artifacts that a running process uses or a cluster mounts.
    Prune(ArtifactPrune),
    /// Write the lock file of a Ray release
    ///
    /// Resolves Ray's Python packages with uv, and writes them with their checksums. Review the
    /// file with `git diff`.
    Lock(ArtifactLock),
}

#[derive(Debug, Args)]
pub struct ArtifactLock {
    /// Ray release, such as 2.60.0
    #[arg(value_name = "RAY_RELEASE", value_parser = crate::plan::parse_version)]
    pub release: Version,
    /// Leave out packages that were published after this day, such as 2025-05-07
    ///
    /// Packages that are newer than a Ray release often break it. The day of the release is a good
    /// choice.
    #[arg(long, value_name = "DATE")]
    pub until: Option<Date>,
    /// Folder with the pins and recipes
    #[arg(long, value_name = "DIR", default_value = "fixtures")]
    pub fixtures: PathBuf,
}

#[derive(Debug, Args)]
pub struct ArtifactPrune {
    /// Also remove artifacts unused for this long, such as 30d; 0s removes all but those in use
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub unused_for: Option<Duration>,
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A duration as elsewhere, or in days.
fn duration(text: &str) -> Result<Duration, String> {
    let Some(days) = text.strip_suffix('d') else {
        return scenario::parse_duration(text).map_err(|error| error.to_string());
    };
    let days: u64 = days
        .parse()
        .map_err(|_| format!("`{text}` is no duration: write 30d, 12h or 0s"))?;
    Ok(Duration::from_secs(days.saturating_mul(24 * 60 * 60)))
}

#[derive(Debug, Args)]
pub struct ArtifactList {
    /// Print the images and files that a mirror must hold for the selected releases
    ///
    /// Columns: `image` or `file`, the source, the place in the mirror, and the checksum or digest.
    #[arg(long)]
    pub to_mirror: bool,
    /// Target: envtest, kind or all
    #[arg(long = "target", value_name = "TARGET", value_parser = super::selection::targets, default_value = "all", overrides_with = "targets")]
    pub targets: Targets,
    #[command(flatten)]
    pub releases: ReleaseArguments,
    /// Format of the list
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: ListFormat,
    #[command(flatten)]
    pub mirrors: Mirrors,
}
