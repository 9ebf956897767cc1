//! A manifest becomes what a release of the operator makes of it, with warnings for the traps in
//! it; needs no cluster.
//!
//! ```
//! use std::path::Path;
//!
//! use kuberay_contract::EffectiveSettings;
//! use kuberay_explain::explain;
//!
//! let manifest = r#"
//! apiVersion: ray.io/v1
//! kind: RayCluster
//! metadata:
//!   name: demo
//! spec:
//!   headGroupSpec:
//!     rayStartParams: {}
//!     template:
//!       spec:
//!         containers:
//!         - name: ray-head
//!           image: rayproject/ray:2.52.0
//!           args: ["prepare &"]
//!           resources: {limits: {cpu: "1"}}
//! "#;
//! let releases = ["1.6.2".parse()?];
//! let explanation = explain(Path::new("demo.yaml"), manifest, &releases, &EffectiveSettings::default())?;
//! let warning = &explanation.containers[0].warnings[0];
//! assert_eq!(warning.id.as_str(), "trailing-ampersand");
//! assert_eq!(warning.location.line, 14);
//! assert_eq!(explanation.containers[0].command, ["/bin/bash", "-c", "--"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod check;
mod detect;
mod diff;
mod document;
mod example;
mod objects;
mod refusals;
mod schema;
mod services;
mod shell;
mod template;
#[cfg(test)]
mod tests;
mod warning;

use std::borrow::Cow;
use std::path::Path;

use kuberay_contract::{
    self as contract, ContainerContract, ContainerKind, EffectiveSettings, EnvValue, Forecast,
    ModelError, PodContract, PodRole,
};
use kuberay_manifest::yaml::{self, Node};
use kuberay_manifest::{Cursor, Diagnostic, Diagnostics, Source, at_once};
use semver::Version;
use serde_json::Value;

pub use document::*;
pub use example::TrapExample;
pub use kuberay_contract::FieldValidation;
pub use schema::explain_schema;
pub use shell::{ShellVerdict, shell_verdict};
pub use warning::{TRAPS, Trap};

/// A reason why a file can't be explained.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{ExplainError, explain};
///
/// let settings = EffectiveSettings::default();
/// let error = explain(Path::new("a.yaml"), "kind: Pod\n", &["1.6.2".parse()?], &settings).unwrap_err();
/// assert!(matches!(error, ExplainError::Nothing { .. }), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// A file that is not YAML, or an object that does not have the form of its kind.
    #[error("{0}")]
    File(Diagnostics),
    /// Files without an object to explain.
    #[error("{file} contains no RayCluster, RayJob or RayService{found}; give a file that does")]
    Nothing {
        /// The files, separated by commas.
        file: String,
        /// Objects of KubeRay's kinds in other API groups, in parentheses; empty where there are
        /// none.
        found: String,
    },
    /// A release before KubeRay 1.0.0, where the contract begins.
    #[error("the contract begins with KubeRay 1.0.0, not {release}; give a later release")]
    Release {
        /// The release.
        release: Version,
    },
}

/// Explains the text of a file for one or more releases, sent by a client with strict field
/// validation, such as kubectl.
///
/// `file` is the name in messages; nothing is read from it.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::explain;
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, resources: {limits: {cpu: 1}}}
/// "#;
/// let explanation = explain(Path::new("demo.yaml"), manifest, &["1.6.2".parse()?], &EffectiveSettings::default())?;
/// let head = &explanation.containers[0];
/// assert_eq!(head.command, ["/bin/bash", "-c", "--"]);
/// assert!(head.args[0].contains("ray start --head"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`explain_files`].
pub fn explain(
    file: &Path,
    text: &str,
    releases: &[Version],
    settings: &EffectiveSettings,
) -> Result<Explanation, ExplainError> {
    explain_with(file, text, releases, settings, FieldValidation::Strict)
}

/// Explains the text of a file as [`explain`] does, for a client with another field validation.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{FieldValidation, explain_with};
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo}
/// spec:
///   colour: blue
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, resources: {limits: {cpu: 1}}}
/// "#;
/// let explained = |validation| {
///     let releases = ["1.6.2".parse().unwrap()];
///     explain_with(Path::new("demo.yaml"), manifest, &releases, &EffectiveSettings::default(), validation)
/// };
/// assert!(explained(FieldValidation::Strict)?.containers.is_empty());
/// assert_eq!(explained(FieldValidation::Warn)?.containers.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`explain_files`].
pub fn explain_with(
    file: &Path,
    text: &str,
    releases: &[Version],
    settings: &EffectiveSettings,
    validation: FieldValidation,
) -> Result<Explanation, ExplainError> {
    explain_files(&[Source::new(file, text)], releases, settings, validation)
}

/// Explains files for one or more releases.
///
/// A refused object has refusals and no containers. The traps of an accepted object without
/// containers are among the notes.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_contract::EffectiveSettings;
/// use kuberay_explain::{FieldValidation, explain_files};
/// use kuberay_manifest::Source;
///
/// let manifest = r#"
/// apiVersion: ray.io/v1
/// kind: RayCluster
/// metadata: {name: demo}
/// spec:
///   headGroupSpec:
///     rayStartParams: {}
///     template:
///       spec:
///         containers:
///         - {name: ray-head, image: ray, resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = ["a.yaml", "b.yaml"].map(|name| Source::new(Path::new(name), manifest));
/// let settings = EffectiveSettings::default();
/// let explanation = explain_files(&sources, &["1.6.2".parse()?], &settings, FieldValidation::Strict)?;
/// assert_eq!(explanation.files, ["a.yaml", "b.yaml"]);
/// assert_eq!(explanation.containers.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// - [`ExplainError::Release`] if a release is older than KubeRay 1.0.0.
/// - [`ExplainError::Nothing`] if no file holds an object of KubeRay.
/// - [`ExplainError::File`] if a file is not YAML, or an object is malformed and yet not refused.
pub fn explain_files(
    sources: &[Source],
    releases: &[Version],
    settings: &EffectiveSettings,
    validation: FieldValidation,
) -> Result<Explanation, ExplainError> {
    reached(releases)?;
    let files: Vec<String> = sources
        .iter()
        .map(|source| source.path.display().to_string())
        .collect();
    let mut explanation = Explanation {
        version: VERSION.into(),
        file: files.first().cloned().unwrap_or_default(),
        files,
        operators: releases.iter().map(operator).collect(),
        refusals: Vec::new(),
        waiting: Vec::new(),
        breaks: Vec::new(),
        containers: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
    };
    let (mut all, mut strangers) = (Vec::new(), Vec::new());
    for (source, objects) in sources.iter().zip(at_once(sources.iter().collect(), read)) {
        let objects = objects.map_err(|problems| ExplainError::File(problems.into()))?;
        let begin = begin_of(source, sources.len());
        let mut notes = objects.notes;
        notes.extend(
            objects
                .strangers
                .iter()
                .map(|one| (one.object.line, one.why.clone())),
        );
        notes.sort_by_key(|(line, _)| *line);
        strangers.extend(objects.strangers.into_iter().map(|one| one.why));
        let notes = notes.into_iter();
        explanation
            .notes
            .extend(notes.map(|(line, why)| format!("{begin}line {line}: {why}")));
        all.extend(objects.found.into_iter().map(|found| (source, found)));
    }
    let explained = !all.is_empty();
    let outcomes = at_once(all, |(source, found)| {
        let json = found.json();
        let outcomes = releases
            .iter()
            .map(|release| of_object(source, &found, &json, release, settings, validation));
        let outcomes = outcomes.collect::<Result<Vec<_>, _>>();
        outcomes.map(|outcomes| (begin_of(source, sources.len()), outcomes))
    });
    for outcomes in outcomes {
        let (begin, outcomes) =
            outcomes.map_err(|problem| ExplainError::File(vec![problem].into()))?;
        explanation.add(outcomes, &begin);
    }
    if !explained {
        let file = explanation.files.join(", ");
        let found = strangers.join("; ");
        let found = if found.is_empty() {
            found
        } else {
            format!(" ({found})")
        };
        return Err(ExplainError::Nothing { file, found });
    }
    explanation.breaks = refusals::breaks(releases, &explanation.refusals);
    explanation.changes = diff::changes(releases, &explanation.containers);
    Ok(explanation)
}

/// The begin of a note about a file: its name, where there are several.
fn begin_of(source: &Source, files: usize) -> String {
    if files > 1 {
        format!("{}, ", source.path.display())
    } else {
        String::new()
    }
}

/// Checks that the contract reaches every release.
fn reached(releases: &[Version]) -> Result<(), ExplainError> {
    match releases.iter().find(|release| release.major == 0) {
        Some(release) => Err(ExplainError::Release {
            release: release.clone(),
        }),
        None => Ok(()),
    }
}

/// Reads the objects of a file.
fn read(source: &Source) -> Result<objects::Objects, Vec<Diagnostic>> {
    let documents = yaml::parse(source).map_err(|problems| {
        template::in_file(source).map_or(problems, |template| vec![template])
    })?;
    objects::of(source, documents).map_err(|problem| vec![problem])
}

/// The outcome of an object on a release.
struct ReleaseOutcome {
    refusals: Vec<ExplainedRefusal>,
    waiting: Vec<Waiting>,
    /// Those of the Pods that come.
    containers: Vec<Container>,
    /// Of an object without containers.
    warnings: Vec<Warning>,
}

impl Explanation {
    /// Adds what each release makes of an object. A warning that is about no container is a note,
    /// once for all releases, behind the name of its file in `begin`.
    fn add(&mut self, outcomes: Vec<ReleaseOutcome>, begin: &str) {
        let first = self.notes.len();
        for outcome in outcomes {
            self.refusals.extend(outcome.refusals);
            self.waiting.extend(outcome.waiting);
            self.containers.extend(outcome.containers);
            for one in outcome.warnings {
                let line = one.location.line;
                let note = format!("{begin}line {line}: {}: {}", one.id, one.message);
                if !self.notes[first..].contains(&note) {
                    self.notes.push(note);
                }
            }
        }
    }
}

/// Returns the outcome of an object on a release.
fn of_object(
    source: &Source,
    found: &objects::RayObject,
    json: &Value,
    release: &Version,
    settings: &EffectiveSettings,
    validation: FieldValidation,
) -> Result<ReleaseOutcome, Diagnostic> {
    let forecast = |settings: &EffectiveSettings| {
        contract::forecast(release, settings, validation, json)
            .map_err(|error| problem(source, found.written(), &error))
    };
    let mut given = forecast(settings)?;
    let (refusals, mut waiting) = refusals_and_waiting(found, release, &mut given, validation);
    let pods = match found.settings(settings) {
        Cow::Borrowed(_) => given.pods,
        Cow::Owned(settings) => forecast(&settings)?.pods,
    };
    let containers = containers_of(source, found, release, settings, &pods);
    let mut warnings = Vec::new();
    let comes = |one: &ExplainedRefusal| !one.refused || one.missing != MissingPods::All;
    if waiting.is_empty() && refusals.iter().all(comes) {
        let all = of_bare_job(source, found, release, &containers).into_iter();
        let (unknown, others): (Vec<_>, Vec<_>) =
            all.partition(|one| one.id == warning::SUBMISSION_MODE_UNKNOWN.id);
        warnings.extend(others);
        waiting.extend(unknown.into_iter().map(|one| Waiting {
            operator: release.clone(),
            object: found.object.clone(),
            path: one.path,
            location: one.location,
            message: one.message,
            source: "controllers/ray/rayjob_controller.go:211 @v1.4.2".into(),
        }));
    }
    Ok(ReleaseOutcome {
        refusals,
        waiting,
        containers,
        warnings,
    })
}

/// The traps of a RayJob without Pods: it selects a RayCluster, and has no submitter either.
fn of_bare_job(
    source: &Source,
    found: &objects::RayObject,
    release: &Version,
    containers: &[Container],
) -> Vec<Warning> {
    let job = Cursor::root(&found.node);
    let spec = job.get("spec");
    let selects = spec.is_some_and(|spec| !spec.entries("clusterSelector").is_empty());
    if !selects || !containers.is_empty() {
        return Vec::new();
    }
    let mut warnings = detect::of_job(release, &source.text, &job);
    for warning in &mut warnings {
        warning.path = found.path(&warning.path);
    }
    warnings
}

/// Returns the reasons why a release makes no Pods of an object, or not all of them.
fn refused(
    source: &Source,
    found: &objects::RayObject,
    json: &Value,
    release: &Version,
    settings: &EffectiveSettings,
    validation: FieldValidation,
) -> Result<(Vec<ExplainedRefusal>, Vec<Waiting>), Diagnostic> {
    let forecast = |settings: &EffectiveSettings| {
        contract::forecast_without_pods(release, settings, validation, json)
            .map_err(|error| problem(source, found.written(), &error))
    };
    let mut given = forecast(settings)?;
    if let Cow::Owned(settings) = found.settings(settings) {
        forecast(&settings)?;
    }
    Ok(refusals_and_waiting(found, release, &mut given, validation))
}

/// Returns the refusals and the reasons to wait of a forecast, without refusals of texts that are
/// filled in later.
fn refusals_and_waiting(
    found: &objects::RayObject,
    release: &Version,
    given: &mut Forecast,
    validation: FieldValidation,
) -> (Vec<ExplainedRefusal>, Vec<Waiting>) {
    let written = found.written();
    if found.holes {
        given
            .refusals
            .retain(|one| !refusals::is_about_hole(written, &one.path));
    }
    refusals::of(release, written, &found.object, given, validation)
}

/// The containers of Pods, with the traps in what makes them.
fn containers_of(
    source: &Source,
    found: &objects::RayObject,
    release: &Version,
    settings: &EffectiveSettings,
    pods: &[PodContract],
) -> Vec<Container> {
    let mut made = containers(
        release,
        settings,
        &source.text,
        &found.node,
        &found.object,
        pods,
    );
    found.relocate(&mut made);
    made
}

fn operator(release: &Version) -> ExplainedOperator {
    let class = contract::class_of(release);
    ExplainedOperator {
        release: release.clone(),
        class: class.name.into(),
        provisional: class.provisional,
        unverified: contract::unverified(release),
        flags_are_ordered: contract::flags_are_ordered(release),
    }
}

/// A malformed object at the deepest place of its path that the file has.
fn problem(source: &Source, document: &Node, error: &ModelError) -> Diagnostic {
    let ModelError::Field { path, .. } = error else {
        return source.error(&document.place, error.to_string());
    };
    let mut node = document;
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        let next = match part.parse::<usize>() {
            Ok(index) => node.items().get(index),
            Err(_) => node.get(part),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    source.error(&node.place, error.to_string())
}

fn containers(
    release: &Version,
    settings: &EffectiveSettings,
    source: &str,
    document: &Node,
    object: &Object,
    pods: &[PodContract],
) -> Vec<Container> {
    let root = Cursor::root(document);
    let spec = match object.kind.as_str() {
        "RayJob" | "RayCronJob" => root.find(&["spec", "rayClusterSpec"]),
        "RayService" => root.find(&["spec", "rayClusterConfig"]),
        _ => root.get("spec"),
    };
    let groups = spec
        .as_ref()
        .map(|spec| spec.items("workerGroupSpecs"))
        .unwrap_or_default();
    let head = spec.as_ref().and_then(|spec| spec.get("headGroupSpec"));
    let mut workers = groups.into_iter();
    let mut all = Vec::new();
    for pod in pods {
        let group = match pod.role {
            PodRole::Head => head.clone(),
            // Groups without Pods are left out.
            PodRole::Worker => workers.find(|group| {
                group
                    .get("groupName")
                    .is_some_and(|name| name.text() == pod.group)
            }),
            PodRole::Submitter => None,
        };
        for container in pod.all() {
            let role = match (container.kind, pod.role) {
                (ContainerKind::Ray, PodRole::Worker) => ContainerRole::Worker,
                (ContainerKind::Ray, _) => ContainerRole::Head,
                (ContainerKind::Autoscaler, _) => ContainerRole::Autoscaler,
                (ContainerKind::Init, _) => ContainerRole::Init,
                (ContainerKind::Submitter, _) => ContainerRole::Submitter,
                (ContainerKind::User, _) => continue,
            };
            let warnings = match (role, &group) {
                (ContainerRole::Head | ContainerRole::Worker, Some(group)) => {
                    detect::of_group(&detect::Group {
                        release,
                        settings,
                        object: root.clone(),
                        group: group.clone(),
                        source,
                        ray: container,
                    })
                }
                (ContainerRole::Autoscaler, _) => {
                    let options = spec.as_ref().and_then(|spec| spec.get("autoscalerOptions"));
                    detect::of_autoscaler(release, options.as_ref())
                }
                (ContainerRole::Submitter, _) => {
                    detect::of_submitter(release, source, container, &root)
                }
                _ => Vec::new(),
            };
            all.push(entry(
                release, object, role, &pod.group, container, warnings,
            ));
        }
    }
    all
}

fn entry(
    release: &Version,
    object: &Object,
    role: ContainerRole,
    group: &str,
    contract: &ContainerContract,
    warnings: Vec<Warning>,
) -> Container {
    let texts = contract
        .env
        .iter()
        .filter_map(|variable| match &variable.value {
            EnvValue::Text(text) => Some(text),
            EnvValue::From(_) => None,
        });
    let exact = contract
        .args
        .iter()
        .chain(texts)
        .all(contract::Text::is_exact);
    let variable = |variable: &contract::EnvVar| {
        let (value, value_from) = match &variable.value {
            EnvValue::Text(text) => (Some(text.to_string()), None),
            EnvValue::From(from) => (None, Some(from.clone())),
        };
        Variable {
            name: variable.name.clone(),
            value,
            value_from,
            injected: variable.injected,
        }
    };
    Container {
        operator: release.clone(),
        object: object.clone(),
        role,
        group: group.into(),
        container: contract.name.clone(),
        command: contract.command.clone(),
        args: contract.args.iter().map(ToString::to_string).collect(),
        exact,
        env: contract.env.iter().map(variable).collect(),
        features: contract
            .features
            .iter()
            .map(|feature| feature.entry().name.into())
            .collect(),
        warnings,
    }
}
