//! The conformance programme: a report that an organization publishes of one run, and its checks.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{CaseResult, Outcome, RunResult, ScenarioRecord, shell_word, words_of_run};
use crate::provider::GIVEN_OPERATOR;
use crate::scenario::{Level, TargetKind};
use crate::visible::line;

mod page;

pub use page::{ProgrammeEntry, badge, render_programme};

/// The form of a published report.
pub const API_VERSION: &str = "kuberay-conformance/v1beta1";
const KIND: &str = "ConformanceReport";

/// `conformance/reports/<kuberay>/<organization>-<target>.yaml`: what one run of one build of the
/// operator showed. Everything but `organization` follows from the run's `results.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("$id" = "urn:kuberay-conformance:conformance-report:v1beta1"))]
pub struct ConformanceReport {
    /// The form of the file.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// `ConformanceReport`.
    #[schemars(extend("const" = KIND))]
    pub kind: String,
    /// Its name.
    pub metadata: ReportMetadata,
    /// What was run, and how it ended.
    pub spec: ReportSpec,
}

/// The name of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportMetadata {
    /// `<organization>-<target>`, which is the file's name, too.
    pub name: String,
}

/// What was run, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportSpec {
    /// The organization that vouches for the run: lower-case letters, digits and dashes.
    pub organization: String,
    /// The day on which the run began, UTC, such as `2026-11-28`.
    pub date: String,
    /// Release of the harness.
    pub harness: String,
    /// The operator.
    pub operator: OperatorBuild,
    /// Releases of Ray in the cases of the kind target; none where no Ray ran.
    pub ray: Vec<String>,
    /// Release of Kubernetes.
    pub kubernetes: String,
    /// Container engine and its release.
    pub engine: String,
    /// `envtest`, `kind` or `existing`; `kind` where cases ran on envtest, too.
    pub target: String,
    /// The scenarios that count.
    pub profile: Profile,
    /// What the scenarios of the profile say together.
    pub result: ProgrammeResult,
    /// How the scenarios of the profile ended.
    pub scenarios: Counts,
    /// Ids of cases that failed.
    pub failed: Vec<String>,
    /// Ids of cases without a verdict.
    pub without_verdict: Vec<String>,
    /// Scenarios of the profile of which the run has no case.
    pub not_run: Vec<String>,
    /// The command that repeats the run.
    pub command: String,
    /// The file that the report was made of.
    pub results: ResultsFile,
}

/// The build of the operator that was under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorBuild {
    /// Release of KubeRay, without `v`.
    pub release: String,
    /// Each build with its digest: an image or a program, never a branch.
    pub builds: Vec<String>,
}

/// How many scenarios of the profile ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counts {
    /// Scenarios of the profile that are for this release.
    pub of_profile: usize,
    /// Scenarios whose cases all passed.
    pub passed: usize,
    /// Scenarios of which a case failed.
    pub failed: usize,
    /// Scenarios without a verdict, or without a case.
    pub without_verdict: usize,
}

/// Names the file that a report was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResultsFile {
    /// SHA-256 of `results.json`, in hexadecimal digits.
    pub sha256: String,
}

/// Which scenarios count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Scenarios of the level `core`
    #[default]
    Core,
    /// Scenarios of the levels `core` and `extended`
    Extended,
}

/// What the scenarios of a profile say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProgrammeResult {
    /// Every scenario of the profile passed.
    Conformant,
    /// None failed, but not every scenario has a verdict.
    Partial,
    /// At least one failed.
    Failed,
}

/// Why no report can be made of results.
#[derive(Debug, thiserror::Error)]
pub enum ProgrammeError {
    /// `organization` can't be part of a file's name.
    #[error("`{}` is no name: use lower-case letters, digits and dashes, such as `acme`", .0.escape_debug())]
    Name(String),
    /// The results have cases of several releases.
    #[error("the results are of KubeRay {}: choose one with --operator", .0.join(", "))]
    Releases(Vec<String>),
    /// The results have no case of the release.
    #[error("the results have no case of KubeRay {0}")]
    NoCase(String),
    /// The release is no version.
    #[error("`{}` is no release of KubeRay, such as 1.6.2", .0.escape_debug())]
    NoRelease(String),
    /// The results do not say when the run began.
    #[error("`{}` is no time at which a run began, such as 2026-11-28T10:00:00Z", .0.escape_debug())]
    NoDate(String),
    /// The results do not identify the build.
    #[error(
        "the results do not record the operator's build ({0}): run an image with a digest, or a program that the harness built"
    )]
    NoBuild(String),
    /// The results do not say how to repeat the run.
    #[error(
        "the results do not record the command that repeats the run, like all results of `report merge`: publish the results of one run"
    )]
    NoCommand,
}

impl Profile {
    fn includes(self, level: Level) -> bool {
        match self {
            Self::Core => level == Level::Core,
            Self::Extended => level != Level::Provisional,
        }
    }

    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Extended => "extended",
        }
    }
}

impl ProgrammeResult {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// Whether a text may name an organization: it becomes a part of a path.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 40 && name.chars().all(plain) && !name.starts_with('-')
}

impl ConformanceReport {
    /// Makes the report of one release of a run. `bytes` is the content of `results.json`.
    ///
    /// # Errors
    /// When the results do not identify one release, its build and the command.
    pub fn of(
        run: &RunResult,
        bytes: &[u8],
        organization: &str,
        profile: Profile,
        release: Option<&Version>,
    ) -> Result<Self, ProgrammeError> {
        if !is_name(organization) {
            return Err(ProgrammeError::Name(organization.into()));
        }
        let release = the_release(run, release)?;
        let of_release = |case: &&CaseResult| case.operator == release;
        let cases: Vec<&CaseResult> = run.cases.iter().filter(of_release).collect();
        if cases.is_empty() {
            return Err(ProgrammeError::NoCase(release));
        }
        let command = run.command.as_deref().and_then(words_of_run);
        let command = command.ok_or(ProgrammeError::NoCommand)?;
        let ray: Vec<String> = distinct(
            cases
                .iter()
                .filter_map(|case| (case.target == TargetKind::Kind).then_some(case.ray.clone())),
        );
        let target = target(&cases);
        let judged = Judged::of(run, &cases, &release, profile);
        Ok(Self {
            api_version: API_VERSION.into(),
            kind: KIND.into(),
            metadata: ReportMetadata {
                name: format!("{organization}-{target}"),
            },
            spec: ReportSpec {
                organization: organization.into(),
                date: the_date(&run.started)?,
                harness: line(&run.harness),
                operator: OperatorBuild {
                    builds: builds(&cases)?,
                    release,
                },
                ray,
                kubernetes: line(&run.environment.kubernetes),
                engine: line(&run.environment.engine),
                target,
                profile,
                result: judged.result(),
                scenarios: judged.counts,
                failed: lines(&judged.failed),
                without_verdict: lines(&judged.without_verdict),
                not_run: lines(&judged.not_run),
                command: anywhere(command),
                results: ResultsFile {
                    sha256: format!("{:x}", Sha256::digest(bytes)),
                },
            },
        })
    }

    /// Checks that the names of a report may be parts of a path, and are those that
    /// [`of`](Self::of) gives: anyone can write a file in its form.
    ///
    /// # Errors
    /// When one of them may not.
    pub fn check_names(&self) -> Result<(), ProgrammeError> {
        let spec = &self.spec;
        a_release(&spec.operator.release)?;
        let name = &self.metadata.name;
        let is_target = ["envtest", "kind", "existing"].contains(&&*spec.target);
        let is_own = is_target && *name == format!("{}-{}", spec.organization, spec.target);
        if is_name(&spec.organization) && is_own {
            return Ok(());
        }
        let wrong = if is_name(&spec.organization) {
            name
        } else {
            &spec.organization
        };
        Err(ProgrammeError::Name(wrong.clone()))
    }

    /// Where the report lies below the folder of all reports.
    pub fn path(&self) -> PathBuf {
        let file = format!("{}.yaml", self.metadata.name);
        PathBuf::from(&self.spec.operator.release).join(file)
    }

    /// The digest of the operator's program, where the run got it as a file: then `sha256:` and
    /// hexadecimal digits.
    pub fn given_operator(&self) -> Option<&str> {
        let builds = self.spec.operator.builds.iter();
        let mut digests = builds.filter_map(|build| {
            let (name, digest) = build.split_once('@')?;
            (name == GIVEN_OPERATOR).then_some(digest)
        });
        digests.next()
    }

    /// What this report says otherwise than the results that it names, a sentence each.
    ///
    /// # Errors
    /// When no report can be made of the results.
    pub fn differs_from(
        &self,
        run: &RunResult,
        bytes: &[u8],
    ) -> Result<Vec<String>, ProgrammeError> {
        let spec = &self.spec;
        let release = spec.operator.release.parse().ok();
        let (organization, release) = (&spec.organization, release.as_ref());
        let real = Self::of(run, bytes, organization, spec.profile, release)?;
        let (mut said, mut found) = (Vec::new(), Vec::new());
        leaves("", &serde_json::json!(self), &mut said);
        leaves("", &serde_json::json!(real), &mut found);
        let mut differences = Vec::new();
        for (name, value) in &said {
            match found.iter().find(|(other, _)| other == name) {
                Some((_, other)) if other == value => {}
                Some((_, other)) => {
                    differences.push(format!(
                        "{name}: {value} in the report, {other} in the results"
                    ));
                }
                None => differences.push(format!(
                    "{name}: {value} in the report, missing in the results"
                )),
            }
        }
        let missing = found
            .iter()
            .filter(|(name, _)| !said.iter().any(|(other, _)| other == name));
        differences.extend(
            missing.map(|(name, value)| {
                format!("{name}: missing in the report, {value} in the results")
            }),
        );
        Ok(differences)
    }
}

impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReportSpec {
            result,
            profile,
            scenarios,
            ..
        } = &self.spec;
        write!(
            f,
            "{} ({}): {} of {} scenarios passed, {} failed, {} without a verdict",
            result.word(),
            profile.word(),
            scenarios.passed,
            scenarios.of_profile,
            scenarios.failed,
            scenarios.without_verdict
        )
    }
}

/// The scenarios of a profile, by how they ended.
struct Judged {
    counts: Counts,
    failed: Vec<String>,
    without_verdict: Vec<String>,
    not_run: Vec<String>,
    /// Whether the run is not the whole of its plan.
    incomplete: bool,
}

impl Judged {
    fn of(run: &RunResult, cases: &[&CaseResult], release: &str, profile: Profile) -> Self {
        let applies = |record: &&ScenarioRecord| {
            let mut rays = cases.iter().map(|case| &case.ray);
            profile.includes(record.level) && rays.any(|ray| record.applies(release, ray))
        };
        let mut all = Self {
            counts: Counts::default(),
            failed: Vec::new(),
            without_verdict: Vec::new(),
            not_run: Vec::new(),
            // No Ray runs there.
            incomplete: is_incomplete(run) || target(cases) == "envtest",
        };
        for record in run.scenarios.iter().filter(applies) {
            let own: Vec<&CaseResult> = cases
                .iter()
                .copied()
                .filter(|case| case.scenario == record.name)
                .collect();
            let failed: Vec<&CaseResult> = own
                .iter()
                .copied()
                .filter(|case| case.outcome == Outcome::Failed)
                .collect();
            let open: Vec<&CaseResult> = own
                .iter()
                .copied()
                .filter(|case| !case.outcome.is_verdict())
                .collect();
            all.counts.of_profile += 1;
            if !failed.is_empty() {
                all.counts.failed += 1;
            } else if own.is_empty() || !open.is_empty() {
                all.counts.without_verdict += 1;
            } else {
                all.counts.passed += 1;
            }
            if own.is_empty() {
                all.not_run.push(record.name.clone());
            }
            all.failed.extend(failed.iter().map(|case| case.id.clone()));
            all.without_verdict
                .extend(open.iter().map(|case| case.id.clone()));
        }
        all
    }

    fn result(&self) -> ProgrammeResult {
        if self.counts.failed > 0 {
            ProgrammeResult::Failed
        } else if self.incomplete {
            ProgrammeResult::Partial
        } else if self.counts.of_profile > 0 && self.counts.passed == self.counts.of_profile {
            ProgrammeResult::Conformant
        } else {
            ProgrammeResult::Partial
        }
    }
}

/// Whether a run was cut short, was a part of its plan, or lacks results of planned cases.
fn is_incomplete(run: &RunResult) -> bool {
    let known: HashSet<&String> = run.cases.iter().map(|case| &case.id).collect();
    run.interrupted.is_some()
        || !run.missing.is_empty()
        || run.shard.is_some_and(|shard| shard.count > 1)
        || !run.planned.iter().all(|id| known.contains(id))
}

/// The day of a time in RFC 3339.
fn the_date(started: &str) -> Result<String, ProgrammeError> {
    let time = started.parse::<jiff::Timestamp>();
    let time = time.map_err(|_| ProgrammeError::NoDate(started.into()))?;
    Ok(time.strftime("%Y-%m-%d").to_string())
}

/// Texts that people review, each as one line without characters that nobody sees.
fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| line(text)).collect()
}

fn the_release(run: &RunResult, wanted: Option<&Version>) -> Result<String, ProgrammeError> {
    if let Some(wanted) = wanted {
        return Ok(wanted.to_string());
    }
    let releases = distinct(run.cases.iter().map(|case| case.operator.clone()));
    if let [release] = releases.as_slice() {
        return a_release(release);
    }
    Err(if releases.is_empty() {
        ProgrammeError::NoCase("any release".into())
    } else {
        ProgrammeError::Releases(releases)
    })
}

/// A release as results name it, which becomes a part of a path.
fn a_release(named: &str) -> Result<String, ProgrammeError> {
    let release = named.parse::<Version>();
    let release = release.map_err(|_| ProgrammeError::NoRelease(named.into()))?;
    Ok(release.to_string())
}

/// The builds of the operator, each `name@sha256:…`.
fn builds(cases: &[&CaseResult]) -> Result<Vec<String>, ProgrammeError> {
    // The first image of a case is that of the operator; the others are Ray's.
    let of_operator = cases
        .iter()
        .filter(|case| case.outcome != Outcome::Skipped)
        .filter_map(|case| case.images.first().cloned());
    let builds = distinct(of_operator);
    let has_digest = |build: &&String| {
        let digest = build.rsplit_once("@sha256:").map(|(_, digest)| digest);
        digest.is_some_and(|digest| {
            !digest.is_empty() && digest.chars().all(|c| c.is_ascii_hexdigit())
        })
    };
    match builds.iter().find(|build| !has_digest(build)) {
        Some(build) => Err(ProgrammeError::NoBuild(build.clone())),
        None if builds.is_empty() => Err(ProgrammeError::NoBuild("no case ran".into())),
        None => Ok(builds),
    }
}

/// A command without what concerns the machine that it ran on alone: where the reports went.
fn anywhere(command: Vec<String>) -> String {
    let mut words = Vec::new();
    let mut all = command.into_iter();
    while let Some(word) = all.next() {
        if word == "--output" {
            all.next();
        } else if !word.starts_with("--output=") {
            words.push(shell_word(&word));
        }
    }
    words.join(" ")
}

/// The target that shows most: ids begin with the name of their target.
fn target(cases: &[&CaseResult]) -> String {
    let names = distinct(cases.iter().map(|case| {
        let (target, _) = case.id.split_once("::").unwrap_or((&case.id, ""));
        target.to_owned()
    }));
    let best = ["existing", "kind"];
    let best = best
        .iter()
        .find(|one| names.iter().any(|name| name == **one));
    best.map_or_else(|| "envtest".into(), |one| (*one).to_owned())
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// Every value of a document with its path, such as `spec.scenarios.passed`.
fn leaves(path: &str, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let separator = if path.is_empty() { "" } else { "." };
                leaves(&format!("{path}{separator}{name}"), value, into);
            }
        }
        other => into.push((path.into(), other.to_string())),
    }
}

#[cfg(test)]
#[path = "programme/tests.rs"]
mod tests;
