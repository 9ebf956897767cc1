//! Arguments of `run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{
    AsJob, EngineArguments, EvidenceChoice, ExistingCluster, InExisting, OperatorSource, OwnRay,
    Selection, Size, StatusLevelChoice,
};
use crate::{plan, scenario};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct Run {
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub source: OperatorSource,
    #[command(flatten)]
    pub own_ray: OwnRay,
    #[command(flatten)]
    pub engine: EngineArguments,
    #[command(flatten)]
    pub size: Size,
    /// Continue the last run, which must have had the same arguments; skip cases that passed
    #[arg(long)]
    pub resume: bool,
    /// Folder for reports and evidence
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// Leave the kind cluster, or the operator of --install-operator, in place
    #[arg(long)]
    pub keep: bool,
    /// Also fail for provisional, flaky and skipped cases
    ///
    /// Provisional: derived from source code. Flaky: passed on the second attempt; always fails the
    /// run if CI is set. Skipped: too large for the nodes, or a release that can't be downloaded.
    #[arg(long)]
    pub strict: bool,
    /// Print no progress, only the results at the end
    #[arg(short, long)]
    pub quiet: bool,
    /// Results to print as cases end
    #[arg(
        long,
        hide_short_help = true,
        value_name = "LEVEL",
        env = "KUBERAY_CONFORMANCE_STATUS_LEVEL",
        value_enum,
        default_value_t
    )]
    pub status_level: StatusLevelChoice,
    /// When to keep the evidence of a case: Pods, events, logs and objects
    #[arg(
        long,
        hide_short_help = true,
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub evidence: EvidenceChoice,
    /// Number of cases at once, if the nodes have the capacity
    ///
    /// Default: 16 on envtest, one for each processor on kind, 64 with --context. With the default,
    /// a case that only waits for time to pass does not count.
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Time limit of the whole run, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "6h")]
    pub timeout: Duration,
    /// Kubernetes releases of the API server on envtest: 1.37, a list, a range, `latest` or `all`
    ///
    /// With several releases, the scenarios run on each in turn, and each gets its own folder of
    /// reports below --output. Default: the release of the nodes that --artifacts build makes.
    #[arg(long, hide_short_help = true, value_name = "VERSION")]
    pub kubernetes: Option<plan::Releases>,
    #[command(flatten)]
    pub existing: ExistingCluster,
    #[command(flatten)]
    pub in_existing: InExisting,
    #[command(flatten)]
    pub as_job: AsJob,
}
