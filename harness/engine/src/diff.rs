//! Compares two operators: both get the same objects on API servers of their own, and what they
//! make of them is compared with each other instead of with snapshots.

mod accept;
mod ask;
mod cases;
mod shrink;
mod side;
mod sides;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use semver::Version;
use tokio_util::sync::CancellationToken;

use crate::artifact::SourcePolicy;
use crate::compare::{ChangeSubject, DIFF_VERSION, Diff, Groups, Recorded};
use crate::progress::Progress;
use crate::provider::TargetError;
use crate::runner::RunError;
use cases::Cases;
pub use side::OperatorOf;
use sides::Sides;

/// What to compare.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// The operator before the change.
    pub base: OperatorOf,
    /// The operator after the change.
    pub head: OperatorOf,
    /// Folder of the scenarios.
    pub scenarios: PathBuf,
    /// Words of which a scenario's name must contain one; all scenarios when empty.
    pub names: Vec<String>,
    /// Generated objects of each kind.
    pub objects: u64,
    /// The same seed gives the same objects again.
    pub seed: u64,
    /// Cases that wait for their Pods at once.
    pub jobs: usize,
    /// Where programs come from.
    pub source: SourcePolicy,
    /// Record the snapshots of the head as those of a new release.
    pub accept_as: Option<Version>,
}

/// What a comparison found.
#[derive(Debug)]
pub struct DiffOutcome {
    /// The document.
    pub diff: Diff,
    /// Snapshots of a new class, where they were asked for.
    pub recorded: Vec<Recorded>,
}

/// Compares two operators.
///
/// # Errors
/// When a program can't be had or started, or one of them ends: then the two could not be compared.
pub async fn diff(
    options: &DiffOptions,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<DiffOutcome, RunError> {
    let sides = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TargetError::Interrupted.into()),
        sides = Sides::start(options, &progress) => sides?,
    };
    let done = tokio::select! {
        () = cancel.cancelled() => Err(TargetError::Interrupted.into()),
        cause = sides.base.envtest.first_end().ended() => Err(TargetError::Broken(format!("the base: {cause}")).into()),
        cause = sides.head.envtest.first_end().ended() => Err(TargetError::Broken(format!("the head: {cause}")).into()),
        done = compare(&sides, options, &*progress) => done,
    };
    sides.stop().await;
    done
}

async fn compare(
    sides: &Sides,
    options: &DiffOptions,
    progress: &dyn Progress,
) -> Result<DiffOutcome, RunError> {
    let started = Instant::now();
    let cases = Cases::plan(sides, options)?;
    let mut notes = cases.notes.clone();
    let mut groups = Groups::default();
    let mut recorded = Vec::new();
    let mut containers = 0;
    for answer in sides.ask_all(&cases.cases, options, progress).await? {
        containers += answer.containers();
        answer.add_to(&mut groups);
        recorded.extend(answer.recorded);
    }
    groups.join_containers();
    notes.extend(
        sides
            .confirm(&mut groups, &cases, options, progress)
            .await?,
    );
    let manifests = sides.shrink(&groups, &cases, options, progress).await?;
    let entries = groups.entries(&sides.base.release, &sides.head.release, &manifests);
    if options.accept_as.is_some() {
        recorded.sort_by(|a: &Recorded, b| (&a.scenario, &a.file).cmp(&(&b.scenario, &b.file)));
    }
    let (scenarios, objects) = cases.counts();
    Ok(DiffOutcome {
        diff: Diff {
            version: DIFF_VERSION.into(),
            base: sides.base.described(),
            head: sides.head.described(),
            equal: entries.is_empty(),
            seed: options.seed,
            scenarios,
            objects,
            containers,
            seconds: started.elapsed().as_secs_f64(),
            entries,
            notes,
        },
        recorded,
    })
}

/// The smallest objects, by what they show.
type Manifests = BTreeMap<ChangeSubject, serde_json::Value>;
