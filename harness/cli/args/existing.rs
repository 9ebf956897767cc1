//! What `run` and its like are told of a cluster that exists.

use std::path::PathBuf;

use clap::Args;

use crate::provider::{CustomOperator, ExistingSpec};
use crate::target::ContextOptions;

/// A cluster that exists, in place of one of kind.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Existing cluster")]
pub struct ExistingCluster {
    /// Use the cluster of this kubeconfig context; `in-cluster` inside a Pod
    ///
    /// A context that does not look like a test cluster also needs --allow-context.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["cluster", "engine"])]
    pub context: Option<String>,
    /// Kubeconfig with that context; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        requires = "context"
    )]
    pub kubeconfig: Option<PathBuf>,
    /// Confirm that --context may be changed although it does not look like a test cluster
    #[arg(
        long,
        hide_short_help = true,
        value_name = "NAME",
        requires = "context"
    )]
    pub allow_context: Option<String>,
    /// Deployment of the operator, if its labels do not identify it
    #[arg(
        long,
        hide_short_help = true,
        value_name = "NAMESPACE/NAME",
        requires = "context"
    )]
    pub operator_deployment: Option<crate::operator::DeploymentName>,
}

impl ExistingCluster {
    /// The cluster, where one is named; nothing is installed in it.
    pub fn spec(&self) -> Option<ExistingSpec> {
        let context = self.context.clone().map(|name| ContextOptions {
            name,
            kubeconfig: self.kubeconfig.clone(),
            allowed: self.allow_context.clone(),
        })?;
        Some(ExistingSpec {
            source: crate::artifact::SourcePolicy::default(),
            context,
            install_operator: false,
            operator: CustomOperator::default(),
            operator_deployment: self.operator_deployment.clone(),
            ray_image: None,
            capacity_share: 1,
            keep: false,
        })
    }
}

impl InExisting {
    /// The cluster, and how it is used.
    pub fn spec(&self, cluster: &ExistingCluster) -> Option<ExistingSpec> {
        Some(ExistingSpec {
            install_operator: self.install_operator,
            capacity_share: self.capacity_share,
            ..cluster.spec()?
        })
    }
}

/// How a run uses a cluster that exists.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Existing cluster")]
pub struct InExisting {
    /// Install an operator for the run, in its own namespace, and remove it at the end
    ///
    /// With --keep, it stays. Without this option, the run uses the cluster's own operator.
    #[arg(
        long,
        hide_short_help = true,
        requires = "context",
        conflicts_with = "operator_deployment"
    )]
    pub install_operator: bool,
    /// Use 1/N of the capacity of the nodes, so that N runs can share the cluster
    #[arg(long, hide_short_help = true, value_name = "N", requires = "context", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity_share: u32,
}
