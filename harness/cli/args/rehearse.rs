//! Arguments of `rehearse`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use semver::Version;

use super::ArtifactSource;
use crate::plan::parse_version;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance rehearse --to 1.7.0 -A                             every Ray object of the current context
  kuberay-conformance rehearse --to 1.4.2,1.7.0 -n team                  two steps, one namespace
  kuberay-conformance rehearse --to 1.7.0 --bundle bundle.json           what doctor --save-bundle saved
  kuberay-conformance rehearse --to 1.7.0 --from 1.5.2 --objects deploy/
                                                                         the objects of manifests
  kuberay-conformance rehearse --to 1.7.0 -A --keep-crds                 an upgrade without new CRDs, like `helm upgrade`
  kuberay-conformance rehearse --to 1.7.0 -A --format markdown           for a ticket

rehearse reads the cluster as doctor does, and changes nothing in it. It upgrades copies of the objects on an API server on
this machine, with the real operators; nothing leaves the machine. No container starts.

Exit codes: 0 nothing to do, 1 an object needs review or breaks, 2 wrong usage, 3 the upgrade could not be rehearsed.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Rehearse {
    /// Release after the upgrade; for an upgrade in steps, several separated by commas
    #[arg(long, value_name = "VERSION", value_parser = parse_version, value_delimiter = ',', required = true)]
    pub to: Vec<Version>,
    /// Release before the upgrade; default: the release of the cluster's operator
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    pub from: Option<Version>,
    /// Namespace; that of the context when absent
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with_all = ["all_namespaces", "objects"])]
    pub namespace: Option<String>,
    /// Read every namespace
    #[arg(short = 'A', long, conflicts_with = "objects")]
    pub all_namespaces: bool,
    /// Context of the kubeconfig; the current one when absent
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bundle", "objects"])]
    pub context: Option<String>,
    /// Kubeconfig; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundle", "objects"])]
    pub kubeconfig: Option<PathBuf>,
    /// Read the objects from a bundle of doctor instead of a cluster
    #[arg(long, value_name = "FILE", conflicts_with = "objects")]
    pub bundle: Option<PathBuf>,
    /// Read the objects from manifests or folders; `-` reads standard input; needs --from
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "from")]
    pub objects: Vec<PathBuf>,
    /// Environment variable of the operator after the upgrade; repeatable
    #[arg(long = "operator-env", hide_short_help = true, value_name = "NAME=VALUE", value_parser = crate::args::variable)]
    pub operator_env: Vec<(String, String)>,
    /// Feature gate of the operator after the upgrade, such as `RayCronJob=true`; repeatable
    #[arg(long = "feature-gate", hide_short_help = true, value_name = "NAME=BOOL", value_parser = crate::args::gate)]
    pub feature_gate: Vec<(String, bool)>,
    /// Configuration file of the operator after the upgrade, as its `--config` reads it
    #[arg(long = "operator-config", hide_short_help = true, value_name = "FILE")]
    pub operator_config: Option<PathBuf>,
    /// Do not upgrade the custom resource definitions
    #[arg(long)]
    pub keep_crds: bool,
    /// Output format: text, json or markdown
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: RehearsalFormat,
    /// Show every object and every change
    #[arg(long)]
    pub verbose: bool,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RehearsalFormat {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/rehearsal.schema.json
    Json,
    /// For a ticket
    Markdown,
}
