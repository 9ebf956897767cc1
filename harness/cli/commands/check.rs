//! `check`: what is wrong with manifests, without a cluster.

#[cfg(test)]
mod tests;

use semver::Version;

use super::explain::forget_pinned;
use super::files::operators;
use super::{OUT_OF_SCOPE, colour, config, from_cluster, input, secrets};
use crate::args::{CheckArguments, CheckFormat, FailOn};
use crate::artifact::Pins;
use crate::console;
use crate::contract;
use crate::exit::{BAD_USE, CliError, FAILED, PASSED};
use crate::explain::check::{self, Ignore, Options, trap};
use crate::manifest::Source;
use crate::plan::Releases;
use crate::report::{
    Look, check_annotations, check_concise, check_flat, check_junit, check_sarif, check_text,
    trap_page,
};
use crate::visible;

pub(super) fn run(options: &CheckArguments) -> Result<u8, CliError> {
    if let Some(id) = &options.explain {
        return explain(id);
    }
    let config = config::read(options.config.as_deref())?;
    let releases = releases(options, config.operator.as_ref())?;
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
    let redactor = secrets::redactor(&sources);
    let report = secrets::redacted(report, &redactor);
    if !matches!(options.format, CheckFormat::Text) {
        // The text has them itself, and the other forms have no place for them.
        for reason in report
            .operators
            .iter()
            .filter_map(|one| one.unverified.as_ref())
        {
            print_problem!("warning: {reason}");
        }
    }
    let look = Look {
        colour: colour(),
        full: options.full,
    };
    console::text(&match options.format {
        CheckFormat::Text => {
            check_text(&report, &secrets::covered(&sources, &redactor), look)
                + &left_out(skipped)
                + OUT_OF_SCOPE
        }
        CheckFormat::Json => json(&report),
        CheckFormat::Concise => check_concise(&report),
        CheckFormat::Sarif => json(&check_sarif(
            &check_flat(report.clone()),
            env!("CARGO_PKG_VERSION"),
        )),
        CheckFormat::Github => {
            check_annotations(&check_flat(report.clone()), &super::environment_variable)
        }
        CheckFormat::Junit => check_junit(&check_flat(report.clone()))?,
    });
    let fail_on = options
        .fail_on
        .or(config.fail_on)
        .unwrap_or(FailOn::Warning);
    Ok(exit_code(&report, fail_on))
}

/// Returns the releases of the arguments, else those of the configuration; empty where neither
/// names one.
fn releases(
    options: &CheckArguments,
    configured: Option<&Releases>,
) -> Result<Vec<Version>, CliError> {
    match (&options.from, &options.to) {
        (Some(from), Some(to)) if from < to => Ok(vec![from.clone(), to.clone()]),
        (Some(from), Some(to)) => Err(CliError::bad_use(format!(
            "--from {from} is not before --to {to}"
        ))
        .with_help("an upgrade needs a newer release than the current one")),
        _ => match options.operator.operator.as_ref().or(configured) {
            Some(named) => operators(Some(named)),
            None => Ok(Vec::new()),
        },
    }
}

fn exit_code(report: &check::CheckReport, fail_on: FailOn) -> u8 {
    if report.is_unreadable() {
        BAD_USE
    } else if fail_on.counts(report.worst()) {
        FAILED
    } else {
        PASSED
    }
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
