//! Arguments that `explain` and `check` share: where manifests come from, and which operator gets
//! them.

use std::path::PathBuf;

use clap::Args;

use super::FieldValidationChoice;
use crate::{contract, plan};

/// A cluster to read objects from, instead of files.
#[derive(Debug, Clone, Args)]
pub struct FromCluster {
    /// Context of a cluster to read instead of files
    ///
    /// Reads the RayClusters, RayJobs, RayServices and RayCronJobs without an owner, and the
    /// release, environment, feature gates and configuration of the operator that watches them.
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    pub context: Option<String>,
    /// Read every namespace of the cluster
    #[arg(short = 'A', long, requires = "context", conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Kubeconfig; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        requires = "context"
    )]
    pub kubeconfig: Option<PathBuf>,
}

/// The operator that gets the manifests, and how they are sent.
#[derive(Debug, Clone, Args)]
pub struct OperatorArguments {
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6.2, a range 1.0.0..1.6.2, `latest` or `all`
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Environment variable of the operator, such as `ENABLE_LOGIN_SHELL=true`; repeatable
    #[arg(long = "operator-env", hide_short_help = true, value_name = "NAME=VALUE", value_parser = variable, conflicts_with = "context")]
    pub operator_env: Vec<(String, String)>,
    /// Feature gate of the operator, such as `RayCronJob=true`; repeatable
    #[arg(long = "feature-gate", hide_short_help = true, value_name = "NAME=BOOL", value_parser = gate, conflicts_with = "context")]
    pub feature_gate: Vec<(String, bool)>,
    /// Configuration file of the operator, in the format of the operator's `--config`
    #[arg(
        long = "operator-config",
        hide_short_help = true,
        value_name = "FILE",
        conflicts_with = "context"
    )]
    pub operator_config: Option<PathBuf>,
    /// Namespace of objects that have none; with --context, the namespace to read
    ///
    /// Default: `default`; with --context, the namespace of the context.
    #[arg(short, long, hide_short_help = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Validation of field names: strict (default), warn or ignore
    ///
    /// kubectl uses strict: the API server refuses an object with an unknown field. With warn or
    /// ignore, the API server drops the field.
    #[arg(
        long,
        hide_short_help = true,
        value_name = "HOW",
        value_enum,
        default_value = "strict",
        hide_possible_values = true
    )]
    pub field_validation: FieldValidationChoice,
}

/// Reads `NAME=VALUE`.
pub fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

/// Reads `NAME=BOOL`.
pub fn gate(text: &str) -> Result<(String, bool), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, "true"));
    if contract::gate(name).is_none() {
        let known: Vec<&str> = contract::GATES.iter().map(|gate| gate.name).collect();
        return Err(format!("the gates are {}", known.join(", ")));
    }
    let value = value.parse().map_err(|_| "write NAME=true or NAME=false")?;
    Ok((name.into(), value))
}
