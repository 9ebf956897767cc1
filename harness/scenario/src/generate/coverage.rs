//! Which features, checks and stages of the contract the cases of a search have reached.

use std::collections::BTreeMap;

use kuberay_contract::admission::{CheckEntry, OperatorCheck, checks};
use kuberay_contract::{Feature, FeatureEntry, PodContract, Refusal, Stage, features};
use semver::Version;

/// Counts what cases have shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    features: BTreeMap<Feature, usize>,
    checks: BTreeMap<OperatorCheck, usize>,
    stages: BTreeMap<Stage, usize>,
}

impl Coverage {
    /// Counts the features of Pods.
    pub fn add(&mut self, pods: &[PodContract]) {
        for container in pods.iter().flat_map(PodContract::all) {
            for feature in &container.features {
                *self.features.entry(*feature).or_default() += 1;
            }
        }
    }

    /// Counts refusals.
    pub fn add_refusals<'a>(&mut self, refusals: impl IntoIterator<Item = &'a Refusal>) {
        for refusal in refusals {
            *self.stages.entry(refusal.stage).or_default() += 1;
            if let Some(check) = refusal.check {
                *self.checks.entry(check).or_default() += 1;
            }
        }
    }

    /// Adds what other cases have shown.
    pub fn merge(&mut self, other: &Self) {
        for (feature, count) in &other.features {
            *self.features.entry(*feature).or_default() += count;
        }
        for (check, count) in &other.checks {
            *self.checks.entry(*check).or_default() += count;
        }
        for (stage, count) in &other.stages {
            *self.stages.entry(*stage).or_default() += count;
        }
    }

    /// How many containers a feature has shaped.
    pub fn count(&self, feature: Feature) -> usize {
        self.features.get(&feature).copied().unwrap_or_default()
    }

    /// The features of a release that shaped no container, without those that generated objects
    /// on envtest can't show.
    pub fn features_missed(&self, release: &Version) -> Vec<&'static FeatureEntry> {
        let missed = |entry: &&FeatureEntry| {
            entry.covers(release)
                && self.count(entry.feature) == 0
                && out_of_reach(entry.feature, release).is_none()
        };
        features().iter().filter(missed).collect()
    }

    /// The checks of a release's operator that refused nothing, without those that generated
    /// objects on envtest can't trigger.
    pub fn checks_missed(&self, release: &Version) -> Vec<&'static CheckEntry> {
        let missed = |entry: &&CheckEntry| {
            entry.covers(release)
                && !self.checks.contains_key(&entry.check)
                && check_out_of_reach(entry.check, release).is_none()
        };
        checks().iter().filter(missed).collect()
    }

    /// The stages at which nothing was refused.
    pub fn stages_missed(&self) -> Vec<Stage> {
        let all = [
            Stage::Client,
            Stage::ApiServer,
            Stage::Operator,
            Stage::PodCreation,
        ];
        let missed = |stage: &Stage| !self.stages.contains_key(stage);
        all.into_iter().filter(missed).collect()
    }
}

/// The first release that submits a job without a Ray that answers. Older ones ask the dashboard
/// first (`Reconcile` in `rayjob_controller.go` of 1.0.0), so on envtest, which runs no
/// Ray, neither a submitter nor its absence says anything.
pub const SUBMITS_SINCE: Version = Version::new(1, 1, 0);
/// Why a release before it shows nothing of its submitters.
const NO_RAY: &str = "asks Ray first, and envtest runs none";

/// Why generated objects on envtest can't show a feature of a release; none where they can.
fn out_of_reach(feature: Feature, release: &Version) -> Option<&'static str> {
    match feature {
        Feature::SubmitterArgv | Feature::SubmitterUserCommand | Feature::SubmitterEnv
            if *release < SUBMITS_SINCE =>
        {
            Some(NO_RAY)
        }
        Feature::WaitForTls | Feature::TlsEnv => Some("needs cert-manager"),
        Feature::SubmitterRestarts => Some("needs Kubernetes 1.35"),
        _ => None,
    }
}

/// Why generated objects on envtest can't meet a check of a release; none where they can.
fn check_out_of_reach(check: OperatorCheck, release: &Version) -> Option<&'static str> {
    match check {
        OperatorCheck::DashboardPort
        | OperatorCheck::ObjectStoreMemory
        | OperatorCheck::MetadataVersion
        | OperatorCheck::EntrypointWords
        | OperatorCheck::SubmitterRuntimeEnv
            if *release < SUBMITS_SINCE =>
        {
            Some(NO_RAY)
        }
        OperatorCheck::ManagedTls => Some("needs cert-manager"),
        OperatorCheck::MetadataWithSelector | OperatorCheck::SubmitterContainer => {
            Some("makes the operator panic")
        }
        OperatorCheck::ServiceDeletionDelay | OperatorCheck::JobPreRunningDeadline => {
            Some("the API server refuses the same")
        }
        _ => None,
    }
}
