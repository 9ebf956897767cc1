//! A second look at differences, and the smallest objects that show them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::DiffOptions;
use super::Manifests;
use super::ask::LONG_QUIET;
use super::cases::{Cases, SentCase};
use super::sides::Sides;
use crate::compare::{ChangeSubject, Groups, attribute};
use crate::progress::Progress;
use crate::runner::RunError;

/// Differences that are made small.
const SHRUNK: usize = 5;
/// Candidates for the smallest object of one difference.
const CANDIDATES: usize = 400;
/// Time for all candidates.
const SHRINK_WITHIN: Duration = Duration::from_secs(30);
/// Further looks at a difference that no dated feature explains. What an operator decides by
/// chance, such as which of two names of a resource counts, differs in about every second look.
const LOOKS: usize = 6;
/// Cases of one difference that are looked at again.
const CASES: usize = 4;

impl Sides {
    /// Asks the smallest case of each difference again, now that nothing else is asked; a
    /// difference that is not seen every time is removed. Returns a note for each.
    pub(super) async fn confirm(
        &self,
        groups: &mut Groups,
        cases: &Cases,
        options: &DiffOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<String>, RunError> {
        let mut notes = Vec::new();
        for shown in groups.smallest() {
            let subject = &shown.subject;
            let features = attribute(subject, &self.base.release, &self.head.release).features;
            let looks = if features.is_empty() { LOOKS } else { 1 };
            let mut tried = 0;
            while let Some(case) = groups.smallest_of(subject) {
                let Some(asked) = cases.named(&case) else {
                    break;
                };
                // Another operator than the default one has gone; what its cases show is kept as it
                // was seen.
                if !asked.settings.is_default() {
                    break;
                }
                progress.update("diff", &format!("looking again at {subject}"));
                if self.is_seen_again(asked, subject, looks, options).await? {
                    break;
                }
                groups.remove_case(subject, &case);
                tried += 1;
                if tried == CASES {
                    groups.remove(subject);
                }
            }
            if tried > 0 && groups.smallest_of(subject).is_none() {
                notes.push(format!(
                    "{subject} varies by itself in {}, so that it is not reported",
                    shown.smallest.name
                ));
            }
        }
        Ok(notes)
    }

    /// Whether a case shows a difference every time. A random order shows it nearly every time, so
    /// that once is enough.
    async fn is_seen_again(
        &self,
        asked: &SentCase,
        subject: &ChangeSubject,
        looks: usize,
        options: &DiffOptions,
    ) -> Result<bool, RunError> {
        let once = *subject == ChangeSubject::FlagOrder;
        for _ in 0..looks {
            let answer = self.ask(asked, LONG_QUIET, options).await?;
            if shows(&answer.changes, subject) == once {
                return Ok(once);
            }
        }
        Ok(!once)
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
            // What an operator calls itself shows on every object.
            attribution.features.is_empty() && shown.subject != ChangeSubject::ReleaseTag
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
                let asked = SentCase::generated(kind, number, plan.manifest("c", ""));
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

fn shows(changes: &[crate::compare::Change], subject: &ChangeSubject) -> bool {
    changes.iter().any(|change| change.subject == *subject)
}

fn bare(mut object: Value) -> Value {
    object["metadata"] = json!({"name": object["metadata"]["name"]});
    object
}
