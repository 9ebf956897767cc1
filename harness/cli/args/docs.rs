//! Arguments of `docs` and `schema`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Folder;

/// The folder of published reports where none is named.
pub(super) const REPORTS: &str = "conformance/reports";

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
