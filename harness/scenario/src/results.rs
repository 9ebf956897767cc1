//! What a run found; `results.json` is this, and what follows from it for the rules of the
//! contract.

use std::collections::BTreeMap;

use kuberay_contract::Layer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{self, Shard};
use crate::{Level, Location, Scenario, TargetKind};

#[doc(hidden)]
pub mod example;
mod totals;

pub use totals::{RunVerdict, Strictness, Totals, proves_nothing, run_verdict};

/// Version of the form of `results.json`; raised when a field changes its meaning or goes.
pub const RESULTS_VERSION: &str = "kuberay-conformance.results/v1";

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// The version of this form.
    #[schemars(extend("const" = RESULTS_VERSION))]
    pub version: String,
    /// Identifies the run on this machine.
    pub run_id: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// Release of the harness.
    pub harness: String,
    /// The command that repeats it, quoted for a shell; none where several runs were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Phases of the run (cluster, images, operator, cases …) with their durations, in order.
    pub phases: Vec<Phase>,
    /// What was under test.
    pub environment: Environment,
    /// Which part of the plan it was, where it was not all of it.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// Ids of all cases of the whole plan, whichever shard they fall to; none in results of before
    /// there were shards.
    #[serde(default)]
    pub planned: Vec<String>,
    /// The rules that the run was limited to; none where it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selected_rules: Vec<String>,
    /// Every scenario that the run could choose from, whichever of them its filters and its targets
    /// selected; none where that is not known.
    #[serde(default)]
    pub scenarios: Vec<ScenarioRecord>,
    /// Ids of planned cases that no result tells of, where results of several runs were merged.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Every case, in the order of the plan.
    pub cases: Vec<CaseResult>,
    /// What stopped the run before its end, or kept it from writing what it found, where something
    /// did.
    pub interrupted: Option<String>,
}

/// A scenario that proves rules, and the releases to which it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioRecord {
    /// Its name.
    pub name: String,
    /// Its rules.
    pub rules: Vec<String>,
    /// Its level.
    #[serde(default)]
    pub level: Level,
    /// Where it runs.
    pub target: TargetKind,
    /// The releases of KubeRay that it is for, as a range.
    pub operator: String,
    /// The releases of Ray that it is for, as a range.
    pub ray: String,
}

impl ScenarioRecord {
    /// Of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let spec = &scenario.file.spec;
        Self {
            name: scenario.name().into(),
            rules: spec.rules.clone(),
            level: spec.level,
            target: spec.placement().target,
            operator: scenario.operator.to_string(),
            ray: scenario.ray.to_string(),
        }
    }

    /// Whether it is for a release of KubeRay with a release of Ray, which only matters where Ray
    /// runs. A range or a release that can't be read includes everything: what is counted can only
    /// be too much.
    pub fn applies(&self, operator: &str, ray: &str) -> bool {
        let includes = |range: &str, release: &str| match (range.parse(), release.parse()) {
            (Ok(range), Ok(release)) => plan::includes(&range, &release),
            _ => true,
        };
        includes(&self.operator, operator)
            && (!self.target.has_kubelet() || includes(&self.ray, ray))
    }
}

impl RunResult {
    /// The result of a run that has not ended, which says so: of a plan, where that is known, and
    /// without results.
    pub fn unfinished(
        run_id: &str,
        shard: Option<Shard>,
        planned: Vec<String>,
        reason: String,
    ) -> Self {
        Self {
            version: RESULTS_VERSION.into(),
            run_id: run_id.into(),
            started: format!("{:.0}", jiff::Timestamp::now()),
            duration_seconds: 0.0,
            harness: env!("CARGO_PKG_VERSION").into(),
            command: None,
            phases: Vec::new(),
            environment: Environment::default(),
            shard,
            planned,
            selected_rules: Vec::new(),
            scenarios: Vec::new(),
            missing: Vec::new(),
            cases: Vec::new(),
            interrupted: Some(reason),
        }
    }

    /// Whether it is of a run that ended before its plan was known.
    pub fn has_no_plan_yet(&self) -> bool {
        self.interrupted.is_some() && self.planned.is_empty() && self.cases.is_empty()
    }
}

/// A part of a run and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Its duration in seconds.
    pub seconds: f64,
}

/// What was under test.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Release of Kubernetes, as the API server says.
    pub kubernetes: String,
    /// Container engine and its release.
    pub engine: String,
    /// Every image that the cases used.
    pub images: Vec<ImageRecord>,
}

impl Environment {
    /// Takes in what another target of the same run was made of.
    pub fn extend(&mut self, other: &Self) {
        let join = |own: &mut String, other: &String| {
            if own.is_empty() {
                own.clone_from(other);
            } else if !other.is_empty() && own.split("; ").all(|one| one != other) {
                own.push_str("; ");
                own.push_str(other);
            }
        };
        join(&mut self.kubernetes, &other.kubernetes);
        join(&mut self.engine, &other.engine);
        for image in &other.images {
            if !self.images.contains(image) {
                self.images.push(image.clone());
            }
        }
    }
}

/// An image and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The public name that manifests use.
    pub name: String,
    /// `pulled` or `built`.
    pub origin: Origin,
    /// What it was made of: the registry's name, or modules, packages and their versions.
    pub source: String,
    /// Digest of its manifest, `sha256:…`.
    pub digest: String,
    /// Whether a digest or checksum that the harness carries pins what it was made of. A checksum
    /// that comes from the same origin as the file does not.
    pub pinned: bool,
}

impl ImageRecord {
    /// `name@digest`, `name@unpinned` where it is of no certain digest; the name alone where
    /// nothing but that is used.
    pub fn reference(&self) -> String {
        match self.digest.as_str() {
            "" => self.name.clone(),
            digest => format!("{}@{digest}", self.name),
        }
    }
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// From a public image registry.
    Pulled,
    /// Built on this machine from package registries.
    Built,
    /// From the user: an image of their own, or one in an existing cluster.
    Existing,
}

/// How a case or a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All that was expected was found.
    Passed,
    /// All that was expected was found, but only when the case was tried again after the
    /// environment had failed.
    Flaky,
    /// Nothing is recorded to compare what was found with; it is no verdict.
    New,
    /// Something else was found.
    Failed,
    /// It was not judged, for the reason given.
    Skipped,
    /// The environment broke before it could be judged.
    Error,
}

/// One case: scenario × operator release × Ray release × target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are fields of results.json, each there only where it is true"
)]
pub struct CaseResult {
    /// `target::operator::ray::scenario`.
    pub id: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario file, relative to where the run was started where possible.
    pub file: String,
    /// Its rules.
    pub rules: Vec<String>,
    /// The layers of these rules that it proves when it passes.
    pub layers: Vec<Layer>,
    /// Its level.
    pub level: Level,
    /// The target.
    pub target: TargetKind,
    /// Operator release, without `v`.
    pub operator: String,
    /// Ray release.
    pub ray: String,
    /// Release of Kubernetes, as the API server says; empty where the run ended before the case.
    #[serde(default)]
    pub kubernetes: String,
    /// The images of the operator and of Ray, `name@digest`, or the operator's program; what each
    /// was made of is in the run's environment.
    #[serde(default)]
    pub images: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in one sentence, where it did not pass.
    pub reason: Option<String>,
    /// Duration in seconds.
    pub duration_seconds: f64,
    /// When its objects were applied, RFC 3339, UTC; none where that was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// When it was first seen, in seconds from then, that the head's container runs (`running`),
    /// that its Pod is Ready (`ready`), that Ray answers (`rayReady`) and that its job is as
    /// expected (`job`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub milestones: BTreeMap<String, f64>,
    /// Which of the places for cases that run side by side it had, from 0 on; each release on
    /// envtest counts its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<usize>,
    /// Its checks, in the scenario's order.
    pub checks: Vec<CheckResult>,
    /// Folder with the evidence below the output folder, where it was written.
    pub evidence: Option<String>,
    /// What the harness did in place of a component that the target lacks, one sentence each.
    pub steps: Vec<String>,
    /// Settings with which the operator ran for it: environment variables by name, arguments such
    /// as `--qps`, gates as `featureGates.NAME`, keys of the configuration file as
    /// `configuration.KEY`.
    pub operator_settings: BTreeMap<String, String>,
    /// The namespace it ran in.
    pub namespace: Option<String>,
    /// Whether it passed before, in a run that this one picked up, and was not run again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
    /// Whether it was skipped because the cluster is too small for it: it has too few nodes, or
    /// can't hold all of its Pods.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_capacity: bool,
    /// Whether it was skipped because its release of the operator can't be had where it was to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unavailable: bool,
    /// Whether it has no verdict because the run ended before it, or while it ran.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// One check of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Its key in the scenario file (`pod`, `logs`, `job` …) with what tells it from others of the
    /// kind.
    pub name: String,
    /// Where it stands in the scenario file.
    pub location: Location,
    /// Its lines there, where it did not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence.
    pub message: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// Unified difference.
    pub diff: Option<String>,
    /// Number of snapshots that are not recorded yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub new_snapshots: usize,
    /// Seconds from the moment of applying to the verdict.
    pub seconds: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Outcome {
    /// The word that people read: `PASS`, `FLAKY`, `NEW`, `FAIL`, `SKIP` or `ERROR`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASS",
            Self::Flaky => "FLAKY",
            Self::New => "NEW",
            Self::Failed => "FAIL",
            Self::Skipped => "SKIP",
            Self::Error => "ERROR",
        }
    }

    /// Whether all that was expected was found in the end.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky)
    }

    /// Whether something is to be told about it.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }

    /// Whether it is a verdict on what was tested.
    pub fn is_verdict(self) -> bool {
        self.is_good() || self == Self::Failed
    }
}

impl CaseResult {
    /// Checks that did not hold, in the scenario's order.
    pub fn bad_checks(&self) -> impl Iterator<Item = &CheckResult> {
        self.checks.iter().filter(|check| check.outcome.is_bad())
    }

    /// Names of checks that were not judged.
    pub fn not_judged(&self) -> Vec<&str> {
        let skipped = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Skipped);
        skipped.map(|check| check.name.as_str()).collect()
    }

    /// Whether it failed without failing the run.
    pub fn is_provisional_failure(&self) -> bool {
        self.outcome == Outcome::Failed && self.level == Level::Provisional
    }

    /// Why it did not pass; the case's reason unless it only repeats the message of a check that is
    /// told anyway.
    pub fn own_reason(&self) -> Option<&str> {
        let reason = self.reason.as_deref()?;
        let repeated = self.bad_checks().any(|check| check.message == reason);
        (!repeated).then_some(reason)
    }
}

impl CheckResult {
    /// `file:line:column`, which editors and terminals open.
    pub fn place(&self, file: &str) -> String {
        format!("{file}:{}:{}", self.location.line, self.location.column)
    }

    /// What there is to compare, with titles: the difference, or what was expected and found where
    /// there is none.
    pub fn blocks(&self) -> Vec<(&'static str, &str)> {
        if let Some(diff) = &self.diff {
            return vec![("difference (- expected, + found)", diff)];
        }
        let sides = [("expected", &self.expected), ("found", &self.found)];
        sides
            .into_iter()
            .filter_map(|(title, text)| Some((title, text.as_deref()?)))
            .collect()
    }
}
