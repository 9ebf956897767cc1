//! Releases of the operator that can't be had here: their module is refused, or out of reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::RunError;
use super::outcome::not_run;
use crate::artifact::{Programs, Store};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::provider::{ReleaseSpec, TargetSpec};
use crate::results::{CaseResult, Outcome};

/// Selected releases that can't be had, each with the reason.
#[derive(Debug, Clone, Default)]
pub struct Unavailable(BTreeMap<Version, String>);

impl Unavailable {
    /// Asks for those of some releases that nobody named; one that was named has to be there, and
    /// fails where it is used.
    ///
    /// # Errors
    /// When there is no cache folder.
    pub async fn of(
        releases: &ReleaseSpec,
        targets: &[TargetSpec],
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let mut unavailable = BTreeMap::new();
        if !need_modules(targets) {
            return Ok(Self(unavailable));
        }
        let programs = programs(targets, progress)?;
        let unnamed = |release: &&Version| !releases.named.contains(release);
        for release in releases.all_operators().iter().filter(unnamed) {
            if let Some(reason) = programs.unavailable(release).await {
                progress.line(&format!(
                    "KubeRay {release} is left out: it is not available here: {reason}"
                ));
                unavailable.insert(release.clone(), reason);
            }
        }
        Ok(Self(unavailable))
    }

    /// Whether a release is one of them.
    pub fn contains(&self, release: &Version) -> bool {
        self.0.contains_key(release)
    }

    /// The results of cases that can't run for that, and the cases that can.
    pub(super) fn split(&self, cases: Vec<TestCase>) -> (Vec<CaseResult>, Vec<TestCase>) {
        let (mut results, mut rest) = (Vec::new(), Vec::new());
        for case in cases {
            match self.skip(&case) {
                Some(result) => results.push(result),
                None => rest.push(case),
            }
        }
        (results, rest)
    }

    /// The result of a case that can't run for that; none of one that can.
    pub fn skip(&self, case: &TestCase) -> Option<CaseResult> {
        let reason = self.0.get(&case.operator)?;
        let reason = format!("KubeRay {} is not available here: {reason}", case.operator);
        Some(CaseResult {
            unavailable: true,
            ..not_run(case, Outcome::Skipped, &reason)
        })
    }
}

fn programs(targets: &[TargetSpec], progress: &Arc<dyn Progress>) -> Result<Programs, RunError> {
    let source = targets.first().map(TargetSpec::source);
    let source = source.unwrap_or_default();
    Ok(Programs::new(Store::open()?, source, Arc::clone(progress)))
}

/// Whether the operator, its CRDs or its manifests come out of the release's module on every
/// target.
fn need_modules(targets: &[TargetSpec]) -> bool {
    targets.iter().all(TargetSpec::needs_modules)
}

/// Returns the same releases with the newest that is available here, where nobody selected one.
///
/// # Errors
/// Fails when no release is available.
pub async fn default_release(
    releases: &ReleaseSpec,
    targets: &[TargetSpec],
    progress: &Arc<dyn Progress>,
) -> Result<ReleaseSpec, RunError> {
    let is_default = releases.asked.is_none() && releases.pairs.is_empty();
    let mut releases = releases.clone();
    if !is_default || !need_modules(targets) {
        return Ok(releases);
    }
    let newest = programs(targets, progress)?.newest_operator().await?;
    if releases.operators != [newest.clone()] {
        let wanted = &releases.operators[0];
        progress.line(&format!(
            "KubeRay {wanted} is not available here; the newest release that is, {newest}, takes its place"
        ));
        releases.operators = vec![newest.clone()];
    }
    // It was just found, so nobody needs to ask for it again.
    releases.named = vec![newest];
    Ok(releases)
}

/// Returns the same releases without those that are not available, for what brings targets up and
/// runs no cases.
///
/// # Errors
/// Fails when nothing is left.
pub(crate) async fn available_releases(
    releases: &ReleaseSpec,
    targets: &[TargetSpec],
    progress: &Arc<dyn Progress>,
) -> Result<ReleaseSpec, RunError> {
    let mut releases = default_release(releases, targets, progress).await?;
    let unavailable = Unavailable::of(&releases, targets, progress).await?;
    let all = releases.operators.clone();
    releases
        .operators
        .retain(|release| !unavailable.contains(release));
    if releases.operators.is_empty() {
        // The first of them says why when it is used.
        releases.operators = all;
    }
    Ok(releases)
}
