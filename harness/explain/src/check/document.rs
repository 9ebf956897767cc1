//! The document that `check --format json` writes.

use kuberay_manifest::Severity;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::Other;
use super::impact::Impact;
use crate::document::{ExplainedOperator, Object};

/// The value of `version` in the document. It changes when a field is removed or changes its
/// meaning, not when one is added.
///
/// ```
/// assert_eq!(kuberay_explain::check::VERSION, "kuberay-conformance.check/v1");
/// ```
pub const VERSION: &str = "kuberay-conformance.check/v1";

/// The problems of manifests.
///
/// The mutating webhooks, quotas and admission policies of a cluster are out of scope.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{CheckReport, Options, check};
/// use kuberay_manifest::{Severity, Source};
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
/// let report: CheckReport = check(&sources, &Options::new(vec!["1.6.2".parse()?]))?;
/// assert_eq!(report.objects, 1);
/// assert_eq!(report.worst(), Some(Severity::Warning));
/// assert_eq!(report.count(Severity::Error), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("$id" = "urn:kuberay-conformance:check:v1"))]
pub struct CheckReport {
    /// `kuberay-conformance.check/v1`.
    pub version: String,
    /// The releases, in the order in which they were given.
    pub operators: Vec<ExplainedOperator>,
    /// The files that were checked.
    pub files: Vec<String>,
    /// Number of KubeRay's objects in them.
    pub objects: usize,
    /// The problems, in the order of files and lines.
    pub findings: Vec<CheckFinding>,
    /// The changes of an upgrade for each object, where two releases were compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upgrades: Vec<ObjectUpgrade>,
    /// Notes about objects that were left out, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Joins the reports of several operators of one cluster, each with its own objects.
    ///
    /// Each operator is listed once. An ignored id is unused only where it is unused in every
    /// report.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use kuberay_explain::check::{CheckReport, Options, check};
    /// use kuberay_manifest::Source;
    ///
    /// let options = Options::new(vec!["1.6.2".parse()?]);
    /// let report = |name: &str| check(&[Source::new(Path::new(name), "kind: Pod\n")], &options);
    /// let both = CheckReport::together(vec![report("a.yaml")?, report("b.yaml")?]);
    /// assert_eq!(both.files, ["a.yaml", "b.yaml"]);
    /// assert_eq!(both.operators.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn together(reports: Vec<Self>) -> Self {
        let number = reports.len();
        let mut all = Self {
            version: VERSION.into(),
            ..Self::default()
        };
        let mut unused: Vec<(CheckFinding, usize)> = Vec::new();
        for one in reports {
            let new = one.operators.into_iter();
            let new: Vec<ExplainedOperator> =
                new.filter(|one| !all.operators.contains(one)).collect();
            all.operators.extend(new);
            all.files.extend(one.files);
            all.objects += one.objects;
            for finding in one.findings {
                // An id of an option or a file is unused where no operator's objects have it.
                if finding.id != Other::UnusedIgnore.id() || finding.object.is_some() {
                    all.findings.push(finding);
                } else if let Some((_, count)) = unused.iter_mut().find(|one| one.0 == finding) {
                    *count += 1;
                } else {
                    unused.push((finding, 1));
                }
            }
            all.upgrades.extend(one.upgrades);
            all.notes.extend(one.notes);
        }
        let unused = unused.into_iter().filter(|(_, count)| *count == number);
        all.findings.extend(unused.map(|(finding, _)| finding));
        all
    }
}

/// One problem at one position.
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
/// let finding = &report.findings[0];
/// assert_eq!(finding.id, "trailing-ampersand");
/// assert_eq!(finding.containers, ["head"]);
/// assert_eq!(finding.page.as_deref(), Some("docs/reference/traps/trailing-ampersand.md"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckFinding {
    /// Id of the trap, or of another problem, such as `refused-by-api-server` or `unreadable`.
    pub id: String,
    /// Its severity.
    pub severity: Severity,
    /// The rule of the contract behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The file; empty for an option of the command line.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Line of the end, from 1.
    pub end_line: usize,
    /// Column behind the end, from 1.
    pub end_column: usize,
    /// Path of the value in its document.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The containers that it concerns, such as `head` or `worker cpu`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// The releases that it holds for.
    #[schemars(with = "Vec<String>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Version>,
    /// The effect, in a sentence.
    pub message: String,
    /// The text to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The page of the trap, from the top of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

impl Default for CheckFinding {
    fn default() -> Self {
        Self {
            id: String::new(),
            severity: Severity::Error,
            rule: None,
            file: String::new(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 2,
            path: String::new(),
            object: None,
            containers: Vec::new(),
            operators: Vec::new(),
            message: String::new(),
            help: None,
            page: None,
        }
    }
}

/// The changes of an upgrade for one object.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Impact, Options, check};
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
/// let mut options = Options::new(vec!["1.3.2".parse()?, "1.4.2".parse()?]);
/// options.upgrade = true;
/// let upgrade = &check(&sources, &options)?.upgrades[0];
/// assert_eq!(upgrade.impact, Impact::Review);
/// assert!(upgrade.features.iter().any(|change| change.feature == "plain-shell" && change.comes));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectUpgrade {
    /// The object.
    pub object: Object,
    /// The largest impact of its changes.
    pub impact: Impact,
    /// The dated features of the contract that come or go, those with the largest impact first.
    pub features: Vec<FeatureChange>,
    /// Ids of the warnings that the upgrade brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traps: Vec<String>,
}

/// A dated feature that an upgrade brings or takes away.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_explain::check::{Impact, Options, check};
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
/// let mut options = Options::new(vec!["1.3.2".parse()?, "1.4.2".parse()?]);
/// options.upgrade = true;
/// let upgrade = &check(&sources, &options)?.upgrades[0];
/// let shell = upgrade.features.iter().find(|change| change.feature == "plain-shell").unwrap();
/// assert!(shell.comes);
/// assert_eq!(shell.at.to_string(), "1.4.0");
/// assert_eq!(shell.impact, Impact::Review);
/// assert_eq!(shell.containers, ["head"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureChange {
    /// Its name.
    pub feature: String,
    /// Its rule.
    pub rule: String,
    /// `true` where the release after the upgrade has it, `false` where the release before has it.
    pub comes: bool,
    /// The release that brings it, or the first one without it.
    #[schemars(with = "String")]
    pub at: Version,
    /// The largest effect that it can have on a user's command.
    pub impact: Impact,
    /// Its description, in a sentence.
    pub says: String,
    /// Source file or issue of KubeRay.
    pub source: String,
    /// The containers that it concerns.
    pub containers: Vec<String>,
}

impl CheckReport {
    /// Returns the number of findings of a severity.
    ///
    /// ```
    /// use kuberay_explain::check::{CheckFinding, CheckReport};
    /// use kuberay_manifest::Severity;
    ///
    /// // The severity of a finding is `Error` by default.
    /// let findings = vec![CheckFinding::default(); 2];
    /// let report = CheckReport { findings, ..CheckReport::default() };
    /// assert_eq!(report.count(Severity::Error), 2);
    /// assert_eq!(report.count(Severity::Note), 0);
    /// ```
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Returns whether a file could not be read as a manifest.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use kuberay_explain::check::{Options, check};
    /// use kuberay_manifest::Source;
    ///
    /// let sources = [Source::new(Path::new("demo.yaml"), "spec: [\n")];
    /// let report = check(&sources, &Options::new(vec!["1.6.2".parse()?]))?;
    /// assert!(report.is_unreadable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_unreadable(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.id == super::Other::Unreadable.id())
    }

    /// Returns the severity of the worst finding or of the worst change of an upgrade; `None` where
    /// there is neither.
    ///
    /// ```
    /// use kuberay_explain::check::CheckReport;
    ///
    /// assert_eq!(CheckReport::default().worst(), None);
    /// ```
    pub fn worst(&self) -> Option<Severity> {
        let findings = self.findings.iter().map(|finding| finding.severity);
        let upgrades = self
            .upgrades
            .iter()
            .filter_map(|upgrade| upgrade.impact.severity());
        findings.chain(upgrades).min()
    }
}

/// Returns the JSON schema of [`CheckReport`], which `check --format json` writes and
/// `docs/schema/check.schema.json` contains.
///
/// ```
/// let schema = kuberay_explain::check::schema();
/// assert_eq!(schema["title"], "CheckReport");
/// ```
pub fn schema() -> Value {
    kuberay_manifest::schema_of::<CheckReport>()
}
