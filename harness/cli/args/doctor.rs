//! Arguments of `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::live::kind_of;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance doctor                                   the namespace of the current context
  kuberay-conformance doctor -A                                every namespace
  kuberay-conformance doctor -n team raycluster/demo           one object, with all details of its Pods
  kuberay-conformance doctor -A --save-bundle bundle.json      save what was read, without secrets
  kuberay-conformance doctor --bundle bundle.json              the same report, without the cluster
  kubectl ray doctor -A                                        as a plugin of kubectl

doctor gets and lists objects, and reads the ends of logs. It never reads Secrets, and changes nothing.
docs/guide/doctor.md lists the permissions that it needs and every cause that it knows.

Exit codes: 0 healthy or still starting, 1 problems found, 2 wrong usage, 3 the cluster can't be read,
or it has no Ray objects.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Doctor {
    /// Object to diagnose, such as raycluster/demo; includes its owner and the objects it created
    #[arg(value_name = "KIND/NAME", value_parser = object)]
    pub object: Option<(String, String)>,
    /// Namespace; that of the context when absent
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        conflicts_with = "all_namespaces"
    )]
    pub namespace: Option<String>,
    /// Read every namespace
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Context of the kubeconfig; the current one when absent
    #[arg(long, value_name = "NAME", conflicts_with = "bundle")]
    pub context: Option<String>,
    /// Kubeconfig; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(long, value_name = "FILE", conflicts_with = "bundle")]
    pub kubeconfig: Option<PathBuf>,
    /// Read this bundle instead of a cluster
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Save everything that was read, with secrets redacted
    #[arg(long, value_name = "FILE", conflicts_with = "bundle")]
    pub save_bundle: Option<PathBuf>,
    /// Output format: text, json or junit
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: DoctorFormat,
    /// Show every cause, every proof and every Pod
    #[arg(long)]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DoctorFormat {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/doctor.schema.json
    Json,
    /// `JUnit` XML
    Junit,
}

/// Reads `KIND/NAME`.
fn object(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('/');
    let parts = parts.filter(|(_, name)| !name.is_empty() && !name.contains('/'));
    match parts.and_then(|(kind, name)| Some((kind_of(kind)?, name))) {
        Some((kind, name)) => Ok((kind.to_lowercase(), name.to_owned())),
        None => {
            Err("use KIND/NAME with the kind raycluster, rayjob, rayservice or raycronjob".into())
        }
    }
}
