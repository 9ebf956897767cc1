//! What `run` and its like are told of a cluster that exists.

use std::path::PathBuf;

use clap::Args;

use crate::runner;
use crate::target::ContextOptions;

/// A cluster that exists, in place of one of kind.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A cluster that exists")]
pub struct ExistingCluster {
    /// Use the cluster of this kubeconfig context instead of making one; `in-cluster` is the cluster in which this runs as
    /// a Pod. One that does not look like a test cluster is refused
    #[arg(long, value_name = "NAME", conflicts_with_all = ["cluster", "engine"])]
    pub context: Option<String>,
    /// The kubeconfig with that context; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(long, value_name = "FILE", requires = "context")]
    pub kubeconfig: Option<PathBuf>,
    /// Use that context although it does not look like one of a test cluster; the same name again
    #[arg(long, value_name = "NAME", requires = "context")]
    pub allow_context: Option<String>,
    /// The operator's Deployment, where its labels don't tell or there are several
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "context")]
    pub operator_deployment: Option<crate::operator::Place>,
}

impl ExistingCluster {
    /// The cluster, where one is named; nothing is installed in it.
    pub fn options(&self) -> Option<runner::InExisting> {
        let context = self.context.clone().map(|name| ContextOptions {
            name,
            kubeconfig: self.kubeconfig.clone(),
            allowed: self.allow_context.clone(),
        })?;
        Some(runner::InExisting {
            context,
            install_operator: false,
            operator_deployment: self.operator_deployment.clone(),
            ray_image: None,
            capacity_share: 1,
        })
    }
}

impl InExisting {
    /// The cluster, and how it is used.
    pub fn options(&self, cluster: &ExistingCluster) -> Option<runner::InExisting> {
        Some(runner::InExisting {
            install_operator: self.install_operator,
            ray_image: self.ray_image.clone(),
            capacity_share: self.capacity_share,
            ..cluster.options()?
        })
    }
}

/// How a run uses a cluster that exists.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A cluster that exists")]
pub struct InExisting {
    /// Install an operator there for the run, in a namespace of its own, and remove it at the end (unless --keep); else
    /// the one that is there is used
    #[arg(long, requires = "context", conflicts_with = "operator_deployment")]
    pub install_operator: bool,
    /// Another name for Ray's image, such as that of a mirror
    #[arg(long, value_name = "IMAGE", requires = "context")]
    pub ray_image: Option<String>,
    /// Use one N-th of the room that the nodes have: N runs work there at the same time
    #[arg(long, value_name = "N", requires = "context", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity_share: u32,
}
