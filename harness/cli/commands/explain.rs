//! `explain`: what a release makes of a manifest, without a cluster.

#[cfg(test)]
mod tests;

use semver::Version;

use super::files::operators;
use super::{OUT_OF_SCOPE, from_cluster, input, secrets};
use crate::args::{Explain, Format};
use crate::artifact::Pins;
use crate::console;
use crate::contract;
use crate::exit::{CliError, PASSED};
use crate::explain::{self, ExplainError, Explanation};
use crate::manifest::Source;
use crate::report::{explain_text, upgrade_text};
use crate::visible;

pub(super) fn run(options: &Explain) -> Result<u8, CliError> {
    let given = match &options.operator.operator {
        Some(named) => operators(Some(named))?,
        None => Vec::new(),
    };
    let mut explanation = if options.from_cluster.context.is_some() {
        live(options, &given)?
    } else {
        let releases = if given.is_empty() {
            operators(None)?
        } else {
            given
        };
        of_files(options, &releases)?
    };
    // The releases of several operators of a cluster are no upgrade.
    let by_operator = options.from_cluster.context.is_some() && options.operator.operator.is_none();
    forget_pinned(&mut explanation.operators, &Pins::embedded());
    let written = match options.format {
        Format::Text if explanation.operators.len() > 1 && !options.full && !by_operator => {
            upgrade_text(&explanation) + OUT_OF_SCOPE
        }
        Format::Text => explain_text(&explanation) + OUT_OF_SCOPE,
        Format::Json => {
            visible::json(&serde_json::to_string_pretty(&explanation).unwrap_or_default()) + "\n"
        }
    };
    console::text(&written);
    Ok(PASSED)
}

/// Explains files.
fn of_files(options: &Explain, releases: &[Version]) -> Result<Explanation, CliError> {
    let input = input::read(&options.files, false)?;
    let settings = options.operator.settings(releases)?;
    if input.sources.is_empty() {
        let message = "no file mentions ray.io, the API group of KubeRay's objects";
        return Err(CliError::bad_use(message)
            .with_help("name files that hold RayClusters, RayJobs or RayServices"));
    }
    let validation = options.operator.field_validation.into();
    explained(&input.sources, releases, &settings, validation)
}

/// Explains the objects of a cluster, each for the operator that works on it.
fn live(options: &Explain, given: &[Version]) -> Result<Explanation, CliError> {
    let groups = from_cluster::read(&options.from_cluster, &options.operator, given)?;
    // What is stored has passed its client.
    let validation = contract::FieldValidation::Ignore;
    let all = groups
        .into_iter()
        .map(|(group, releases)| explained(&group.sources, &releases, &group.settings, validation));
    Ok(Explanation::together(all.collect::<Result<Vec<_>, _>>()?))
}

fn explained(
    sources: &[Source],
    releases: &[Version],
    settings: &contract::EffectiveSettings,
    validation: contract::FieldValidation,
) -> Result<Explanation, CliError> {
    let explained = explain::explain_files(sources, releases, settings, validation);
    let explained = explained.map_err(|error| match error {
        ExplainError::File(problems) => CliError::Files(problems.diagnostics().to_vec()),
        error => CliError::bad_use(error),
    })?;
    Ok(secrets::redacted(explained, &secrets::redactor(sources)))
}

/// A release that fixtures/versions.yaml pins was run and compared, so it is verified.
pub(super) fn forget_pinned(operators: &mut [explain::ExplainedOperator], pins: &Pins) {
    for operator in operators {
        if pins.operator(&operator.release).is_ok() {
            operator.unverified = None;
        }
    }
}
