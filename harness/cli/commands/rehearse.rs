//! `rehearse`: what an upgrade of the operator does to the Ray objects of a cluster, away from it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use semver::Version;

use super::reading::Place;
use super::{colour, input};
use crate::args::ArtifactSource;
use crate::console;
use crate::exit::{CliError, FAILED, PASSED};
use crate::live::{self, Bundle};
use crate::manifest::{self, Diagnostic};
use crate::plan::parse_version;
use crate::rehearse::{self, Fleet, RehearseError, RehearseOptions};
use crate::report::{StatusLevel, rehearsal_markdown, rehearsal_text};
use crate::scenario::OperatorSettings;
use crate::visible;

const EXAMPLES: &str = "\
Examples:
  kuberay-conformance rehearse --to 1.7.0 -A                             every Ray object of the current context
  kuberay-conformance rehearse --to 1.4.2,1.7.0 -n team                  two steps, one namespace
  kuberay-conformance rehearse --to 1.7.0 --bundle bundle.json           what doctor --save-bundle saved
  kuberay-conformance rehearse --to 1.7.0 --from 1.5.2 --objects deploy/ manifests
  kuberay-conformance rehearse --to 1.7.0 -A --keep-crds                 an upgrade that forgets the CRDs, as Helm's does
  kuberay-conformance rehearse --to 1.7.0 -A --format markdown           for a ticket

It gets and lists objects as doctor does, and changes nothing in the cluster. The upgrade happens on an API server on
this machine, on which the real operators run; nothing leaves the machine. No container starts.

Exit codes: 0 nothing to do, 1 review needed, 2 wrong usage, 3 the upgrade could not be rehearsed.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Rehearse {
    /// Release after the upgrade; several, with commas, for an upgrade in steps
    #[arg(long, value_name = "VERSION", value_parser = parse_version, value_delimiter = ',', required = true)]
    pub to: Vec<Version>,
    /// Release before the upgrade; that of the cluster's operator when absent
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    pub from: Option<Version>,
    /// Namespace; that of the context when absent
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with_all = ["all_namespaces", "objects"])]
    pub namespace: Option<String>,
    /// Take the objects of every namespace
    #[arg(short = 'A', long, conflicts_with = "objects")]
    pub all_namespaces: bool,
    /// Context of the kubeconfig; the current one when absent
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bundle", "objects"])]
    pub context: Option<String>,
    /// Kubeconfig; $KUBECONFIG, else ~/.kube/config when absent
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundle", "objects"])]
    pub kubeconfig: Option<PathBuf>,
    /// Take the objects of this bundle of doctor instead of a cluster's
    #[arg(long, value_name = "FILE", conflicts_with = "objects")]
    pub bundle: Option<PathBuf>,
    /// Take the objects of manifests, or of folders with them; `-` reads standard input
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "from")]
    pub objects: Vec<PathBuf>,
    /// Environment variable of the operator after the upgrade; repeatable
    #[arg(long = "operator-env", hide_short_help = true, value_name = "NAME=VALUE", value_parser = crate::args::variable)]
    pub operator_env: Vec<(String, String)>,
    /// Feature gate of the operator after the upgrade, such as `RayCronJob=true`; repeatable
    #[arg(long = "feature-gate", hide_short_help = true, value_name = "NAME=BOOL", value_parser = crate::args::gate)]
    pub feature_gate: Vec<(String, bool)>,
    /// Configuration file of the operator after the upgrade, as its `--config` reads it
    #[arg(long = "operator-config", hide_short_help = true, value_name = "FILE")]
    pub operator_config: Option<PathBuf>,
    /// Leave the custom resource definitions as they are
    #[arg(long)]
    pub keep_crds: bool,
    /// Output format: text, json or markdown
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: RehearsalFormat,
    /// Show every object and every change
    #[arg(long)]
    pub verbose: bool,
    #[command(flatten)]
    pub artifacts: ArtifactSource,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RehearsalFormat {
    /// For people
    Text,
    /// For programs; the schema is docs/schema/rehearsal.schema.json
    Json,
    /// For a ticket
    Markdown,
}

impl From<RehearseError> for CliError {
    fn from(error: RehearseError) -> Self {
        let help = match &error {
            RehearseError::NoObjects => {
                "name a namespace with -n, all of them with -A, or manifests with --objects"
            }
            RehearseError::NoRelease => "such as --from 1.5.2",
            _ if error.is_bad_use() => return Self::bad_use(error),
            _ => return Self::Environment(error.to_string()),
        };
        Self::bad_use(error).with_help(help)
    }
}

pub(super) fn run(options: &Rehearse) -> Result<u8, CliError> {
    let source = options.artifacts.install()?;
    let offline = offline(options)?;
    let report = super::live::block_with(StatusLevel::default(), async |progress, cancel| {
        let mut fleet = if let Some(fleet) = offline {
            fleet
        } else {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RehearseError::Interrupted.into()),
                bundle = read(options, &*progress) => Fleet::of_bundle(&bundle?, "cluster"),
            }
        };
        if options.from.is_some() {
            fleet.from.clone_from(&options.from);
        }
        let target = target(options, &fleet.settings)?;
        let rehearsal = RehearseOptions {
            fleet,
            to: options.to.clone(),
            target,
            keep_crds: options.keep_crds,
            source,
        };
        Ok(rehearse::rehearse(&rehearsal, progress, cancel).await?)
    })?;
    console::text(&match options.format {
        RehearsalFormat::Text => rehearsal_text(&report, options.verbose, colour()),
        RehearsalFormat::Json => {
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            visible::json(&text) + "\n"
        }
        RehearsalFormat::Markdown => rehearsal_markdown(&report),
    });
    Ok(if report.needs_review() {
        FAILED
    } else {
        PASSED
    })
}

/// The objects of a bundle or of manifests.
fn offline(options: &Rehearse) -> Result<Option<Fleet>, CliError> {
    if let Some(file) = &options.bundle {
        let mut bundle = Bundle::load(file)?;
        if let Some(namespace) = &options.namespace {
            bundle.keep_namespace(namespace);
        }
        return Ok(Some(Fleet::of_bundle(&bundle, "bundle")));
    }
    if options.objects.is_empty() {
        return Ok(None);
    }
    let input = input::read(&options.objects, false)?;
    let (mut objects, mut problems) = (Vec::new(), Vec::<Diagnostic>::new());
    for source in &input.sources {
        match manifest::objects(source) {
            Ok(found) => objects.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(CliError::Files(problems));
    }
    Ok(Some(Fleet::of_files(objects)))
}

async fn read(
    options: &Rehearse,
    progress: &dyn crate::report::Progress,
) -> Result<Bundle, CliError> {
    let place = Place {
        context: options.context.as_deref(),
        kubeconfig: options.kubeconfig.as_deref(),
        namespace: options.namespace.as_deref(),
        all_namespaces: options.all_namespaces,
    };
    let (client, scope) = place.connect().await?;
    Ok(live::read(&client, &scope, progress).await?)
}

/// The operator's settings after the upgrade, where the options change something.
fn target(
    options: &Rehearse,
    present: &OperatorSettings,
) -> Result<Option<OperatorSettings>, CliError> {
    let mut settings = present.clone();
    settings.env.extend(options.operator_env.iter().cloned());
    settings
        .feature_gates
        .extend(options.feature_gate.iter().cloned());
    if let Some(path) = &options.operator_config {
        settings.configuration = super::settings::read(path)?;
        for key in ["apiVersion", "kind", "metadata"] {
            settings.configuration.remove(key);
        }
    }
    Ok((settings != *present).then_some(settings))
}
