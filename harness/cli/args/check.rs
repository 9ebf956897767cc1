//! Arguments of `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use semver::Version;
use serde::Deserialize;

use super::{FromCluster, OperatorArguments};
use crate::explain::check;
use crate::manifest::Severity;
use crate::plan;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance check manifests/                          every manifest below a folder
  helm template my-chart | kuberay-conformance check -          what a chart renders
  kustomize build overlays/prod | kuberay-conformance check -   what a kustomization builds
  kuberay-conformance check . --format sarif > results.sarif    for code scanning
  kuberay-conformance check . --from 1.3.2 --to 1.6.2           what an upgrade changes for each object
  kuberay-conformance check --context prod -A                   the objects of a cluster, for the operator that runs there
  kuberay-conformance check --explain trailing-ampersand        the page of a trap

check skips files without Ray objects. It reads operator, select, ignore and fail-on from kuberay-conformance.toml in the
working directory or a parent. The annotation kuberay-conformance.io/ignore names ids to ignore for one object.

Exit codes: 0 nothing found at the level of --fail-on, 1 something found, 2 wrong usage or a file that can't be read,
3 the cluster can't be read.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CheckArguments {
    /// Manifests, folders or patterns such as `**/*.yaml`; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["explain", "context"])]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub from_cluster: FromCluster,
    #[command(flatten)]
    pub operator: OperatorArguments,
    /// Older release of an upgrade; lists changed features and their impact
    ///
    /// Reports only findings that are new after the upgrade. The impact is none, cosmetic, review
    /// (counts as a warning) or breaks (counts as an error).
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version, requires = "to", conflicts_with = "operator")]
    pub from: Option<Version>,
    /// Release after the upgrade
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version, requires = "from")]
    pub to: Option<Version>,
    /// Output format: text, concise, json, sarif, github or junit
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: CheckFormat,
    /// Lowest severity with exit code 1: error, warning (default), note or never
    #[arg(long, value_name = "SEVERITY", value_enum, hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// Report only findings with these ids; errors are always reported
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = known)]
    pub select: Vec<String>,
    /// Leave out findings with these ids
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = known)]
    pub ignore: Vec<String>,
    /// Configuration file [default: kuberay-conformance.toml in this folder or a parent]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the page of a trap
    #[arg(long, value_name = "TRAP", conflicts_with_all = ["files", "context"])]
    pub explain: Option<String>,
    /// Print long values in full
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckFormat {
    /// For people, with the lines of the file
    Text,
    /// One line for each finding
    Concise,
    /// For programs; the schema is docs/schema/check.schema.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// `JUnit` XML
    Junit,
}

/// The lowest severity that makes `check` exit with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    Warning,
    /// Everything
    Note,
    /// Nothing
    Never,
}

impl FailOn {
    pub fn counts(self, worst: Option<Severity>) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
            Self::Never => return false,
        };
        worst.is_some_and(|worst| worst <= least)
    }
}

/// Returns the id of a finding, or what it could have been.
pub fn known(word: &str) -> Result<String, String> {
    let word = word.trim();
    if check::is_id(word) {
        return Ok(word.into());
    }
    let near = check::nearest(word).map(|near| format!("did you mean `{near}`? "));
    Err(format!(
        "no finding has the id `{word}`; {}docs/reference/traps/README.md lists them",
        near.unwrap_or_default()
    ))
}
