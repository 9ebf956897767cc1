//! What `submit`, `collect` and `image` are told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use semver::Version;

use super::{Engine, EngineKind, ExistingCluster, Folder, Source};
use crate::plan;
use crate::runner::{self, CLUSTER};
use crate::scenario;

/// The cluster of a Job: one that exists, else that of the harness.
#[derive(Debug, Clone, Args)]
pub struct JobCluster {
    #[command(flatten)]
    pub existing: ExistingCluster,
    #[command(flatten)]
    pub engine: Engine,
}

impl JobCluster {
    /// The flags that name it again.
    pub fn flags(&self) -> String {
        let mut text = String::new();
        let named = [
            ("context", self.existing.context.clone()),
            (
                "kubeconfig",
                self.existing.kubeconfig.as_ref().map(|path| path.display().to_string()),
            ),
            ("allow-context", self.existing.allow_context.clone()),
            (
                "cluster",
                Some(self.engine.cluster.clone()).filter(|name| name != CLUSTER),
            ),
        ];
        for (flag, value) in named {
            text.extend(value.map(|value| format!(" --{flag} {value}")));
        }
        text
    }
}

/// How a Pod of a Job is started.
#[derive(Debug, Clone, Args)]
pub struct AsJob {
    /// Run as a Pod of this Job, and keep results in the cluster; what `submit` does
    #[arg(long, hide = true, value_name = "NAME", requires = "context", requires = "shards")]
    pub job: Option<String>,
    /// Shards of the Job
    #[arg(long, hide = true, value_name = "N", requires = "job", value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: Option<u16>,
}

#[derive(Debug, Args)]
pub struct Submit {
    /// Only scenarios whose name contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Name of the Job; one of this name that has ended is made again, and goes on where it ended
    #[arg(long, value_name = "NAME", default_value = runner::JOB)]
    pub job: String,
    /// Parts into which the plan is divided, each a Pod
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: u16,
    /// Pods at once, which share the room of the nodes; all when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: Option<u16>,
    /// The harness's image, with the scenarios in it, that the nodes can pull; for the harness's own cluster it is built
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Only scenarios that prove this rule, such as C02 (may be repeated)
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,
    /// Release of the operator that is in the cluster, where its image does not tell
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub operator: Option<Version>,
    /// Release of Ray
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub ray: Option<Version>,
    /// Another name for Ray's image, such as that of a mirror
    #[arg(long, value_name = "IMAGE")]
    pub ray_image: Option<String>,
    /// Cases of a Pod at once, never more than its share of the nodes can hold; 64 when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub place: JobCluster,
    #[command(flatten)]
    pub scenarios: Folder,
}

impl Submit {
    /// What each Pod's `run` is told beside its part.
    pub fn run_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let named = [
            ("--operator", self.operator.as_ref().map(ToString::to_string)),
            ("--ray", self.ray.as_ref().map(ToString::to_string)),
            ("--ray-image", self.ray_image.clone()),
            ("--jobs", self.jobs.map(|jobs| jobs.to_string())),
            (
                "--operator-deployment",
                self.place
                    .existing
                    .operator_deployment
                    .as_ref()
                    .map(ToString::to_string),
            ),
        ];
        for (flag, value) in named {
            arguments.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        arguments.extend(self.rules.iter().flat_map(|rule| ["--rule".to_owned(), rule.clone()]));
        arguments.extend(self.names.iter().cloned());
        arguments
    }
}

#[derive(Debug, Args)]
pub struct Collect {
    /// Name of the Job
    #[arg(long, value_name = "NAME", default_value = runner::JOB)]
    pub job: String,
    /// Wait until the Job has ended
    #[arg(long)]
    pub wait: bool,
    /// How long --wait waits; 6h when absent
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = scenario::parse_duration)]
    pub timeout: Option<Duration>,
    /// Remove the Job and what it kept in the cluster, once the reports are written
    #[arg(long)]
    pub remove: bool,
    /// Where reports and evidence go
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// As `run --strict`
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub place: JobCluster,
}

#[derive(Debug, Args)]
pub struct ImageOf {
    #[command(flatten)]
    pub scenarios: Folder,
    /// Container engine; the first that can build when absent
    #[arg(long, value_name = "ENGINE", value_enum)]
    pub engine: Option<EngineKind>,
    /// Where what it is built on comes from
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t)]
    pub artifacts: Source,
}
