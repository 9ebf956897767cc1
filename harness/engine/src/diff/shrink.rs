//! A second look at differences, and the smallest objects that show them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::DiffOptions;
use super::Manifests;
use super::ask::{LONG_QUIET, Sides};
use super::cases::{Asked, Cases};
use crate::compare::{Groups, Subject, attribute};
use crate::progress::Progress;
use crate::runner::RunError;

/// Differences that are made small.
const SHRUNK: usize = 5;
/// Candidates for the smallest object of one difference.
const CANDIDATES: usize = 60;
/// Time for all candidates.
const SHRINK_WITHIN: Duration = Duration::from_secs(40);
/// Second looks at a difference that need not show every time, such as a random order.
const LOOKS: usize = 3;

impl Sides {
    /// Asks the smallest case of each difference again, now that nothing else is asked; a difference that is not seen
    /// again is removed. Returns a note for each.
    pub(super) async fn confirm(
        &self,
        groups: &mut Groups,
        cases: &Cases,
        options: &DiffOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<String>, RunError> {
        let mut notes = Vec::new();
        for shown in groups.smallest() {
            let Some(asked) = cases.named(&shown.smallest) else {
                continue;
            };
            // Another operator than the default one has gone; what its cases show is kept as it was seen.
            if !asked.settings.is_default() {
                continue;
            }
            progress.update("diff", &format!("looking again at {}", shown.subject));
            let mut seen = false;
            for _ in 0..LOOKS {
                let answer = self.ask(asked, LONG_QUIET, options).await?;
                seen = shows(&answer.changes, &shown.subject);
                if seen {
                    break;
                }
            }
            if !seen {
                notes.push(format!(
                    "a difference of {} in {} was not seen again and is not reported",
                    shown.subject, shown.smallest.name
                ));
                groups.remove(&shown.subject);
            }
        }
        Ok(notes)
    }

    /// The smallest object for each difference that no dated feature explains.
    pub(super) async fn shrink(
        &self,
        groups: &Groups,
        cases: &Cases,
        options: &DiffOptions,
        progress: &dyn Progress,
    ) -> Result<Manifests, RunError> {
        let started = Instant::now();
        let mut manifests = Manifests::new();
        let unexplained = groups.smallest().into_iter().filter(|shown| {
            let attribution = attribute(&shown.subject, &self.base.release, &self.head.release);
            attribution.features.is_empty()
        });
        for shown in unexplained.take(SHRUNK) {
            let subject = &shown.subject;
            let generated = groups.smallest_generated(subject);
            let generated = generated.and_then(|case| cases.named(case)?.generated);
            let Some((kind, number)) = generated else {
                // A scenario's own objects are small, and it is named.
                continue;
            };
            let mut shrinking = cases.objects.object(kind, number).shrink();
            let mut candidate = shrinking.candidate();
            while let Some(plan) = candidate {
                if shrinking.tried() > CANDIDATES || started.elapsed() > SHRINK_WITHIN {
                    break;
                }
                progress.update("diff", &format!("making {subject} smaller"));
                let asked = Asked::generated(kind, number, plan.manifest("c", ""));
                let answer = self.ask(&asked, LONG_QUIET, options).await?;
                candidate = shrinking.answer(shows(&answer.changes, subject));
            }
            manifests.insert(
                subject.clone(),
                bare(shrinking.smallest().manifest("found", "")),
            );
        }
        Ok(manifests)
    }
}

fn shows(changes: &[crate::compare::Change], subject: &Subject) -> bool {
    changes.iter().any(|change| change.subject == *subject)
}

fn bare(mut object: Value) -> Value {
    object["metadata"] = json!({"name": object["metadata"]["name"]});
    object
}
