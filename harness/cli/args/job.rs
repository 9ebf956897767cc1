//! Arguments of `job submit`, `job collect` and `job image`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use semver::Version;

use super::{ArtifactSource, EngineArguments, EngineChoice, ExistingCluster, Folder};
use crate::plan;
use crate::provider::CLUSTER;
use crate::runner;
use crate::scenario;

/// The cluster of a Job: one that exists, else that of the harness.
#[derive(Debug, Clone, Args)]
pub struct JobCluster {
    #[command(flatten)]
    pub engine: EngineArguments,
    #[command(flatten)]
    pub existing: ExistingCluster,
}

impl JobCluster {
    /// The flags that name it again.
    pub fn flags(&self) -> String {
        let mut text = String::new();
        let named = [
            ("context", self.existing.context.clone()),
            (
                "kubeconfig",
                self.existing
                    .kubeconfig
                    .as_ref()
                    .map(|path| path.display().to_string()),
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
    /// Run as a Pod of this Job, as `job submit` starts it
    #[arg(
        long,
        hide = true,
        value_name = "NAME",
        requires = "context",
        requires = "shards"
    )]
    pub job: Option<String>,
    /// Shards of the Job
    #[arg(long, hide = true, value_name = "N", requires = "job", value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: Option<u16>,
}

#[derive(Debug, Args)]
pub struct Submit {
    /// Select scenarios whose name contains one of these
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub names: Vec<String>,
    /// Name of the Job; if it exists and has ended, the new Job continues it
    #[arg(long, value_name = "NAME", default_value = runner::JOB)]
    pub job: String,
    /// Number of shards, each a Pod
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: u16,
    /// Number of Pods that run at once and share the capacity of the nodes; default: all
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: Option<u16>,
    /// Image of the harness, which the nodes must be able to pull; default on kind: built for you
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Select scenarios that prove this rule, such as C02; repeatable
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,
    /// KubeRay release in the cluster, if the image of its operator does not name it
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub operator: Option<Version>,
    /// Ray release
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub ray: Option<Version>,
    /// Name of the Ray image, such as a mirror's
    #[arg(long, hide_short_help = true, value_name = "IMAGE")]
    pub ray_image: Option<String>,
    /// Number of cases that each Pod runs at once; default: 64
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub scenarios: Folder,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
    #[command(flatten)]
    pub place: JobCluster,
}

impl Submit {
    /// Returns the arguments of each Pod's `run` beside its shard.
    pub fn run_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let named = [
            (
                "--operator",
                self.operator.as_ref().map(ToString::to_string),
            ),
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
        arguments.extend(
            self.rules
                .iter()
                .flat_map(|rule| ["--rule".to_owned(), rule.clone()]),
        );
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
    /// Time limit of --wait; default: 6h
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = scenario::parse_duration)]
    pub timeout: Option<Duration>,
    /// Remove the Job and its results from the cluster, once the reports are written
    #[arg(long)]
    pub remove: bool,
    /// Folder for reports and evidence
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// Fail for the same cases as `run --strict`
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub place: JobCluster,
}

#[derive(Debug, Args)]
pub struct ImageOf {
    #[command(flatten)]
    pub scenarios: Folder,
    /// Container engine; default: the first that can build images
    #[arg(long, value_name = "ENGINE", value_enum)]
    pub engine: Option<EngineChoice>,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
}
