//! Differential fuzzing: generated objects go to real operators, and what each operator makes of
//! them is compared with the contract.

mod ask;
mod fuzzer;
mod judge;
mod log;
mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use semver::Version;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::contract::{Difference, FieldValidation, PodRole, Stage};
use crate::generate::{Coverage, settings};
use crate::progress::Progress;
use crate::provider::{
    EnvtestPrograms, EnvtestRelease, EnvtestSpec, ReleaseSpec, RunEnd, Running, TargetError,
    TargetSpec,
};
use crate::runner::{RunError, available_releases};
use crate::scenario::OperatorSettings;
use fuzzer::Fuzzer;

/// What to fuzz.
#[derive(Debug, Clone)]
pub struct FuzzOptions {
    /// The releases.
    pub releases: ReleaseSpec,
    /// Where programs come from.
    pub target: EnvtestSpec,
    /// Pods to compare, or objects without Pods, at least, for each release.
    pub cases: usize,
    /// Objects of a release at once.
    pub jobs: usize,
    /// The same seed gives the same objects again.
    pub seed: u64,
    /// Compare the operator's own samples, too.
    pub samples: bool,
}

/// What came of one release, with all settings of its operator.
#[derive(Debug)]
pub struct FuzzOutcome {
    /// The release.
    pub release: Version,
    /// Pods that were compared, and objects without Pods.
    pub cases: usize,
    /// Objects that were sent.
    pub objects: usize,
    /// Objects of them that were refused, as the contract says.
    pub refused: usize,
    /// Sets of operator settings, the release's own among them.
    pub settings: usize,
    /// How long that took, from the first object to the last Pod, without what made differences
    /// small.
    pub took: Duration,
    /// Which features, checks and stages of the contract the cases reached.
    pub coverage: Coverage,
    /// Where the operator did otherwise than the contract says.
    pub findings: Vec<FuzzFinding>,
    /// The operator's own samples that make Pods, with what went otherwise.
    pub samples: Vec<FuzzedSample>,
}

impl FuzzOutcome {
    fn of(release: Version) -> Self {
        Self {
            release,
            cases: 0,
            objects: 0,
            refused: 0,
            settings: 1,
            took: Duration::ZERO,
            coverage: Coverage::default(),
            findings: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Adds what came of other settings.
    fn merge(&mut self, other: Self) {
        self.cases += other.cases;
        self.objects += other.objects;
        self.refused += other.refused;
        self.settings += other.settings;
        self.took += other.took;
        self.coverage.merge(&other.coverage);
        self.findings.extend(other.findings);
        self.samples.extend(other.samples);
    }
}

/// One of the operator's own samples.
#[derive(Debug)]
pub struct FuzzedSample {
    /// Its file.
    pub file: String,
    /// Kind and name of its object.
    pub object: String,
    /// Pods that were compared.
    pub pods: usize,
    /// What went otherwise than the contract says.
    pub surprise: Option<Surprise>,
    /// What it needs that a plain API server does not have, such as a feature gate; then it was
    /// not judged.
    pub left_out: Option<String>,
}

/// An object of which the operator made something else.
#[derive(Debug)]
pub struct FuzzFinding {
    /// Its number, which with the seed gives it again.
    pub number: u64,
    /// The settings of the operator.
    pub settings: OperatorSettings,
    /// Its kind.
    pub kind: &'static str,
    /// What the client asked for about unknown fields.
    pub validation: FieldValidation,
    /// What went otherwise.
    pub surprise: Surprise,
    /// The smallest object with the same kind of surprise that was found.
    pub object: Value,
    /// How many candidates there were; none where nothing smaller was looked for.
    pub tried: usize,
}

/// What went otherwise than the contract says.
#[derive(Debug)]
pub enum Surprise {
    /// A Pod holds something else.
    Differs {
        /// Head, worker or submitter.
        role: PodRole,
        /// Its group.
        group: String,
        /// What it holds.
        differences: Vec<Difference>,
    },
    /// Somebody refused what the contract says is accepted.
    Refused {
        /// The stage that refused it.
        stage: Stage,
        /// The reason.
        message: String,
    },
    /// Nobody refused what the contract says is refused.
    Accepted {
        /// The stage that should refuse it.
        stage: Stage,
        /// The reason that the contract gives.
        reason: String,
        /// The last error of the operator about it.
        log: String,
    },
    /// It was refused by somebody else, or for another reason.
    OtherReason {
        /// The reasons that the contract gives.
        expected: Vec<String>,
        /// The reason that was seen.
        found: String,
    },
    /// Not all Pods came.
    Missing {
        /// The groups without a Pod.
        groups: Vec<String>,
        /// The last error of the operator about it.
        log: String,
    },
    /// Pods came that should not.
    Extra(Vec<String>),
    /// The object that the operator made has another name.
    Misnamed {
        /// The form of the name that the contract gives.
        expected: String,
        /// The name that was seen.
        found: String,
    },
    /// The contract can't read the object, and does not say that somebody refuses it.
    Unreadable(String),
}

impl Surprise {
    /// What makes two surprises the same in kind, so that shrinking does not wander from one to
    /// another.
    fn kind(&self) -> (u8, &str, &str) {
        match self {
            Self::Differs { differences, .. } => {
                let first = differences.first();
                let (what, container) =
                    first.map_or(("", ""), |first| (first.what, first.container.as_str()));
                (0, what, container)
            }
            Self::Refused { stage, .. } => (1, stage.word(), ""),
            Self::Accepted { stage, .. } => (2, stage.word(), ""),
            Self::OtherReason { .. } => (3, "", ""),
            Self::Missing { .. } => (4, "", ""),
            Self::Extra(_) => (5, "", ""),
            Self::Misnamed { .. } => (6, "", ""),
            Self::Unreadable(_) => (7, "", ""),
        }
    }
}

/// Fuzzes each release beside the others, on an API server of its own, with one set of operator
/// settings after the other.
///
/// # Errors
/// When a program can't be had or started, or one of them ends.
pub async fn fuzz(
    options: &FuzzOptions,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<Vec<FuzzOutcome>, RunError> {
    let begin = async {
        let targets = [TargetSpec::Envtest(options.target.clone())];
        let releases = available_releases(&options.releases, &targets, &progress).await?;
        let (operators, progress) = (&releases.operators, Arc::clone(&progress));
        let programs =
            EnvtestPrograms::new(&releases, &options.target, operators, progress).await?;
        let control_plane = programs.start().await?;
        Ok::<_, RunError>((programs, control_plane))
    };
    let (programs, control_plane) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted.into()),
        up = begin => up?,
    };
    // The release's own settings come last: an operator that starts looks at every object that is
    // there.
    let in_turn = |release: &Version| settings(release).into_iter().rev().collect();
    let fuzz = async |up: EnvtestRelease| {
        let fuzzer = Fuzzer::new(&up, options, Arc::clone(&progress)).await?;
        let mut found = fuzzer.fuzz().await?;
        if options.samples && up.settings.is_default() {
            found.samples = fuzzer.samples(up.samples()).await?;
        }
        Ok(found)
    };
    let end = RunEnd::never();
    let work = programs.each((&control_plane, &end), in_turn, fuzz, async |_| Ok(None));
    let done = tokio::select! {
        () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
        cause = control_plane.first_end().ended() => Err(TargetError::Broken(cause).into()),
        done = work => done,
    };
    let done = match done {
        Ok(done) => {
            let (fuzzed, running): (Vec<Vec<FuzzOutcome>>, Vec<_>) = done.into_iter().unzip();
            join_all(running.into_iter().map(Running::stop)).await;
            Ok(merged(fuzzed.into_iter().flatten()))
        }
        Err(error) => Err(error),
    };
    control_plane.stop().await;
    done
}

/// One outcome for each release, with its findings in the order of their numbers.
fn merged(outcomes: impl Iterator<Item = FuzzOutcome>) -> Vec<FuzzOutcome> {
    let mut by_release: BTreeMap<Version, FuzzOutcome> = BTreeMap::new();
    for outcome in outcomes {
        match by_release.get_mut(&outcome.release) {
            Some(known) => known.merge(outcome),
            None => drop(by_release.insert(outcome.release.clone(), outcome)),
        }
    }
    let mut merged: Vec<FuzzOutcome> = by_release.into_values().collect();
    for outcome in &mut merged {
        outcome.findings.sort_by_key(|finding| finding.number);
    }
    merged
}
