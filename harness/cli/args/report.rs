//! Arguments of the commands below `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use semver::Version;

use super::Folder;
use super::docs::REPORTS;
use crate::plan;

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Merge the results of several runs of one plan, such as its shards, into one report
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
Exit codes: 0 nothing is newly failing, 1 at least one case is, 2 wrong usage, 3 the newer run was cut short or
has no verdict on any case of the older run, results can't be read, or the page can't be written.
Failures of provisional scenarios are listed but do not count.";

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
Exit codes: 0 the report is written, 2 wrong usage or results that can't be published, 3 the report can't be written.";

#[derive(Debug, Args)]
pub struct Publish {
    /// `results.json` of the run, or the folder that holds it
    #[arg(value_name = "RESULTS", default_value = "output")]
    pub results: PathBuf,
    /// Name of the organization: lower-case letters, digits and dashes
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// Scenarios that count
    #[arg(long, value_enum, default_value_t)]
    pub profile: crate::report::Profile,
    /// KubeRay release to report, if the run has several
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version)]
    pub operator: Option<Version>,
    /// Folder of all reports
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub reports: PathBuf,
}

const VERIFY_EXIT_CODES: &str = "\
Exit codes: 0 the report matches its results and the repeated cases, 1 it does not, 2 wrong usage, 3 the results can't be read or the sample has no verdict.";

#[derive(Debug, Args)]
pub struct Verify {
    /// The published report
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// `results.json` that the report was made from, or the folder that holds it
    #[arg(long, value_name = "RESULTS", default_value = "output")]
    pub results: PathBuf,
    /// Number of cases of the report to run again; 0 runs none
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
