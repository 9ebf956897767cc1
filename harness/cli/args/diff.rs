//! Arguments of `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use semver::Version;

use super::{ArtifactSource, Folder};
use crate::plan::parse_version;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance diff 1.6.2 1.7.0
  kuberay-conformance diff 1.7.0 --head-source ~/kuberay/ray-operator
  kuberay-conformance diff --base-source base --head-source head --report comment.md
  kuberay-conformance diff 1.7.0 --head-binary manager --head-crds config/crd/bases

Exit codes: 0 no difference, 1 a difference, 2 wrong usage, 3 the operators could not be compared.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DiffArguments {
    /// KubeRay releases: base, then head; omit one that --base-… or --head-… sets
    #[arg(value_name = "RELEASE", value_parser = parse_version, num_args = 0..=2)]
    pub releases: Vec<Version>,
    /// Checkout of ray-operator to build the base from
    #[arg(long, value_name = "DIR", group = "base")]
    pub base_source: Option<PathBuf>,
    /// Checkout of ray-operator to build the head from
    #[arg(long, value_name = "DIR", group = "head")]
    pub head_source: Option<PathBuf>,
    /// Operator binary to use as the base
    #[arg(long, value_name = "FILE", group = "base", requires = "base_crds")]
    pub base_binary: Option<PathBuf>,
    /// Operator binary to use as the head
    #[arg(long, value_name = "FILE", group = "head", requires = "head_crds")]
    pub head_binary: Option<PathBuf>,
    /// Operator image to use as the base
    #[arg(long, hide_short_help = true, value_name = "IMAGE", group = "base")]
    pub base_image: Option<String>,
    /// Operator image to use as the head
    #[arg(long, hide_short_help = true, value_name = "IMAGE", group = "head")]
    pub head_image: Option<String>,
    /// Folder with the CRDs for --base-binary or --base-image
    #[arg(long, value_name = "DIR")]
    pub base_crds: Option<PathBuf>,
    /// Folder with the CRDs for --head-binary or --head-image
    #[arg(long, value_name = "DIR")]
    pub head_crds: Option<PathBuf>,
    /// Closest KubeRay release, if the base is not a release
    ///
    /// Default: the release that the source or the image tag names, else the newest known release.
    #[arg(long, hide_short_help = true, value_name = "VERSION", value_parser = parse_version)]
    pub base_follows: Option<Version>,
    /// Closest KubeRay release, if the head is not a release
    #[arg(long, hide_short_help = true, value_name = "VERSION", value_parser = parse_version)]
    pub head_follows: Option<Version>,
    /// Compare scenarios whose name contains this; repeatable
    #[arg(long = "scenario", hide_short_help = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Number of generated objects of each kind
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub objects: u64,
    /// Seed of the generated objects
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// Number of cases at once
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Output format: text, json, markdown or junit
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: DiffFormat,
    /// Also write the report to FILE; repeatable
    ///
    /// The file extension selects the format: .md Markdown, .json JSON, .xml JUnit, else text.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// Record the head as this new release: its snapshots, and drafts of its class and features
    ///
    /// Writes into the checkout of this project that contains --scenarios. Afterwards,
    /// `cargo test --workspace --lib` lists what is left to do.
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    pub accept_as: Option<Version>,
    /// Folder for what --accept-as records, instead of the checkout
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        requires = "accept_as"
    )]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
    #[command(flatten)]
    pub folder: Folder,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the schema is docs/schema/diff.schema.json
    Json,
    /// For the comment of a pull request
    Markdown,
    /// For CI systems: a test case for each difference
    Junit,
}
