//! `check`: the problems of manifests, as findings with a position, a severity and a text to write
//! instead.
//!
//! ```
//! use std::path::Path;
//!
//! use kuberay_explain::check::{Options, check};
//! use kuberay_manifest::Source;
//!
//! let manifest = r#"
//! apiVersion: ray.io/v1
//! kind: RayCluster
//! metadata: {name: demo}
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
//! let sources = [Source::new(Path::new("demo.yaml"), manifest)];
//! let options = Options::new(vec!["1.6.2".parse()?]);
//! let report = check(&sources, &options)?;
//! assert_eq!(report.findings[0].id, "trailing-ampersand");
//! assert_eq!(report.findings[0].line, 13);
//! assert_eq!(report.findings[0].column, 27);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod ids;
mod ignore;
mod impact;
mod region;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::BTreeMap;
use std::path::Path;

use kuberay_contract::{self as contract, EffectiveSettings, FieldValidation, Stage};
use kuberay_manifest::{Diagnostic, Location, Source, at_once};
use semver::Version;

use super::document::{Container, ContainerRole, ExplainedRefusal, Object, Waiting};
use super::objects::{KINDS, Objects, RayObject};
use super::warning::{AUTOSCALER_COMMAND_IGNORED, GROUP_FIELD_IGNORED, TRAPS, Trap};
use super::{ExplainError, containers_of, of_bare_job, operator, reached, read, refused};

pub use crate::objects::ANNOTATION;
pub use document::*;
pub use ids::{IDS, Other, is_id, nearest};
pub use ignore::Ignore;
pub use impact::Impact;

/// The releases to check for, the settings of their operator, and the findings to report.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Options, check};
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
///         - {name: ray-head, image: ray, args: ["prepare &"], resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = [Source::new(Path::new("demo.yaml"), manifest)];
/// let options = Options {
///     select: vec!["errexit".into()],
///     ..Options::new(vec!["1.6.2".parse()?])
/// };
/// assert!(check(&sources, &options)?.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The releases; a finding names those that it holds for.
    pub releases: Vec<Version>,
    /// Settings of the operator; those of a default installation by default.
    pub settings: EffectiveSettings,
    /// The validation of unknown fields that the client asks for; strict by default, as kubectl's.
    pub validation: FieldValidation,
    /// Ids of the findings to report; every id where empty. Errors are always reported.
    pub select: Vec<String>,
    /// Findings to leave out.
    pub ignore: Vec<Ignore>,
    /// `true` to compare the first with the last release: only findings that the upgrade brings are
    /// reported, and the changes for each object. `false` by default.
    pub upgrade: bool,
}

impl Options {
    /// Returns the options for releases, with the operator's default settings.
    ///
    /// ```
    /// use kuberay_explain::FieldValidation;
    /// use kuberay_explain::check::Options;
    ///
    /// let options = Options::new(vec!["1.6.2".parse()?]);
    /// assert_eq!(options.validation, FieldValidation::Strict);
    /// assert!(options.select.is_empty());
    /// # Ok::<(), semver::Error>(())
    /// ```
    pub fn new(releases: Vec<Version>) -> Self {
        Self {
            releases,
            ..Self::default()
        }
    }
}

/// Checks files, and reports their problems in the order of files and lines.
///
/// A file that is not YAML and a malformed object are findings as well.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Options, check};
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
///         - {name: ray-head, image: ray, args: ["prepare &"], resources: {limits: {cpu: 1}}}
/// "#;
/// let sources = [Source::new(Path::new("demo.yaml"), manifest)];
/// let report = check(&sources, &Options::new(vec!["1.6.2".parse()?]))?;
/// assert_eq!(report.findings[0].id, "trailing-ampersand");
/// assert_eq!(report.findings[0].line, 11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExplainError::Release`] if a release is older than KubeRay 1.0.0.
pub fn check(sources: &[Source], options: &Options) -> Result<CheckReport, ExplainError> {
    reached(&options.releases)?;
    let mut report = CheckReport {
        version: VERSION.into(),
        operators: options.releases.iter().map(operator).collect(),
        files: sources
            .iter()
            .map(|source| source.path.display().to_string())
            .collect(),
        objects: 0,
        findings: Vec::new(),
        upgrades: Vec::new(),
        notes: Vec::new(),
    };
    let mut ignores = ignore::Ignores::new(options);
    for group in groups(sources) {
        let read = at_once(group.iter().collect(), read);
        let mut all = Vec::new();
        let mut files = Vec::new();
        for (source, objects) in group.iter().zip(read) {
            let objects = objects.map(|mut objects| {
                let found = std::mem::take(&mut objects.found);
                let count = found.len();
                all.extend(found.into_iter().map(|one| (source, one)));
                (objects, count)
            });
            files.push((source, objects));
        }
        let mut checked = at_once(all, |(source, one)| object(source, &one, options)).into_iter();
        for (source, objects) in files {
            match objects {
                Ok((objects, count)) => {
                    outside(source, objects, options, &mut ignores, &mut report);
                    for one in checked.by_ref().take(count) {
                        one.add_to(&mut report, &mut ignores);
                    }
                }
                Err(problems) => report
                    .findings
                    .extend(problems.iter().map(|problem| unreadable(source, problem))),
            }
        }
    }
    report.findings.extend(ignores.unused());
    Ok(report)
}

/// The files in groups of about this many bytes: those of a group are checked at once, and only
/// theirs are in memory.
const GROUP: usize = 1 << 20;

fn groups(sources: &[Source]) -> Vec<&[Source]> {
    let mut groups = Vec::new();
    let mut rest = sources;
    while !rest.is_empty() {
        let mut bytes = 0;
        let count = rest.iter().take_while(|source| {
            let fits = bytes < GROUP;
            bytes += source.text.len();
            fits
        });
        let (group, others) = rest.split_at(count.count());
        groups.push(group);
        rest = others;
    }
    groups
}

/// Adds what is said about a file outside of KubeRay's objects.
fn outside(
    source: &Source,
    objects: Objects,
    options: &Options,
    ignores: &mut ignore::Ignores,
    report: &mut CheckReport,
) {
    let file = source.path.display().to_string();
    let notes = objects.notes.into_iter();
    report
        .notes
        .extend(notes.map(|(line, why)| format!("{file}:{line}: {why}")));
    for stranger in objects.strangers {
        let place = region::region(source, &stranger.node);
        let mut finding = match stranger.refused {
            None => finding(Other::NotKuberay, &file, place, stranger.why),
            Some(refused) => CheckFinding {
                help: Some(format!("the kinds of KubeRay are {}", KINDS.join(", "))),
                operators: options.releases.clone(),
                ..finding(
                    Other::RefusedByClient,
                    &file,
                    place,
                    format!("kubectl refuses this: {refused}"),
                )
            },
        };
        finding.object = Some(stranger.object);
        report.findings.extend(ignores.keep(finding, None));
    }
}

/// The problems of one object, including ignored ones.
struct Checked {
    object: Object,
    own: ignore::Own,
    findings: Vec<CheckFinding>,
    upgrade: Option<ObjectUpgrade>,
}

impl Checked {
    fn add_to(mut self, report: &mut CheckReport, ignores: &mut ignore::Ignores) {
        report.objects += 1;
        report.upgrades.extend(self.upgrade);
        self.findings
            .retain(|finding| ignores.keeps(finding, Some(&self.own)));
        self.findings
            .sort_by_key(|finding| (finding.line, finding.column));
        report.findings.append(&mut self.findings);
        let unused = self.own.unused(&self.object.file, &self.object, ignores);
        report.findings.extend(unused);
    }
}

/// The findings of one object on all releases, each once.
fn object(source: &Source, one: &RayObject, options: &Options) -> Checked {
    let mut found = Vec::new();
    let mut at = BTreeMap::new();
    let mut made: Vec<Vec<Container>> = Vec::new();
    let json = one.json();
    let settings = &options.settings;
    for release in &options.releases {
        let refused = refused(source, one, &json, release, settings, options.validation);
        let containers = match refused {
            Ok((refusals, waiting)) => {
                for refusal in &refusals {
                    let finding = of_refusal(one, refusal);
                    merge(finding, release, None, &mut found, &mut at);
                }
                for waiting in &waiting {
                    let finding = of_waiting(one, waiting);
                    merge(finding, release, None, &mut found, &mut at);
                }
                // What is refused has traps all the same, and both are to be mended at once.
                contract::predict(release, &one.settings(settings), &json)
                    .map(|pods| containers_of(source, one, release, settings, &pods))
                    .unwrap_or_default()
            }
            Err(problem) => {
                let mut finding = malformed(source, &problem);
                finding.object = Some(one.object.clone());
                merge(finding, release, None, &mut found, &mut at);
                continue;
            }
        };
        let beside = of_bare_job(source, one, release, &containers);
        let warnings = containers
            .iter()
            .flat_map(|one| one.warnings.iter().map(move |warning| (warning, Some(one))));
        for (warning, container) in warnings.chain(beside.iter().map(|warning| (warning, None))) {
            let mut finding = of_warning(warning);
            finding.file.clone_from(&one.object.file);
            finding.object = Some(one.object.clone());
            merge(finding, release, container, &mut found, &mut at);
        }
        made.push(containers);
    }
    drop_duplicates(&mut found);
    let positions = found.iter().map(|finding| (finding.line, finding.column));
    let regions = region::Regions::of(source, &one.node, positions);
    for finding in &mut found {
        (finding.end_line, finding.end_column) = regions.end(finding.line, finding.column);
    }
    let mut upgrade = None;
    if let ([before, .., after], true) = (options.releases.as_slice(), options.upgrade) {
        found.retain(|one| one.operators.contains(after) && !one.operators.contains(before));
        if let [first, .., last] = made.as_slice() {
            upgrade = Some(upgrade::of_object(&one.object, first, last, &found));
        }
    }
    Checked {
        object: one.object.clone(),
        own: ignore::Own::of(source, one),
        findings: found,
        upgrade,
    }
}

/// Leaves out a trap about a field on the releases for which the field's refusal is reported
/// already.
fn drop_duplicates(found: &mut Vec<CheckFinding>) {
    let refused: Vec<(String, Vec<Version>)> = found
        .iter()
        .filter(|one| one.id == Other::RefusedByClient.id())
        .map(|one| (one.path.clone(), one.operators.clone()))
        .collect();
    for one in found.iter_mut() {
        if ![GROUP_FIELD_IGNORED.id, AUTOSCALER_COMMAND_IGNORED.id].contains(&one.id.as_str()) {
            continue;
        }
        for (_, operators) in refused.iter().filter(|(path, _)| *path == one.path) {
            one.operators.retain(|release| !operators.contains(release));
        }
    }
    found.retain(|one| !one.operators.is_empty());
}

/// Adds a finding, or its release and container to the same one.
fn merge(
    mut new: CheckFinding,
    release: &Version,
    container: Option<&Container>,
    found: &mut Vec<CheckFinding>,
    at: &mut BTreeMap<(String, usize, usize, String), usize>,
) {
    let key = (new.id.clone(), new.line, new.column, new.message.clone());
    let index = *at.entry(key).or_insert(found.len());
    if index == found.len() {
        new.operators.push(release.clone());
        found.push(new);
    }
    let one = &mut found[index];
    if !one.operators.contains(release) {
        one.operators.push(release.clone());
    }
    if let Some(name) = container.map(label)
        && !one.containers.contains(&name)
    {
        one.containers.push(name);
    }
}

/// A container as findings name it.
pub(super) fn label(container: &Container) -> String {
    match container.role {
        ContainerRole::Head => "head".into(),
        ContainerRole::Worker => format!("worker {}", container.group),
        ContainerRole::Autoscaler => "autoscaler".into(),
        ContainerRole::Init => format!("init {} of {}", container.container, container.group),
        ContainerRole::Submitter => "submitter".into(),
    }
}

fn of_refusal(one: &RayObject, refusal: &ExplainedRefusal) -> CheckFinding {
    let other = match refusal.stage {
        _ if !refusal.refused => Other::RefusedForSome,
        Stage::Client => Other::RefusedByClient,
        Stage::ApiServer => Other::RefusedByApiServer,
        Stage::Operator => Other::RefusedByOperator,
        Stage::PodCreation => Other::RefusedAtPodCreation,
    };
    // The operator's own words name the field; the API server's begin with its path.
    let path = &refusal.path;
    let named = refusal.stage == Stage::Operator || path.is_empty();
    let reason = if named || refusal.message.contains(path.as_str()) {
        refusal.message.clone()
    } else {
        format!("{path}: {}", refusal.message)
    };
    CheckFinding {
        rule: refusal.rule.clone(),
        message: format!("{}: {reason}", other.who(refusal.missing)),
        help: refusal.clients.clone(),
        ..at(one, other, &refusal.path, refusal.location)
    }
}

fn of_waiting(one: &RayObject, waiting: &Waiting) -> CheckFinding {
    CheckFinding {
        message: waiting.message.clone(),
        ..at(one, Other::NoPodsYet, &waiting.path, waiting.location)
    }
}

fn at(one: &RayObject, other: Other, path: &str, location: Location) -> CheckFinding {
    CheckFinding {
        id: other.id().into(),
        severity: other.severity(),
        file: one.object.file.clone(),
        object: Some(one.object.clone()),
        line: location.line,
        column: location.column,
        path: one.outer(path),
        ..CheckFinding::default()
    }
}

fn of_warning(warning: &super::Warning) -> CheckFinding {
    CheckFinding {
        id: warning.id.clone(),
        severity: warning.severity,
        rule: Some(warning.rule.clone()),
        line: warning.location.line,
        column: warning.location.column,
        path: warning.path.clone(),
        message: warning.message.clone(),
        help: Some(warning.help.clone()),
        page: Some(page_path(&warning.id)),
        ..CheckFinding::default()
    }
}

/// Returns the path of a trap's page, relative to the top of the repository.
///
/// ```
/// use kuberay_explain::check::page_path;
///
/// assert_eq!(page_path("errexit"), "docs/reference/traps/errexit.md");
/// ```
pub fn page_path(id: &str) -> String {
    format!("docs/reference/traps/{id}.md")
}

/// A finding that is none of a trap.
fn finding(
    other: Other,
    file: &str,
    (start, end): (Location, Location),
    message: String,
) -> CheckFinding {
    CheckFinding {
        id: other.id().into(),
        severity: other.severity(),
        file: file.into(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message,
        ..CheckFinding::default()
    }
}

fn problem(other: Other, source: &Source, problem: &Diagnostic) -> CheckFinding {
    let start = problem.location;
    let place = source.rest_of_line(start);
    let width = source
        .text
        .get(place.span)
        .map_or(0, |text| text.trim_end().chars().count());
    let end = Location {
        line: start.line,
        column: start.column + width.max(1),
    };
    let file = source.path.display().to_string();
    let mut finding = finding(other, &file, (start, end), problem.message.clone());
    finding.help.clone_from(&problem.help);
    finding
}

fn unreadable(source: &Source, one: &Diagnostic) -> CheckFinding {
    problem(Other::Unreadable, source, one)
}

fn malformed(source: &Source, one: &Diagnostic) -> CheckFinding {
    problem(Other::MalformedObject, source, one)
}

/// Returns the trap with an id; `None` where no trap has it.
///
/// ```
/// use kuberay_explain::check::trap;
///
/// assert_eq!(trap("trailing-ampersand").unwrap().rule, "C04");
/// assert_eq!(trap("no-such-trap"), None);
/// ```
pub fn trap(id: &str) -> Option<&'static Trap> {
    TRAPS.iter().copied().find(|trap| trap.id == id)
}

/// Returns whether a text may hold an object of KubeRay, without parsing it; `false` is certain.
///
/// ```
/// use kuberay_explain::check::may_hold_objects;
///
/// assert!(may_hold_objects("apiVersion: ray.io/v1\nkind: RayJob\n"));
/// assert!(!may_hold_objects("apiVersion: v1\nkind: Pod\n"));
/// ```
pub fn may_hold_objects(text: &str) -> bool {
    // An object that lacks its `apiVersion` is refused, and its kind still shows whose it is.
    text.contains("ray.io")
        || text.contains("headGroupSpec")
        || KINDS.iter().any(|kind| text.contains(kind))
}

/// Returns whether a file in a folder is checked: its name ends in `.yaml`, `.yml` or `.json`, in
/// any letter case.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::is_manifest;
///
/// assert!(is_manifest(Path::new("deploy/raycluster.YAML")));
/// assert!(!is_manifest(Path::new("deploy/README.md")));
/// ```
pub fn is_manifest(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}
