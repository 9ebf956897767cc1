//! An upgrade of the operator, away from its cluster: real operators on an API server of the
//! harness work on the same objects, one release after the other.
//!
//! - `fleet`: what is rehearsed. `prepare`: the objects as they are created.
//! - `upgrade_server`, `world`, `log`: the API server, what its watches show, what an operator
//!   looked at.
//! - `stage`: the steps of an upgrade. `compare`, `model`: pure functions over what was seen.
//! - `document`: the report.

mod compare;
pub mod document;
mod fleet;
mod log;
mod model;
mod prepare;
mod stage;
mod upgrade_server;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;
use semver::Version;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::document::{PodChange, RehearsalReport, VERSION};
use self::stage::Stage;
use self::upgrade_server::Tools;
use crate::artifact::{ArtifactError, Pins, SourcePolicy};
use crate::check::Observation;
use crate::compare::observe;
use crate::contract::ConfigurationError;
use crate::operator::{ObjectError, OperatorError};
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::results::Outcome;
use crate::scenario::OperatorSettings;
use crate::target::ClusterError;

pub use document::schema;
pub use fleet::Fleet;

/// The task that progress is reported for.
const TASK: &str = "rehearse";

/// Kind, namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ObjectKey {
    kind: String,
    namespace: String,
    name: String,
}

/// The objects and releases to rehearse.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// The objects and their operator.
    pub fleet: Fleet,
    /// The releases, in the order of the upgrades.
    pub to: Vec<Version>,
    /// Settings of the operator after the upgrade; those from before where absent.
    pub target: Option<OperatorSettings>,
    /// Leave the custom resource definitions as they are.
    pub keep_crds: bool,
    /// Where programs come from.
    pub source: SourcePolicy,
}

/// A reason why an upgrade can't be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// There is nothing to rehearse.
    #[error("there is no Ray object to rehearse")]
    NoObjects,
    /// The release before is not known.
    #[error("failed to find the release of the current operator; set it with --from")]
    NoRelease,
    /// The step is none.
    #[error("{to} is older than {from}; an upgrade needs a newer release")]
    Order {
        /// The release before.
        from: Version,
        /// The release after.
        to: Version,
    },
    /// A release that the harness does not know.
    #[error(transparent)]
    UnknownRelease(#[from] kuberay_conformance_pins::UnknownRelease),
    /// Settings that can't be used.
    #[error("failed to read the operator's settings: {0}")]
    Settings(#[from] ConfigurationError),
    /// A program can't be had.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The API server can't be started.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The operator can't be started.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// An object can't be sent.
    #[error("failed to prepare the rehearsal: {0}")]
    Object(#[from] ObjectError),
    /// The API server of the rehearsal does not answer as it should.
    #[error("failed at {doing} {what} in the rehearsal: {source}")]
    Api {
        /// What was being done.
        doing: &'static str,
        /// To what.
        what: String,
        /// What went wrong.
        source: Box<kube::Error>,
    },
    /// A file of a release can't be read, or none written.
    #[error("failed at {doing} {path}: {source}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A program of the rehearsal ended.
    #[error("a program of the rehearsal ended by itself: {0}")]
    Ended(String),
    /// Somebody interrupted it.
    #[error("the rehearsal was interrupted; it affected only its own processes")]
    Interrupted,
}

impl RehearseError {
    /// Whether the arguments are to blame.
    pub fn is_bad_use(&self) -> bool {
        matches!(
            self,
            Self::NoObjects
                | Self::NoRelease
                | Self::Order { .. }
                | Self::UnknownRelease(_)
                | Self::Settings(_)
        )
    }
}

fn api(doing: &'static str, what: &str) -> impl FnOnce(kube::Error) -> RehearseError {
    let what = what.to_owned();
    move |source| RehearseError::Api {
        doing,
        what,
        source: Box::new(source),
    }
}

/// Rehearses an upgrade.
///
/// # Errors
/// When there is nothing to rehearse, or a program of the rehearsal can't be had or ends.
pub async fn rehearse(
    options: &RehearseOptions,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<RehearsalReport, RehearseError> {
    let started = Instant::now();
    let from = options.fleet.check()?;
    let pins = Pins::embedded();
    let mut before = &from;
    pins.operator(before)?;
    for to in &options.to {
        pins.operator(to)?;
        if to < before {
            let (from, to) = (before.clone(), to.clone());
            return Err(RehearseError::Order { from, to });
        }
        before = to;
    }
    let tools = Tools::open(options.source, &progress)?;
    let work = async {
        progress.update(TASK, &format!("preparing KubeRay {from}"));
        let first = tools.release(&from).await?;
        let mut releases = Vec::new();
        for to in &options.to {
            progress.update(TASK, &format!("preparing KubeRay {to}"));
            releases.push(tools.release(to).await?);
        }
        progress.update(TASK, "starting an API server");
        let server = tools.server(&first).await?;
        Ok::<_, RehearseError>((server, first, releases))
    };
    let (server, first, releases) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(RehearseError::Interrupted),
        prepared = work => prepared?,
    };
    let mut stage = Stage::new(server, options, &*progress);
    let done = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(RehearseError::Interrupted),
        done = stage.run(&first, &releases) => done,
    };
    let fleet = &options.fleet;
    let target = options.target.as_ref().unwrap_or(&fleet.settings);
    let mut report = RehearsalReport {
        version: VERSION.into(),
        origin: fleet.origin.clone(),
        from: from.to_string(),
        to: options.to.iter().map(ToString::to_string).collect(),
        settings: fleet.settings.listed(),
        target_settings: target.listed(),
        kept_crds: options.keep_crds,
        left_out: fleet.left_out.clone(),
        notes: fleet.notes.clone(),
        unread: fleet.unread.clone(),
        ..RehearsalReport::default()
    };
    stage.stop(&mut report).await;
    report.steps = done?;
    mask(&mut report, fleet);
    report.seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    progress.finish(TASK, Outcome::Passed, "rehearsed the upgrade");
    Ok(report)
}

/// Returns how the Pods of a RayCluster that one release created differ from those of another, as
/// the report of a rehearsal lists it.
pub fn pod_changes(cluster: &Value, sides: [(Vec<Pod>, &Version); 2]) -> Vec<PodChange> {
    let releases = [sides[0].1, sides[1].1];
    let observed = sides.map(|(pods, release)| {
        let seen = Observation {
            pods,
            ray_clusters: vec![cluster.clone()],
            ..Observation::default()
        };
        let name = cluster["metadata"]["name"].as_str().unwrap_or_default();
        compare::of_one(observe(&seen, &[], release), name)
    });
    compare::changes(&observed[0], &observed[1], releases, is_annotated(cluster))
}

/// Masks the secrets of the objects in the report, by value and by their form.
fn mask(report: &mut RehearsalReport, fleet: &Fleet) {
    let redactor = Redactor::of_process();
    for object in fleet.objects.iter().chain(&fleet.others) {
        redactor.learn(object);
    }
    let Ok(mut value) = serde_json::to_value(&*report) else {
        return;
    };
    redactor.redact_value(&mut value);
    if let Ok(masked) = serde_json::from_value::<RehearsalReport>(value) {
        *report = masked;
    }
}

/// Whether an object carries the overwrite annotation, on itself or on a template.
fn is_annotated(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key("ray.io/overwrite-container-cmd")
                || fields.values().any(is_annotated)
        }
        Value::Array(items) => items.iter().any(is_annotated),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
