//! Arguments of `fuzz`.

use std::path::PathBuf;

use clap::Args;

use super::{ArtifactSource, OperatorBinary};
use crate::plan;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance fuzz                                    2000 cases on the default release
  kuberay-conformance fuzz --operator all --cases 500
  kuberay-conformance fuzz --operator 1.3.0..1.3.2            1.3.0, 1.3.1 and 1.3.2
  kuberay-conformance fuzz --seed 7 --save scenarios          save each difference as a scenario

Exit codes: 0 no difference, 1 a difference, 2 wrong usage, 3 the environment failed.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Fuzz {
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6.2, a range 1.0.0..1.6.2, `latest` or `all`
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Number of generated cases for each release
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub cases: usize,
    /// Number of objects to compare at once per release
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Seed of the generated objects; random when absent, and printed
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Also compare the samples in the operator's source
    #[arg(long)]
    pub samples: bool,
    /// Folder to write each difference to, as a scenario
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub source: ArtifactSource,
    #[command(flatten)]
    pub operator_binary: OperatorBinary,
}
