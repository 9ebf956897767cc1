//! `check`: what is wrong with manifests, without a cluster.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use semver::Version;
use serde::Deserialize;

use super::explain::forget_pinned;
use super::files::operators;
use super::{colour, config, from_cluster, input};
use crate::args::{FromCluster, OperatorArguments};
use crate::artifact::Pins;
use crate::console;
use crate::contract;
use crate::exit::{BAD_USE, CliError, FAILED, PASSED};
use crate::explain::check::{self, Ignore, Look, Options, trap};
use crate::explain::trap_page;
use crate::manifest::{Severity, Source};
use crate::report::{check_annotations, check_junit};
use crate::{plan, visible};

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance check manifests/                          every manifest below a folder
  helm template my-chart | kuberay-conformance check -          what a chart renders
  kustomize build overlays/prod | kuberay-conformance check -   what a kustomization builds
  kuberay-conformance check . --format sarif > results.sarif    for code scanning
  kuberay-conformance check . --from 1.3.2 --to 1.6.2           what an upgrade changes for each object
  kuberay-conformance check --context prod -A                   the objects of a cluster, for the operator that runs there
  kuberay-conformance check --explain trailing-ampersand        the page of a trap

Files without an object of KubeRay's are left out. kuberay-conformance.toml, found upwards from the working directory,
holds operator, select, ignore and fail-on, and the mirrors of other commands; the annotation kuberay-conformance.io/ignore names ids for one object.

Exit codes: 0 nothing found at the level of --fail-on, 1 something found, 2 wrong usage or a file that can't be read, 3 the cluster
can't be read.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CheckArguments {
    /// Manifests, folders or patterns such as `**/*.yaml`; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["explain", "context"])]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub from_cluster: FromCluster,
    #[command(flatten)]
    pub operator: OperatorArguments,
    /// Older release of an upgrade; lists changed features and their impact
    ///
    /// Only findings that the upgrade brings are reported. The impact is none, cosmetic, review (counts as a warning) or
    /// breaks (counts as an error).
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version, requires = "to", conflicts_with = "operator")]
    pub from: Option<Version>,
    /// Release after the upgrade
    #[arg(long, value_name = "VERSION", value_parser = plan::parse_version, requires = "from")]
    pub to: Option<Version>,
    /// Output format: text, concise, json, sarif, github or junit
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: CheckFormat,
    /// Lowest severity that exits 1: error, warning (default), note or never
    #[arg(long, value_name = "SEVERITY", value_enum, hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// Report only findings with these ids; errors are always reported
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = known)]
    pub select: Vec<String>,
    /// Leave out findings with these ids
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = known)]
    pub ignore: Vec<String>,
    /// Configuration file [default: kuberay-conformance.toml, searched upwards]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the page of a trap
    #[arg(long, value_name = "TRAP", conflicts_with_all = ["files", "context"])]
    pub explain: Option<String>,
    /// Print long values in full
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckFormat {
    /// For people, with the lines of the file
    Text,
    /// One line for each finding
    Concise,
    /// For programs; the schema is docs/schema/check.schema.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// `JUnit` XML
    Junit,
}

/// The lowest severity that makes `check` exit with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    Warning,
    /// Everything
    Note,
    /// Nothing
    Never,
}

impl FailOn {
    fn counts(self, worst: Option<Severity>) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
            Self::Never => return false,
        };
        worst.is_some_and(|worst| worst <= least)
    }
}

/// Returns the id of a finding, or what it could have been.
pub(super) fn known(word: &str) -> Result<String, String> {
    let word = word.trim();
    if check::is_id(word) {
        return Ok(word.into());
    }
    let near = check::nearest(word).map(|near| format!("did you mean `{near}`? "));
    Err(format!(
        "no finding has the id `{word}`; {}docs/reference/traps/README.md lists them",
        near.unwrap_or_default()
    ))
}

pub(super) fn run(options: &CheckArguments) -> Result<u8, CliError> {
    if let Some(id) = &options.explain {
        return explain(id);
    }
    let config = config::read(options.config.as_deref())?;
    let releases = match (&options.from, &options.to) {
        (Some(from), Some(to)) if from < to => vec![from.clone(), to.clone()],
        (Some(from), Some(to)) => {
            return Err(
                CliError::bad_use(format!("--from {from} is not before --to {to}"))
                    .with_help("an upgrade goes from an older release to a newer one"),
            );
        }
        _ => match options
            .operator
            .operator
            .as_ref()
            .or(config.operator.as_ref())
        {
            Some(named) => operators(Some(named))?,
            None => Vec::new(),
        },
    };
    let of_command_line = options.ignore.iter().map(|id| Ignore {
        id: id.clone(),
        origin: None,
    });
    let rules = Options {
        select: if options.select.is_empty() {
            config.select
        } else {
            options.select.clone()
        },
        ignore: of_command_line.chain(config.ignore).collect(),
        upgrade: options.from.is_some(),
        ..Options::default()
    };
    let (mut report, sources, skipped) = if options.from_cluster.context.is_some() {
        let (report, sources) = live(options, &releases, &rules)?;
        (report, sources, 0)
    } else {
        let input = input::read(&options.files, true)?;
        let releases = if releases.is_empty() {
            operators(None)?
        } else {
            releases
        };
        let rules = Options {
            settings: options.operator.settings(&releases)?,
            releases,
            validation: options.operator.field_validation.into(),
            ..rules
        };
        let report = check::check(&input.sources, &rules).map_err(CliError::bad_use)?;
        (report, input.sources, input.skipped)
    };
    forget_pinned(&mut report.operators, &Pins::embedded());
    if !matches!(options.format, CheckFormat::Text) {
        // The text has them itself, and the other forms have no place for them.
        for reason in report
            .operators
            .iter()
            .filter_map(|one| one.unread.as_ref())
        {
            print_problem!("warning: {reason}");
        }
    }
    let look = Look {
        colour: colour(),
        full: options.full,
    };
    console::text(&match options.format {
        CheckFormat::Text => report.text(&sources, look) + &left_out(skipped),
        CheckFormat::Json => json(&report),
        CheckFormat::Concise => report.concise(),
        CheckFormat::Sarif => json(&report.clone().flat().sarif(env!("CARGO_PKG_VERSION"))),
        CheckFormat::Github => {
            check_annotations(&report.clone().flat(), &super::environment_variable)
        }
        CheckFormat::Junit => check_junit(&report.clone().flat())?,
    });
    let fail_on = options
        .fail_on
        .or(config.fail_on)
        .unwrap_or(FailOn::Warning);
    Ok(if report.is_unreadable() {
        BAD_USE
    } else if fail_on.counts(report.worst()) {
        FAILED
    } else {
        PASSED
    })
}

/// The findings in the objects of a cluster, each for the operator that works on it.
fn live(
    options: &CheckArguments,
    given: &[Version],
    rules: &Options,
) -> Result<(check::CheckReport, Vec<Source>), CliError> {
    let groups = from_cluster::read(&options.from_cluster, &options.operator, given)?;
    let mut sources = Vec::new();
    let mut reports = Vec::new();
    for (group, releases) in groups {
        let rules = Options {
            releases,
            settings: group.settings,
            // What is stored has passed its client.
            validation: contract::FieldValidation::Ignore,
            ..rules.clone()
        };
        reports.push(check::check(&group.sources, &rules).map_err(CliError::bad_use)?);
        sources.extend(group.sources);
    }
    Ok((check::CheckReport::together(reports), sources))
}

fn json(value: &impl serde::Serialize) -> String {
    visible::json(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

fn left_out(skipped: usize) -> String {
    match skipped {
        0 => String::new(),
        1 => "1 file does not mention ray.io and was left out\n".into(),
        many => format!("{many} files do not mention ray.io and were left out\n"),
    }
}

/// Prints the page of a trap.
fn explain(id: &str) -> Result<u8, CliError> {
    let Some(trap) = trap(id) else {
        let near = check::nearest(id).filter(|near| trap(near).is_some());
        let help = match near {
            Some(near) => {
                format!("did you mean `{near}`? docs/reference/traps/README.md lists all")
            }
            None => "docs/reference/traps/README.md lists all".into(),
        };
        return Err(CliError::bad_use(format!("no trap has the id `{id}`")).with_help(help));
    };
    console::text(&trap_page(trap));
    Ok(PASSED)
}
