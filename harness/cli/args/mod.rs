//! The command line's grammar; its texts are what `--help` shows.

mod choices;
mod existing;
mod job;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use semver::Version;

pub use choices::{EngineKind, EvidencePolicy, Source};
pub use existing::{ExistingCluster, InExisting};
pub use job::{AsJob, Collect, ImageOf, JobCluster, Submit};

use crate::commands::{Explain, Fuzz};
use crate::contract;
use crate::operator::Manifests;
use crate::plan::{self, Filter};
use crate::runner::CLUSTER;
use crate::scenario::{self, Level, TargetKind};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold());

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance run                              what needs no cluster: real operator and API server, in seconds
  kuberay-conformance run --operator all               the same on every release
  kuberay-conformance run --target kind                  real Pods and a real Ray, on a cluster of its own
  kuberay-conformance run --target kind --keep solution  scenarios whose name contains `solution`; leave the cluster up
  kuberay-conformance run --context kind-mine          in a cluster that exists, with the operator that is there
  kuberay-conformance run --scenarios my-scenarios     your own folder of scenarios
  kuberay-conformance lint                             is every scenario well-formed? Needs no cluster
  kuberay-conformance review                           look at pending snapshots, one by one

Exit codes: 0 all passed, 1 a scenario failed, 2 bad use or a bad scenario file, 3 the environment failed,
the run was cut short, nothing was judged or the output could not be written.";

/// Proves on a real cluster what KubeRay makes of the commands that users write for Ray Pods.
#[derive(Debug, Parser)]
#[command(name = "kuberay-conformance", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the cluster up, check the scenarios, write the reports, take down what was made
    Run(Box<Run>),
    /// Bring the cluster up, with the operator and the images, and leave it up
    Up(Stack),
    /// Take down exactly what was made
    Down(Place),
    /// Say what is up
    Status(Place),
    /// Keep control planes up; what `up --target envtest` starts in the background
    #[command(hide = true, name = crate::runner::daemon::DAEMON)]
    Keep {
        /// The folder with the daemon's files, by which it is known
        folder: PathBuf,
    },
    /// Run the scenarios as a Job in the cluster itself, in shards; `collect` fetches what they find
    Submit(Box<Submit>),
    /// Make one report of what the Pods of a Job found, with its evidence
    Collect(Collect),
    /// Build the harness's own image, for `submit --image`
    Image(ImageOf),
    /// Check every scenario, its files and its snapshots without a cluster
    Lint(Folder),
    /// Print the cases that would run, and what would not and why
    Plan(Selection),
    /// Go through pending snapshots one by one
    Review(Snapshots),
    /// Accept pending snapshots
    Accept(Snapshots),
    /// Throw pending snapshots away
    Reject(Snapshots),
    /// Work with the reports of runs
    #[command(subcommand)]
    Report(Report),
    /// Print a page of docs/ that is written from rules, scenarios and results
    Docs(Docs),
    /// Say what a release of the operator makes of a manifest, and warn of traps; needs no cluster
    Explain(Explain),
    /// Give generated RayClusters to real operators, and compare what they make of them with the contract
    Fuzz(Fuzz),
    /// Print a JSON schema
    Schema {
        /// Of which document
        #[arg(value_enum)]
        of: Document,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Document {
    /// `scenario.yaml`
    Scenario,
    /// `results.json`
    Results,
    /// What `explain --format json` writes
    Explain,
}

#[derive(Debug, Subcommand)]
pub enum Report {
    /// Make one report of several runs of one plan, such as its shards, and say what is missing
    Merge(Merge),
}

#[derive(Debug, Args)]
pub struct Merge {
    /// `results.json` of each run, or the folder that holds it
    #[arg(value_name = "RESULTS", required = true)]
    pub results: Vec<PathBuf>,
    /// Where the merged reports and the evidence go
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// As `run --strict`
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub struct Docs {
    /// Which page
    #[arg(value_enum, default_value_t)]
    pub page: DocsPage,
    /// `results.json` of a run that the page is written from (may be repeated; the later one counts)
    #[arg(long, value_name = "FILE", default_value = "output/results.json")]
    pub results: Vec<PathBuf>,
    #[command(flatten)]
    pub folder: Folder,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum DocsPage {
    /// docs/reference/contract.md: every rule of the contract with its releases, scenarios and issues
    #[default]
    Contract,
    /// docs/reference/pairs.md: what each scenario of the target kind showed on each pair of releases
    Pairs,
    /// fixtures/durations.yaml: how long each case of the target kind took, by which --shard divides
    Durations,
}

#[derive(Debug, Args)]
pub struct Folder {
    /// Folder that holds a folder for each scenario
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub scenarios: PathBuf,
}

#[derive(Debug, Args)]
pub struct Selection {
    /// Only scenarios whose name contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only scenarios that prove this rule, such as C02 (may be repeated)
    #[arg(long = "rule", value_name = "RULE", value_parser = rule)]
    pub rules: Vec<String>,
    /// Only scenarios of this level (may be repeated)
    #[arg(long = "level", value_name = "LEVEL", value_parser = level)]
    pub levels: Vec<Level>,
    /// Where to run: envtest (the operator and a real API server; no container starts), kind (a real kubelet
    /// and a real Ray), or all; envtest when absent, and kind with --context
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, overrides_with = "targets")]
    pub targets: Option<Targets>,
    /// Also scenarios that begin with an older release of the operator and then replace it, each alone on the cluster
    #[arg(long)]
    pub upgrades: bool,
    #[command(flatten)]
    pub folder: Folder,
    #[command(flatten)]
    pub releases: Releases,
    #[command(flatten)]
    pub part: Part,
}

/// Which part of the plan.
#[derive(Debug, Clone, Args)]
pub struct Part {
    /// Only part I of N, from 1/N to N/N, divided by how long each case took; `report merge` makes one report of them
    #[arg(long, value_name = "I/N")]
    pub shard: Option<plan::Shard>,
    /// `results.json` by which --shard divides, in place of the times that the program knows (may be repeated; the later
    /// one counts)
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub durations: Vec<PathBuf>,
}

/// What one `--target` means.
#[derive(Debug, Clone)]
pub struct Targets(pub Vec<TargetKind>);

#[derive(Debug, Clone, Args)]
pub struct Releases {
    /// Release of the KubeRay operator: one, several with commas, a range such as 1.0.0..1.6.2, `latest` or `all`
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Release of Ray
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub ray: Option<Version>,
    /// Releases of operator and Ray that the target kind runs with each other, such as 1.0.0/2.7.0; several, one after the
    /// other, with commas, or `all` that fixtures/versions.yaml lists
    #[arg(long = "pair", value_name = "OPERATOR/RAY", value_delimiter = ',', conflicts_with_all = ["operator", "ray"])]
    pub pairs: Vec<plan::Pairs>,
}

#[derive(Debug, Clone, Args)]
pub struct Engine {
    /// Container engine; the first that can run kind's nodes when absent
    #[arg(long, value_name = "ENGINE", value_enum)]
    pub engine: Option<EngineKind>,
    /// Name of the kind cluster; another name is another cluster, beside the first
    #[arg(long, value_name = "NAME", default_value = CLUSTER)]
    pub cluster: String,
}

/// How large the kind cluster is.
#[derive(Debug, Clone, Copy, Args)]
pub struct Size {
    /// Nodes of the kind cluster, the control plane included, all of which take Pods; for `run` as many as the selected
    /// scenarios need when absent (3 where there are more than run at once), for `up` 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub nodes: Option<u32>,
}

/// What `down` and `status` look at.
#[derive(Debug, Args)]
pub struct Place {
    #[command(flatten)]
    pub existing: ExistingCluster,
    /// Of which target: envtest, kind, or all
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, default_value = "all", overrides_with = "targets")]
    pub targets: Targets,
    #[command(flatten)]
    pub engine: Engine,
}

#[derive(Debug, Args)]
pub struct Stack {
    /// What to bring up: kind (a cluster), envtest (the operator and a real API server), or all
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, default_value = "kind", overrides_with = "targets")]
    pub targets: Targets,
    #[command(flatten)]
    pub releases: Releases,
    #[command(flatten)]
    pub source: ArtifactSource,
    #[command(flatten)]
    pub engine: Engine,
    #[command(flatten)]
    pub size: Size,
    /// Let the kind cluster's API server write an audit log, which `ci/bench` counts requests in
    #[arg(long, hide = true)]
    pub audit: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ArtifactSource {
    /// Where images and binaries come from
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t)]
    pub artifacts: Source,
    /// In the target kind, run this image as the operator instead of the release's own; the nodes must be able to have it
    #[arg(long, value_name = "IMAGE")]
    pub operator_image: Option<String>,
    /// In the target kind, install the operator from this Helm chart (its folder or archive, of the shape of the public
    /// kuberay-operator) instead of the release's own manifests
    #[arg(long, value_name = "CHART")]
    pub operator_chart: Option<PathBuf>,
    /// Values for --operator-chart, as for `helm --values` (may be repeated)
    #[arg(long, value_name = "FILE", requires = "operator_chart")]
    pub operator_values: Vec<PathBuf>,
    /// In the target kind, install the operator from the kustomization in this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "operator_chart")]
    pub operator_kustomization: Option<PathBuf>,
    /// In envtest, run this program as the operator; --operator says which release it is like
    #[arg(long, value_name = "FILE")]
    pub operator_binary: Option<PathBuf>,
    /// The folder with the CRDs for --operator-binary; those of the release when absent
    #[arg(long, value_name = "DIR", requires = "operator_binary")]
    pub crds: Option<PathBuf>,
}

impl ArtifactSource {
    /// The operator's manifests that the user brings.
    pub fn manifests(&self) -> Option<Manifests> {
        let own = self.operator_kustomization.clone().map(Manifests::Kustomization);
        own.or_else(|| {
            self.operator_chart.clone().map(|chart| Manifests::Chart {
                chart,
                values: self.operator_values.clone(),
            })
        })
    }
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub source: ArtifactSource,
    #[command(flatten)]
    pub engine: Engine,
    #[command(flatten)]
    pub size: Size,
    #[command(flatten)]
    pub existing: ExistingCluster,
    #[command(flatten)]
    pub in_existing: InExisting,
    #[command(flatten)]
    pub as_job: AsJob,
    /// Pick up the run that was ended before, with the same arguments: what passed then, and has not changed since, is not
    /// run again
    #[arg(long)]
    pub resume: bool,
    /// Where reports and evidence go
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// Leave the kind cluster up (`up --target envtest` leaves control planes up)
    #[arg(long)]
    pub keep: bool,
    /// Failures of provisional scenarios fail the run, too, and so does a scenario that passed only when it was tried again
    /// (as it does wherever CI is set) and one for which the cluster is too small
    #[arg(long)]
    pub strict: bool,
    /// When to keep Pods, events, logs and objects as sent
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub evidence: EvidencePolicy,
    /// Cases at once, never more than the nodes can hold; when absent 16 in envtest, one for each processor in
    /// the target kind, and 64 with --context; and then a case that only waits for time to pass lets another begin
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Limit for the whole run, such as 30m; what has not ended by then is told, and what was made is cleaned up all the same
    #[arg(long, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "6h")]
    pub timeout: Duration,
}

#[derive(Debug, Args)]
pub struct Snapshots {
    /// Only snapshots whose path contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub folder: Folder,
    /// Accept even where a snapshot speaks for releases that were not run
    #[arg(long)]
    pub partial: bool,
}

fn rule(text: &str) -> Result<String, String> {
    match contract::rule_of(&text.to_uppercase()) {
        Some(rule) => Ok(rule.id.into()),
        None => Err("a rule is one of C01 to C23, as docs/reference/contract.md lists them".into()),
    }
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "core" => Ok(Level::Core),
        "extended" => Ok(Level::Extended),
        "provisional" => Ok(Level::Provisional),
        _ => Err("use core, extended or provisional".into()),
    }
}

fn targets(text: &str) -> Result<Targets, String> {
    match text {
        "kind" => Ok(Targets(vec![TargetKind::Kind])),
        "envtest" => Ok(Targets(vec![TargetKind::Envtest])),
        "all" => Ok(Targets(vec![TargetKind::Envtest, TargetKind::Kind])),
        _ => Err("use envtest, kind or all".into()),
    }
}

impl Selection {
    /// The targets that were asked for.
    pub fn targets(&self) -> Targets {
        self.targets
            .clone()
            .unwrap_or_else(|| Targets(vec![TargetKind::Envtest]))
    }

    /// What narrows the plan.
    pub fn filter(&self) -> Filter {
        Filter {
            names: self.names.clone(),
            rules: self.rules.clone(),
            levels: self.levels.clone(),
            upgrades: self.upgrades,
        }
    }
}
