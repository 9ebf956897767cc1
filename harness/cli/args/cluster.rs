//! Arguments of the commands below `cluster`.

use std::time::Duration;

use clap::Args;

use super::selection::targets;
use super::{EngineChoice, ExistingCluster, OperatorSource, OwnRay, ReleaseArguments, Targets};
use crate::provider::CLUSTER;
use crate::scenario;

#[derive(Debug, Clone, Args)]
pub struct EngineArguments {
    /// Container engine; default: Docker if it can run kind's nodes, else podman
    #[arg(long, hide_short_help = true, value_name = "ENGINE", value_enum)]
    pub engine: Option<EngineChoice>,
    /// Name of the kind cluster
    #[arg(long, hide_short_help = true, value_name = "NAME", default_value = CLUSTER)]
    pub cluster: String,
}

/// How large the kind cluster is.
#[derive(Debug, Clone, Copy, Args)]
pub struct Size {
    /// Number of nodes of the kind cluster
    ///
    /// All nodes accept Pods, including the control-plane node. Default for `cluster up`: 3; for
    /// `run`: as many as the scenarios need, or 3 if more cases are planned than run at once.
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub nodes: Option<u32>,
}

/// What `cluster down` and `cluster status` look at.
#[derive(Debug, Args)]
pub struct ClusterArguments {
    /// Target: envtest, kind or all
    #[arg(
        long = "target",
        value_name = "TARGET",
        value_parser = targets,
        default_value = "all",
        overrides_with = "targets"
    )]
    pub targets: Targets,
    #[command(flatten)]
    pub engine: EngineArguments,
    #[command(flatten)]
    pub existing: ExistingCluster,
}

#[derive(Debug, Args)]
pub struct Stack {
    /// Target: kind, envtest or all
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, default_value = "kind", overrides_with = "targets")]
    pub targets: Targets,
    #[command(flatten)]
    pub releases: ReleaseArguments,
    #[command(flatten)]
    pub source: OperatorSource,
    #[command(flatten)]
    pub own_ray: OwnRay,
    #[command(flatten)]
    pub engine: EngineArguments,
    #[command(flatten)]
    pub size: Size,
    /// Time limit of the command, such as 30m
    #[arg(long, hide_short_help = true, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "2h")]
    pub timeout: Duration,
    /// Let the kind cluster's API server write an audit log, which `ci/bench` counts requests in
    #[arg(long, hide = true)]
    pub audit: bool,
}
