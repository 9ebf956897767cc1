//! The command line's grammar; its texts are what `--help` shows.

mod artifacts;
mod check;
mod choices;
mod cluster;
mod diff;
mod docs;
mod doctor;
mod existing;
mod explain;
mod fuzz;
mod job;
mod manifests;
mod mirrors;
mod operator;
mod ray;
mod rehearse;
mod report;
mod run;
mod scenarios;
mod selection;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub use artifacts::{ArtifactList, ArtifactLock, ArtifactPrune, ArtifactsCommand, ListFormat};
pub use check::{CheckArguments, CheckFormat, FailOn, known};
pub use choices::{
    EngineChoice, EvidenceChoice, FieldValidationChoice, SourceChoice, StatusLevelChoice,
};
pub use cluster::{ClusterArguments, EngineArguments, Size, Stack};
pub use diff::{DiffArguments, DiffFormat};
pub use docs::{Docs, DocsPage, Document};
pub use doctor::{Doctor, DoctorFormat};
pub use existing::{ExistingCluster, InExisting};
pub use explain::{Explain, Format};
pub use fuzz::Fuzz;
pub use job::{AsJob, Collect, ImageOf, JobCluster, Submit};
pub use manifests::{FromCluster, OperatorArguments, gate, variable};
pub use mirrors::{ArtifactSource, Mirrors};
pub use operator::{OperatorBinary, OperatorSource};
pub use ray::OwnRay;
pub use rehearse::{RehearsalFormat, Rehearse};
pub use report::{Compare, CompareFormat, Merge, Publish, ReportCommand, Verify};
pub use run::Run;
pub use scenarios::{Folder, Init, Root, Snapshots};
pub use selection::{OwnTarget, PlanPart, ReleaseArguments, Selection, Targets};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold());

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance run                              scenarios on envtest: a real operator and API server, in seconds
  kuberay-conformance run --operator all               every release
  kuberay-conformance run --target kind                real Pods and a real Ray, on a cluster of its own
  kuberay-conformance run --target kind --keep solution
                                                       scenarios whose name contains `solution`; keep the cluster
  kuberay-conformance run --context kind-mine          an existing cluster, with the operator that runs there
  kuberay-conformance scenario init mine ray.yaml      a scenario of your own
  kuberay-conformance explain raycluster.yaml          what the Pods run; needs no cluster
  kuberay-conformance check manifests/                 what is wrong with manifests; needs no cluster
  kuberay-conformance doctor -A                        what is wrong with the Ray Pods of your cluster
  kuberay-conformance rehearse -A --to 1.7.0           what an upgrade of the operator does to its objects

Exit codes: 0 all passed, 1 a scenario failed, 2 wrong usage or an invalid file, 3 the environment failed, the run was cut
short, no case has a verdict or the output could not be written.";

/// Shows the commands that KubeRay generates for Ray Pods, and tests them on real operators.
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
    /// Print the commands that the operator generates from a manifest, and its traps
    Explain(Box<Explain>),
    /// Find what is wrong with manifests
    Check(Box<CheckArguments>),
    /// Find what is wrong with the Ray Pods of a cluster, without changing it
    Doctor(Box<Doctor>),
    /// Show what an operator upgrade does to a cluster's Ray objects, without changing them
    Rehearse(Box<Rehearse>),
    /// Compare the contract with real operators on generated objects
    Fuzz(Fuzz),
    /// Compare two builds or releases of the operator
    Diff(Box<DiffArguments>),
    /// Create, list or lint scenarios
    #[command(subcommand)]
    Scenario(Scenarios),
    /// Keep a target up between runs
    #[command(subcommand)]
    Cluster(Cluster),
    /// Review, accept or reject pending snapshots
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Merge, compare, publish or verify reports
    #[command(subcommand)]
    Report(ReportCommand),
    /// Run scenarios as a Job in a cluster
    #[command(subcommand)]
    Job(Job),
    /// Show or prune the cache, list what a mirror needs, or lock a Ray release
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
    /// Print shell completions
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
    /// Start a target with its operator and images, and leave it running
    Up(Box<Stack>),
    /// Remove what `cluster up` created
    Down(ClusterArguments),
    /// Print the targets that are up, and the processes that use them
    Status(ClusterArguments),
}

#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Review pending snapshots one by one
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
    /// Write one report from the results of a Job
    Collect(Collect),
    /// Build the image of the harness for `job submit --image`
    Image(ImageOf),
}

/// Returns the command of a command line without the program's name, for tests of commands.
#[cfg(test)]
pub fn parsed(line: &str) -> Command {
    use clap::Parser as _;
    let words = std::iter::once("kuberay-conformance").chain(line.split_whitespace());
    Arguments::try_parse_from(words).unwrap().command
}

#[cfg(test)]
mod tests;
