//! The command line's grammar; its texts are what `--help` shows.

mod artifacts;
mod check;
mod choices;
mod diff;
mod doctor;
mod existing;
mod explain;
mod fuzz;
mod job;
mod manifests;
mod mirrors;
mod rehearse;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use semver::Version;

pub use artifacts::{ArtifactList, ArtifactLock, ArtifactPrune, ArtifactsCommand, ListFormat};
pub use check::{CheckArguments, CheckFormat, FailOn, known};
pub use choices::{EngineChoice, EvidenceChoice, FieldValidation, SourceChoice, StatusLevelChoice};
pub use diff::{DiffArguments, DiffFormat};
pub use doctor::{Doctor, DoctorFormat};
pub use existing::{ExistingCluster, InExisting};
pub use explain::{Explain, Format};
pub use fuzz::Fuzz;
pub use job::{AsJob, Collect, ImageOf, JobCluster, Submit};
pub use manifests::{FromCluster, OperatorArguments, gate, variable};
pub use mirrors::{ArtifactSource, Mirrors};
pub use rehearse::{RehearsalFormat, Rehearse};

use crate::artifact::{Store, built_in_scenarios};
use crate::contract;
use crate::exit::CliError;
use crate::operator::Manifests;
use crate::plan::{self, Filter};
use crate::provider::{CLUSTER, CustomOperator, EnvtestSpec, OperatorProgram};
use crate::scenario::{self, Level, TargetKind};

/// The folder of scenarios where none is named.
const SCENARIOS: &str = "scenarios";
/// The folder of published reports where none is named.
const REPORTS: &str = "conformance/reports";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold());

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance run                              envtest: the real operator and API server, in seconds
  kuberay-conformance run --operator all               every release
  kuberay-conformance run --target kind                real Pods and a real Ray, on a cluster of its own
  kuberay-conformance run --target kind --keep solution
                                                       scenarios whose name contains `solution`; keep the cluster
  kuberay-conformance run --context kind-mine          an existing cluster, with the operator that runs there
  kuberay-conformance scenario init mine ray.yaml      a scenario of your own
  kuberay-conformance explain raycluster.yaml          what the Pod runs; needs no cluster
  kuberay-conformance check manifests/                 what is wrong with manifests; needs no cluster
  kuberay-conformance doctor -A                        what is wrong with the Ray Pods of your cluster
  kuberay-conformance rehearse -A --to 1.7.0           what an upgrade of the operator does to its objects

Exit codes: 0 all passed, 1 a scenario failed, 2 wrong usage or an invalid file, 3 the environment failed, the run was cut
short, no case has a verdict or the output could not be written.";

/// Shows and proves the commands that KubeRay runs in Ray Pods.
#[derive(Debug, Parser)]
#[command(name = "kuberay-conformance", version, styles = STYLES, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios on a target and write the reports
    ///
    /// Brings the target up, runs the cases, writes the reports, and removes what it created.
    Run(Box<Run>),
    /// Print the cases that would run, with the reason for each target
    Plan(Selection),
    /// Print the commands that the operator makes of a manifest, and its traps
    Explain(Box<Explain>),
    /// Find what is wrong with manifests
    Check(Box<CheckArguments>),
    /// Find what is wrong with the Ray Pods of a cluster; only reads
    Doctor(Box<Doctor>),
    /// Show what an upgrade of the operator does to the Ray objects of a cluster; only reads
    Rehearse(Box<Rehearse>),
    /// Compare the contract with real operators on generated objects
    Fuzz(Fuzz),
    /// Compare two operators with each other
    Diff(Box<DiffArguments>),
    /// Create, list or check scenarios
    #[command(subcommand)]
    Scenario(Scenarios),
    /// Keep a target up between runs
    #[command(subcommand)]
    Cluster(Cluster),
    /// Review, accept or reject pending snapshots
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Merge, compare or publish the reports of runs
    #[command(subcommand)]
    Report(ReportCommand),
    /// Run scenarios as a Job in a cluster
    #[command(subcommand)]
    Job(Job),
    /// Show what the cache holds, and what mirrors must hold
    #[command(subcommand)]
    Artifacts(ArtifactsCommand),
    /// Print a generated page of the documentation
    #[command(hide = true)]
    Docs(Docs),
    /// Print a JSON schema
    #[command(hide = true)]
    Schema {
        /// The document that the schema describes
        #[arg(value_enum)]
        of: Document,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write a man page of each command into a folder
    #[command(hide = true)]
    Man {
        /// Folder to write to; created if missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Keep envtest up in the background of `cluster up`
    #[command(hide = true, name = crate::provider::daemon::DAEMON)]
    Daemon {
        /// The folder with the daemon's files
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Scenarios {
    /// Create a scenario from manifests
    ///
    /// The manifests may be the output of `kubectl get … -o yaml`. The scenario compares what the
    /// operator writes into each Pod with snapshots, which the first run records.
    Init(Init),
    /// Print each scenario with its rules and requirements
    List(Folder),
    /// Check scenarios, their manifests and their snapshots without a cluster
    Lint(Folder),
}

#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Bring a target up, with operator and images, and leave it up
    Up(Box<Stack>),
    /// Remove what `cluster up` created
    Down(ClusterArguments),
    /// Print the targets that are up, and the processes that use them
    Status(ClusterArguments),
}

#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Go through pending snapshots one by one
    Review(Snapshots),
    /// Accept pending snapshots
    Accept(Snapshots),
    /// Delete pending snapshots
    Reject(Snapshots),
}

#[derive(Debug, Subcommand)]
pub enum Job {
    /// Submit a Job that runs the scenarios in shards
    Submit(Box<Submit>),
    /// Write one report of the results of a Job
    Collect(Collect),
    /// Build the image of the harness for `job submit --image`
    Image(ImageOf),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Document {
    /// `scenario.yaml`
    Scenario,
    /// `results.json`
    Results,
    /// What `explain --format json` writes
    Explain,
    /// What `check --format json` writes
    Check,
    /// What `diff --format json` writes
    Diff,
    /// What `doctor --format json` writes
    Doctor,
    /// What `report publish` writes
    ConformanceReport,
    /// What `rehearse --format json` writes
    Rehearsal,
}

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Make one report of several runs of one plan, such as its shards
    Merge(Merge),
    /// Compare two runs: newly failing, fixed, slower, new and gone cases
    #[command(after_long_help = COMPARE_EXIT_CODES)]
    Compare(Compare),
    /// Publish a conformance report of a run
    #[command(after_long_help = PUBLISH_EXIT_CODES)]
    Publish(Publish),
    /// Check a published report against its results, and run a sample of its cases again
    #[command(after_long_help = VERIFY_EXIT_CODES)]
    Verify(Verify),
}

const COMPARE_EXIT_CODES: &str = "\
Exit codes: 0 nothing is newly failing, 1 at least one case is, 2 wrong usage, 3 results can't be read or the page can't be
written. Failures of provisional scenarios are listed and do not count.";

#[derive(Debug, Args)]
pub struct Compare {
    /// `results.json` of the older run, or the folder that holds it
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// `results.json` of the newer run, or the folder that holds it
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Format of standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: CompareFormat,
    /// Also write the newer run's page with the comparison to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

const PUBLISH_EXIT_CODES: &str = "\
Exit codes: 0 the report is written, 2 wrong usage or results of which no report can be made, 3 it can't be written.";

#[derive(Debug, Args)]
pub struct Publish {
    /// `results.json` of the run, or the folder that holds it
    #[arg(value_name = "RESULTS", default_value = "output")]
    pub results: PathBuf,
    /// Name of the publishing team: lower-case letters, digits and dashes
    #[arg(long, value_name = "NAME")]
    pub who: String,
    /// Scenarios that count
    #[arg(long, value_enum, default_value_t)]
    pub profile: crate::report::Profile,
    /// KubeRay release to report, where the run has several
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub operator: Option<Version>,
    /// Folder of all reports
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub reports: PathBuf,
}

const VERIFY_EXIT_CODES: &str = "\
Exit codes: 0 the report is true, 1 it is not, 2 wrong usage, 3 the results can't be read or the sample has no verdict.";

#[derive(Debug, Args)]
pub struct Verify {
    /// The published report
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// `results.json` that it was made of, or the folder that holds it
    #[arg(long, value_name = "RESULTS", default_value = "output")]
    pub results: PathBuf,
    /// Number of its cases to run again; 0 runs none
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub sample: usize,
    /// Operator binary of the run, if it used one; its digest must match the report
    #[arg(long, value_name = "FILE")]
    pub operator_binary: Option<PathBuf>,
    /// Folder with the CRDs for --operator-binary; those of the release when absent
    #[arg(long, value_name = "DIR", requires = "operator_binary")]
    pub crds: Option<PathBuf>,
    #[command(flatten)]
    pub folder: Folder,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum CompareFormat {
    /// For a terminal
    #[default]
    Text,
    /// For a comment on a pull request
    Markdown,
}

#[derive(Debug, Args)]
pub struct Merge {
    /// `results.json` of each run, or the folder that holds it
    #[arg(value_name = "RESULTS", required = true)]
    pub results: Vec<PathBuf>,
    /// Folder for the merged reports and the evidence
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,
    /// Fail for the same cases as `run --strict`
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub struct Docs {
    /// The page
    #[arg(value_enum, default_value_t)]
    pub page: DocsPage,
    /// Results of a run to write the page from; repeatable, the last file counts
    #[arg(long, value_name = "FILE", default_value = "output/results.json")]
    pub results: Vec<PathBuf>,
    /// Folder of published reports to write the page `programme` from
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub reports: PathBuf,
    #[command(flatten)]
    pub folder: Folder,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DocsPage {
    /// docs/reference/contract.md: every rule of the contract with its releases, scenarios and
    /// issues
    #[default]
    Contract,
    /// docs/reference/pairs.md: results of each kind scenario on each pair of releases
    Pairs,
    /// docs/reference/programme.md: the reports that others published
    Programme,
    /// docs/reference/checks.md: the keys of each check
    Checks,
    /// docs/reference/cli.md: every command with its options
    Cli,
    /// docs/reference/schemas.md: the documents that have a schema
    Schemas,
    /// fixtures/durations.yaml: duration of each kind case; --shard uses them
    Durations,
}

#[derive(Debug, Args)]
pub struct Folder {
    /// Folder of scenarios, or of one scenario
    ///
    /// When absent: the folder `scenarios` here, else the built-in scenarios.
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
}

/// The folder that the scenarios are read from.
#[derive(Debug, Clone)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// Whether its scenarios are part of the program.
    pub built_in: bool,
}

impl Folder {
    /// Returns the folder that was given, else `scenarios` here, else that of the built-in
    /// scenarios.
    ///
    /// # Errors
    /// When the built-in scenarios can't be unpacked into the cache.
    pub fn root(&self) -> Result<Root, CliError> {
        let own = self.scenarios.clone().or_else(|| {
            let here = PathBuf::from(SCENARIOS);
            here.is_dir().then_some(here)
        });
        if let Some(path) = own {
            let built_in = false;
            return Ok(Root { path, built_in });
        }
        let unpacked = Store::open().and_then(|store| built_in_scenarios(store.root()));
        Ok(Root {
            path: unpacked.map_err(|error| CliError::Environment(error.to_string()))?,
            built_in: true,
        })
    }
}

impl std::fmt::Display for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.built_in {
            f.write_str("the built-in scenarios")
        } else {
            write!(f, "{}", self.path.display())
        }
    }
}

#[derive(Debug, Args)]
pub struct Init {
    /// Name of the scenario and of its folder
    pub name: String,
    /// Manifests: files or folders, or `-` for standard input
    #[arg(value_name = "MANIFEST", required = true)]
    pub manifests: Vec<PathBuf>,
    /// Folder to create the scenario's folder in
    #[arg(long, value_name = "DIR", default_value = SCENARIOS)]
    pub scenarios: PathBuf,
}

#[derive(Debug, Args)]
pub struct Selection {
    /// Select scenarios whose name contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Select scenarios that prove this rule, such as C02; repeatable
    #[arg(long = "rule", value_name = "RULE", value_parser = rule)]
    pub rules: Vec<String>,
    /// Select scenarios of this level: core, extended or provisional; repeatable
    #[arg(long = "level", hide_short_help = true, value_name = "LEVEL", value_parser = level)]
    pub levels: Vec<Level>,
    /// Target: envtest (default), kind or all
    ///
    /// envtest is the operator and a real API server; no container starts. kind is a cluster with a
    /// kubelet and a real Ray. With --context the target is that cluster.
    #[arg(long = "target", value_name = "TARGET", value_parser = targets, overrides_with = "targets")]
    pub targets: Option<Targets>,
    /// Include scenarios that upgrade the operator
    ///
    /// They begin with an older release and replace it. Each runs alone on the cluster.
    #[arg(long, hide_short_help = true)]
    pub upgrades: bool,
    /// Add the cases that a cheaper target would serve
    ///
    /// Without it a case runs on the cheapest target that meets its requirements.
    #[arg(long, hide_short_help = true)]
    pub all: bool,
    #[command(flatten)]
    pub folder: Folder,
    #[command(flatten)]
    pub releases: ReleaseArguments,
    #[command(flatten)]
    pub part: Part,
}

/// Which part of the plan.
#[derive(Debug, Clone, Args)]
pub struct Part {
    /// Run part I of N; `report merge` makes one report of all parts
    ///
    /// Parts take about the same time, by the recorded durations of the cases.
    #[arg(long, hide_short_help = true, value_name = "I/N")]
    pub shard: Option<plan::Shard>,
    /// Results with the durations that --shard uses; repeatable, the last file counts
    #[arg(long, hide_short_help = true, value_name = "FILE", requires = "shard")]
    pub durations: Vec<PathBuf>,
}

/// What one `--target` means.
#[derive(Debug, Clone)]
pub struct Targets(pub Vec<TargetKind>);

#[derive(Debug, Clone, Args)]
pub struct ReleaseArguments {
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6, a range 1.0.0..1.6.2, `latest` or `all`
    ///
    /// `1.6` is the newest patch release of 1.6. When absent: the newest release whose module can
    /// be downloaded. In a range or `all`, a release that can't be downloaded is skipped. If you
    /// name it, this is an error.
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Ray release
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub ray: Option<Version>,
    /// Pairs of KubeRay and Ray releases for kind, such as 1.0.0/2.7.0, or `all`
    ///
    /// Separate pairs with commas. `all` means the pairs in fixtures/versions.yaml.
    #[arg(long = "pair", hide_short_help = true, value_name = "OPERATOR/RAY", value_delimiter = ',', conflicts_with_all = ["operator", "ray"])]
    pub pairs: Vec<plan::Pairs>,
}

#[derive(Debug, Clone, Args)]
pub struct EngineArguments {
    /// Container engine; when absent, Docker if it can run kind's nodes, else podman
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
    /// All nodes accept Pods, also the control plane. When absent: 3 for `cluster up`; for `run` as
    /// many as the scenarios need, or 3 if there are more cases than run at once.
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
    pub engine: EngineArguments,
    #[command(flatten)]
    pub size: Size,
    /// Time limit, such as 30m
    #[arg(long, hide_short_help = true, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "2h")]
    pub timeout: Duration,
    /// Let the kind cluster's API server write an audit log, which `ci/bench` counts requests in
    #[arg(long, hide = true)]
    pub audit: bool,
}

/// Where programs and images come from, and the operator that takes the place of a release's own.
#[derive(Debug, Clone, Args)]
pub struct OperatorSource {
    #[command(flatten)]
    pub artifacts: ArtifactSource,
    /// Image of the operator on kind, in place of the release's own
    ///
    /// The nodes must be able to pull it.
    #[arg(long, hide_short_help = true, value_name = "IMAGE")]
    pub operator_image: Option<String>,
    /// Helm chart of the operator on kind, as a folder or archive
    ///
    /// The chart must be structured like KubeRay's public chart kuberay-operator.
    #[arg(long, hide_short_help = true, value_name = "CHART")]
    pub operator_chart: Option<PathBuf>,
    /// Values file for --operator-chart; repeatable
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FILE",
        requires = "operator_chart"
    )]
    pub operator_values: Vec<PathBuf>,
    /// Kustomization of the operator on kind
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        conflicts_with = "operator_chart"
    )]
    pub operator_kustomization: Option<PathBuf>,
    #[command(flatten)]
    pub binary: OperatorBinary,
}

/// A program that takes the place of the release's own operator on envtest.
#[derive(Debug, Clone, Args)]
pub struct OperatorBinary {
    /// Operator binary for envtest; --operator names the release that it is compared with
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub operator_binary: Option<PathBuf>,
    /// Folder with the CRDs for --operator-binary; those of the release when absent
    #[arg(
        long,
        hide_short_help = true,
        value_name = "DIR",
        requires = "operator_binary"
    )]
    pub crds: Option<PathBuf>,
}

impl OperatorBinary {
    /// Returns the program; none where the release's own is to run.
    pub fn program(&self) -> Option<OperatorProgram> {
        let program = self.operator_binary.clone()?;
        Some(OperatorProgram {
            program,
            crds: self.crds.clone(),
        })
    }
}

impl OperatorSource {
    /// Returns envtest with these programs.
    pub fn envtest(&self) -> EnvtestSpec {
        EnvtestSpec {
            source: self.artifacts.source(),
            operator: self.binary.program(),
            supervisor: None,
        }
    }

    /// Returns how the operator in a cluster differs from its release's own.
    pub fn custom_operator(&self) -> CustomOperator {
        CustomOperator {
            image: self.operator_image.clone(),
            manifests: self.manifests(),
        }
    }

    /// The operator's manifests that the user brings.
    fn manifests(&self) -> Option<Manifests> {
        let own = self
            .operator_kustomization
            .clone()
            .map(Manifests::Kustomization);
        own.or_else(|| {
            self.operator_chart.clone().map(|chart| Manifests::Chart {
                chart,
                values: self.operator_values.clone(),
            })
        })
    }
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct Run {
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub source: OperatorSource,
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
    /// Provisional scenarios come from sources only. A flaky case passes on its second attempt. If
    /// CI is set, it fails the run also without --strict. An unscheduled case did not fit into the
    /// cluster.
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
    /// only waits for time to pass then lets another begin.
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Time limit of the whole run, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = scenario::parse_duration, default_value = "6h")]
    pub timeout: Duration,
    #[command(flatten)]
    pub existing: ExistingCluster,
    #[command(flatten)]
    pub in_existing: InExisting,
    #[command(flatten)]
    pub as_job: AsJob,
}

#[derive(Debug, Args)]
pub struct Snapshots {
    /// Select snapshots whose path contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub folder: Folder,
    /// Replace snapshots also for releases that were not run
    #[arg(long)]
    pub partial: bool,
}

fn rule(text: &str) -> Result<String, String> {
    match contract::rule_of(&text.to_uppercase()) {
        Some(rule) => Ok(rule.id.into()),
        None => Err(format!(
            "a rule is one of {}, as docs/reference/contract.md lists them",
            contract::rule_range()
        )),
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
            all: self.all,
        }
    }
}

#[cfg(test)]
mod tests;
