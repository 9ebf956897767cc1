//! `explain`: what a release makes of a manifest, without a cluster.

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::files::operators;
use crate::artifact::Pins;
use crate::console;
use crate::contract::OperatorSettings;
use crate::exit::{CliError, PASSED};
use crate::explain::{self, ExplainError, Explanation};
use crate::{plan, visible};

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance explain raycluster.yaml                             on the default release
  kuberay-conformance explain raycluster.yaml --operator 1.3.2,1.6.2      what the upgrade changes, as a difference
  kuberay-conformance explain - --format json < raycluster.yaml           for programs

Exit codes: 0 also where it warns, 2 bad use or a file that can't be explained.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// Manifest with RayClusters, RayJobs or RayServices; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// KubeRay releases: 1.6.2, a list 1.3.2,1.6.2, a range 1.0.0..1.6.2, `latest` or `all`
    ///
    /// With several releases, the output is what changes from each to the next.
    #[arg(long, value_name = "VERSION")]
    pub operator: Option<plan::Releases>,
    /// Environment variable of the operator, such as `ENABLE_LOGIN_SHELL=true`; repeatable
    #[arg(long = "operator-env", value_name = "NAME=VALUE", value_parser = variable)]
    pub operator_env: Vec<(String, String)>,
    /// Namespace of objects that name none
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/explain.schema.json
    Json,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

pub(super) fn run(options: &Explain) -> Result<u8, CliError> {
    let text = read(&options.file).map_err(|error| {
        CliError::bad_use(format!("cannot read {}: {error}", options.file.display()))
    })?;
    let releases = operators(options.operator.as_ref())?;
    let settings = OperatorSettings {
        env: options.operator_env.iter().cloned().collect(),
        namespace: options.namespace.clone(),
        ..OperatorSettings::default()
    };
    for name in settings.unknown() {
        print_problem!(
            "warning: the operator's variable {name} has no effect on what explain shows; these have: {}",
            OperatorSettings::KNOWN.join(", ")
        );
    }
    let explained = explain::explain(&options.file, &text, &releases, &settings);
    let mut explanation = explained.map_err(|error| match error {
        ExplainError::File(problems) => CliError::Files(problems.diagnostics().to_vec()),
        error => CliError::bad_use(error),
    })?;
    forget_pinned(&mut explanation, &Pins::embedded());
    let written = match options.format {
        Format::Text => explain::render(&explanation),
        Format::Json => {
            visible::json(&serde_json::to_string_pretty(&explanation).unwrap_or_default()) + "\n"
        }
    };
    console::text(&written);
    Ok(PASSED)
}

/// A release that fixtures/versions.yaml pins was run and compared, so nothing about it is unread.
fn forget_pinned(explanation: &mut Explanation, pins: &Pins) {
    for operator in &mut explanation.operators {
        if pins.operator(&operator.release).is_ok() {
            operator.unread = None;
        }
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}
