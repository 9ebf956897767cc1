//! Releases of the operator that can't be had here: their module is refused, or out of reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::outcome::not_run;
use super::{Options, RunError};
use crate::artifact::{Programs, Store};
use crate::plan::TestCase;
use crate::progress::Progress;
use crate::results::{CaseResult, Outcome};

/// Selected releases that can't be had, each with the reason.
#[derive(Debug, Clone, Default)]
pub struct Unavailable(BTreeMap<Version, String>);

impl Unavailable {
    /// Asks for those of some releases that nobody named; one that was named has to be there, and fails where it is used.
    ///
    /// # Errors
    /// When there is no cache folder.
    pub async fn of(options: &Options, progress: &Arc<dyn Progress>) -> Result<Self, RunError> {
        let mut unavailable = BTreeMap::new();
        if !options.needs_modules() {
            return Ok(Self(unavailable));
        }
        let programs = programs(options, progress)?;
        let unnamed = |release: &&Version| !options.named.contains(release);
        for release in options.all_operators().iter().filter(unnamed) {
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

fn programs(options: &Options, progress: &Arc<dyn Progress>) -> Result<Programs, RunError> {
    Ok(Programs::new(
        Store::open()?,
        options.source,
        Arc::clone(progress),
    ))
}

impl Options {
    /// Whether the run takes the operator, its CRDs or its manifests out of the release's module.
    fn needs_modules(&self) -> bool {
        let installs = |existing: &super::InExisting| existing.install_operator;
        let brings_all = self.operator_binary.is_some() && self.crds.is_some();
        self.existing.as_ref().is_none_or(installs) && self.manifests.is_none() && !brings_all
    }

    /// Every release of the operator that is selected, each once.
    fn all_operators(&self) -> Vec<Version> {
        let of_pairs = self.pairs.iter().map(|pair| &pair.operator);
        let mut all: Vec<Version> = self.operators.iter().chain(of_pairs).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// The same with the newest release that can be had here, where nobody selected one.
    ///
    /// # Errors
    /// When no release can be had.
    pub async fn with_default_release(
        &self,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let is_default = self.operator_asked.is_none() && self.pairs.is_empty();
        let mut options = self.clone();
        if !is_default || !self.needs_modules() {
            return Ok(options);
        }
        let newest = programs(self, progress)?.newest_operator().await?;
        if self.operators != [newest.clone()] {
            let wanted = &self.operators[0];
            progress.line(&format!(
                "KubeRay {wanted} is not available here; the newest release that is, {newest}, takes its place"
            ));
            options.operators = vec![newest.clone()];
        }
        // It was just found, so nobody needs to ask for it again.
        options.named = vec![newest];
        Ok(options)
    }

    /// The same without releases that can't be had, for what brings targets up and runs no cases.
    ///
    /// # Errors
    /// When nothing is left.
    pub(crate) async fn with_available_releases(
        &self,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, RunError> {
        let mut options = self.with_default_release(progress).await?;
        let unavailable = Unavailable::of(&options, progress).await?;
        let all = options.operators.clone();
        options
            .operators
            .retain(|release| !unavailable.contains(release));
        if options.operators.is_empty() {
            // The first of them tells why when it is used.
            options.operators = all;
        }
        Ok(options)
    }
}
