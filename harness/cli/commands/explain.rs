//! `explain`: what a release makes of a manifest, without a cluster.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::files::operators;
use super::input;
use super::settings::Given;
use crate::args::FieldValidation;
use crate::artifact::Pins;
use crate::console;
use crate::contract;
use crate::exit::{CliError, PASSED};
use crate::explain::{self, ExplainError, Operator};
use crate::{plan, visible};

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance explain raycluster.yaml                             on the default release
  kuberay-conformance explain raycluster.yaml --operator 1.3.2,1.6.2      what the upgrade changes, as a difference
  kuberay-conformance explain manifests/                                  every manifest below a folder
  kuberay-conformance explain - --format json < raycluster.yaml           for programs

Exit codes: 0 also where it warns, 2 bad use or a file that can't be explained.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// Manifests with RayClusters, RayJobs or RayServices, or folders; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6.2, a range 1.0.0..1.6.2, `latest` or `all`
    ///
    /// With several releases, the output is what changes from each to the next; --full adds every container.
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Environment variable of the operator, such as `ENABLE_LOGIN_SHELL=true`; repeatable
    #[arg(long = "operator-env", value_name = "NAME=VALUE", value_parser = variable)]
    pub operator_env: Vec<(String, String)>,
    /// Feature gate of the operator, such as `RayCronJob=true`; repeatable
    #[arg(long = "feature-gate", hide_short_help = true, value_name = "NAME=BOOL", value_parser = gate)]
    pub feature_gate: Vec<(String, bool)>,
    /// Configuration file of the operator, as its `--config` reads it
    #[arg(long = "operator-config", hide_short_help = true, value_name = "FILE")]
    pub operator_config: Option<PathBuf>,
    /// Namespace of objects that name none
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// Validation of field names: strict (default), warn or ignore
    ///
    /// kubectl asks for strict: then an unknown field refuses the object. With warn and ignore the API server drops it.
    #[arg(
        long,
        hide_short_help = true,
        value_name = "HOW",
        value_enum,
        default_value = "strict",
        hide_possible_values = true
    )]
    pub field_validation: FieldValidation,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: Format,
    /// Print every container on every release, also where several are compared
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/explain.schema.json
    Json,
}

pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

pub(super) fn gate(text: &str) -> Result<(String, bool), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, "true"));
    if contract::gate(name).is_none() {
        let known: Vec<&str> = contract::GATES.iter().map(|gate| gate.name).collect();
        return Err(format!("the gates are {}", known.join(", ")));
    }
    let value = value.parse().map_err(|_| "write NAME=true or NAME=false")?;
    Ok((name.into(), value))
}

pub(super) fn run(options: &Explain) -> Result<u8, CliError> {
    let input = input::read(&options.files, false)?;
    let releases = operators(options.operator.as_ref())?;
    let given = Given {
        env: &options.operator_env,
        gates: &options.feature_gate,
        configuration: options.operator_config.as_deref(),
        namespace: &options.namespace,
    };
    let settings = given.settings(&releases)?;
    if input.sources.is_empty() {
        let message = "no file mentions ray.io, the API group of KubeRay's objects";
        return Err(CliError::bad_use(message)
            .with_help("name files that hold RayClusters, RayJobs or RayServices"));
    }
    let explained = explain::explain_files(
        &input.sources,
        &releases,
        &settings,
        options.field_validation.into(),
    );
    let mut explanation = explained.map_err(|error| match error {
        ExplainError::File(problems) => CliError::Files(problems.diagnostics().to_vec()),
        error => CliError::bad_use(error),
    })?;
    forget_pinned(&mut explanation.operators, &Pins::embedded());
    let written = match options.format {
        Format::Text if releases.len() > 1 && !options.full => {
            explain::render_upgrade(&explanation)
        }
        Format::Text => explain::render(&explanation),
        Format::Json => {
            visible::json(&serde_json::to_string_pretty(&explanation).unwrap_or_default()) + "\n"
        }
    };
    console::text(&written);
    Ok(PASSED)
}

/// A release that fixtures/versions.yaml pins was run and compared, so nothing about it is unread.
pub(super) fn forget_pinned(operators: &mut [Operator], pins: &Pins) {
    for operator in operators {
        if pins.operator(&operator.release).is_ok() {
            operator.unread = None;
        }
    }
}
