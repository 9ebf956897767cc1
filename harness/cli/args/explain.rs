//! Arguments of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FromCluster, OperatorArguments};

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance explain raycluster.yaml                             on the default release
  kuberay-conformance explain raycluster.yaml --operator 1.3.2,1.6.2      what the upgrade changes, as a difference
  kuberay-conformance explain manifests/                                  every manifest below a folder
  kuberay-conformance explain --context prod -n team                      the objects of a cluster, for its operator
  kuberay-conformance explain - --format json < raycluster.yaml           for programs

Exit codes: 0 success, even with warnings, 2 wrong usage or a file that can't be explained, 3 the cluster can't be read.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// Manifests or folders with Ray objects; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "context")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub from_cluster: FromCluster,
    #[command(flatten)]
    pub operator: OperatorArguments,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: Format,
    /// Print every container for every release, even when releases are compared
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/explain.schema.json
    Json,
}
