//! Exploration: objects go to a real operator, and what it makes of them is compared with the contract.

mod fuzzer;
mod pods;
mod samples;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use semver::Version;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::contract::{Difference, PodRole};
use crate::generate::Coverage;
use crate::progress::Progress;
use crate::provider::{
    EnvtestPrograms, EnvtestRelease, EnvtestSpec, ReleaseSpec, Running, TargetError, TargetSpec,
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
    /// Ray containers to compare at least, for each release.
    pub cases: usize,
    /// RayClusters of a release that wait for their Pods at once.
    pub jobs: usize,
    /// The same seed gives the same RayClusters again.
    pub seed: u64,
    /// Compare the operator's own samples, too.
    pub samples: bool,
}

/// What came of one release.
#[derive(Debug)]
pub struct FuzzOutcome {
    /// The release.
    pub release: Version,
    /// Ray containers that were compared.
    pub cases: usize,
    /// RayClusters that held them.
    pub clusters: usize,
    /// How long that took, from the first RayCluster to the last Pod, without what made differences small.
    pub took: Duration,
    /// Which features of the contract the cases reached.
    pub coverage: Coverage,
    /// Where the operator did otherwise than the contract says.
    pub findings: Vec<Finding>,
    /// The operator's own samples that make Pods, with what went otherwise.
    pub samples: Vec<Sample>,
}

/// One of the operator's own samples.
#[derive(Debug)]
pub struct Sample {
    /// Its file.
    pub file: String,
    /// Kind and name of its object.
    pub object: String,
    /// Pods that were compared.
    pub pods: usize,
    /// What went otherwise than the contract says.
    pub surprise: Option<Surprise>,
    /// What it needs that a plain control plane does not have, such as a feature gate; then it was not judged.
    pub left_out: Option<String>,
}

/// A RayCluster of which the operator made something else.
#[derive(Debug)]
pub struct Finding {
    /// Its number, which with the seed gives it again.
    pub number: u64,
    /// What went otherwise.
    pub surprise: Surprise,
    /// The smallest RayCluster with the same kind of surprise; none where it was not looked for.
    pub smallest: Option<Value>,
    /// How many candidates there were.
    pub tried: usize,
}

/// What went otherwise than the contract says.
#[derive(Debug)]
pub enum Surprise {
    /// A Pod holds something else.
    Differs {
        /// Head or worker.
        role: PodRole,
        /// Its group.
        group: String,
        /// What it holds.
        differences: Vec<Difference>,
    },
    /// The API server refused the RayCluster.
    Refused(String),
    /// Not all Pods came.
    Missing {
        /// The groups without a Pod.
        groups: Vec<String>,
        /// What the operator wrote last about it.
        log: String,
    },
}

impl Surprise {
    /// What makes two surprises the same in kind, so that shrinking does not wander from one to another.
    fn kind(&self) -> (u8, &str, &str) {
        match self {
            Self::Differs { differences, .. } => {
                let first = differences.first();
                let (what, container) =
                    first.map_or(("", ""), |first| (first.what, first.container.as_str()));
                (0, what, container)
            }
            Self::Refused(_) => (1, "", ""),
            Self::Missing { .. } => (2, "", ""),
        }
    }
}

/// Explores each release beside the others, on a control plane of its own.
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
        let plane = programs.start().await?;
        Ok::<_, RunError>((programs, plane))
    };
    let (programs, plane) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted.into()),
        up = begin => up?,
    };
    let settings = |_: &Version| BTreeSet::from([OperatorSettings::default()]);
    let fuzz = async |up: EnvtestRelease| {
        let fuzzer = Fuzzer::new(&up, options, Arc::clone(&progress)).await?;
        let mut found = fuzzer.fuzz().await?;
        if options.samples {
            found.samples = fuzzer.samples(up.samples()).await?;
        }
        Ok(found)
    };
    let work = programs.each(&plane, settings, fuzz, async |_| Ok(None));
    let done = tokio::select! {
        () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
        cause = plane.alarm().rung() => Err(TargetError::Broken(cause).into()),
        done = work => done,
    };
    let done = match done {
        Ok(done) => {
            let (fuzzed, running): (Vec<Vec<FuzzOutcome>>, Vec<_>) = done.into_iter().unzip();
            join_all(running.into_iter().map(Running::stop)).await;
            Ok(fuzzed.into_iter().flatten().collect())
        }
        Err(error) => Err(error),
    };
    plane.stop().await;
    done
}
