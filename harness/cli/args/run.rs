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
    /// Continue the last run with the same arguments; cases that passed do not run again
    #[arg(long)]
    pub resume: bool,
    /// Folder for reports and evidence
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// Leave the kind cluster up
    #[arg(long)]
    pub keep: bool,
    /// Fail also for provisional, flaky and unscheduled cases
    ///
    /// A flaky case passes on its second attempt; if CI is set, it always fails the run. A
    /// provisional scenario is derived from source code. An unscheduled case does not fit the
    /// nodes.
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
    /// When to keep Pods, events, logs and objects of a case
    #[arg(
        long,
        hide_short_help = true,
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub evidence: EvidenceChoice,
    /// Number of cases at once, as far as the nodes have capacity
    ///
    /// When absent: 16 on envtest, one for each processor on kind, 64 with --context; a case that
    /// only waits for time to pass then does not count.
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Time limit of the whole run, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "6h")]
    pub timeout: Duration,
    /// Kubernetes releases of the API server on envtest: 1.37, a list, a range, `latest` or `all`
    ///
    /// With several, the scenarios run on one after the other, and the reports of each go to a
    /// folder of its own below --output. When absent: the release of the nodes that are built.
    #[arg(long, hide_short_help = true, value_name = "VERSION")]
    pub kubernetes: Option<plan::Releases>,
    #[command(flatten)]
    pub existing: ExistingCluster,
    #[command(flatten)]
    pub in_existing: InExisting,
    #[command(flatten)]
    pub as_job: AsJob,
}
