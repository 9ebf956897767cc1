//! The review of pending snapshots: asks a reviewer about each, and carries the answers out.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use super::{ExpectError, Pending, accept, reject};
use crate::align::WordChange;

/// What came of a review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reviewed {
    /// Snapshots that were written.
    pub accepted: Vec<PathBuf>,
    /// Pending snapshots that were removed.
    pub rejected: Vec<PathBuf>,
    /// Pending snapshots that stay as they are.
    pub skipped: Vec<PathBuf>,
}

/// What to do with a pending snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Write it.
    Accept,
    /// Remove it.
    Reject,
    /// Leave it as it is.
    Skip,
}

/// An answer about a pending snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What to do with it.
    pub decision: Decision,
    /// Whether the answer is for every other snapshot with the same change, too.
    pub for_all_alike: bool,
}

/// A pending snapshot that the reviewer sees.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The snapshot.
    pub pending: &'a Pending,
    /// Its number, from 1 on.
    pub position: usize,
    /// How many are reviewed.
    pub total: usize,
    /// How many others have the same change.
    pub alike: usize,
}

/// A reviewer, such as a person at a terminal.
pub trait Reviewer {
    /// Shows the snapshot.
    ///
    /// # Errors
    /// Fails when it can't be shown.
    fn show(&mut self, question: &Question<'_>) -> io::Result<()>;

    /// Asks what to do with the snapshot that was shown last. `None` ends the review.
    ///
    /// # Errors
    /// Fails when the answer can't be read.
    fn ask(&mut self, question: &Question<'_>) -> io::Result<Option<Answer>>;

    /// Shows why the snapshot can't be accepted. [`Reviewer::ask`] follows again.
    ///
    /// # Errors
    /// Fails when it can't be shown.
    fn refused(&mut self, refusal: &ExpectError) -> io::Result<()>;
}

/// A pending snapshot that is still to be asked about.
struct OpenQuestion {
    position: usize,
    pending: Pending,
    /// Its change when the review began.
    changes: Option<Vec<WordChange>>,
}

impl OpenQuestion {
    fn new((index, pending): (usize, &Pending)) -> Self {
        Self {
            position: index + 1,
            pending: pending.clone(),
            changes: pending.changes(),
        }
    }

    /// Whether both have the same change: when the review began, and still.
    fn is_as(&self, other: &OpenQuestion) -> Result<bool, ExpectError> {
        let same = self.changes.is_some() && self.changes == other.changes;
        Ok(same && self.pending.refreshed()?.changes() == self.changes)
    }
}

/// Asks about each pending snapshot and carries the answer out. Once the reviewer ends the review,
/// the rest stays as it is. `partial` has the meaning that it has for [`accept`]; a snapshot that
/// [`accept`] refuses is asked about again.
///
/// # Errors
/// Fails when the reviewer can't be asked, or a file can't be written or removed.
pub fn review(
    pending: &[Pending],
    partial: bool,
    reviewer: &mut dyn Reviewer,
) -> Result<Reviewed, ExpectError> {
    let mut reviewed = Reviewed::default();
    let mut rest: VecDeque<OpenQuestion> =
        pending.iter().enumerate().map(OpenQuestion::new).collect();
    while let Some(asked) = rest.pop_front() {
        let snapshot = asked.pending.refreshed()?;
        let mut alike = Vec::new();
        for (index, other) in rest.iter().enumerate() {
            if other.is_as(&asked)? {
                alike.push(index);
            }
        }
        let question = Question {
            pending: &snapshot,
            position: asked.position,
            total: pending.len(),
            alike: alike.len(),
        };
        reviewer.show(&question)?;
        let for_all_alike = loop {
            let Some(answer) = reviewer.ask(&question)? else {
                let left = rest.iter().map(|other| other.pending.path.clone());
                reviewed.skipped.push(snapshot.path.clone());
                reviewed.skipped.extend(left);
                return Ok(reviewed);
            };
            if reviewed.act(answer.decision, &snapshot, partial, reviewer)? {
                break answer.for_all_alike.then_some(answer.decision);
            }
        };
        let Some(decision) = for_all_alike else {
            continue;
        };
        // From the last one on, so that the other indices stay true.
        for index in alike.iter().rev() {
            if let Some(other) = rest.remove(*index)
                && !reviewed.act(decision, &other.pending, partial, reviewer)?
            {
                rest.insert(*index, other);
            }
        }
    }
    Ok(reviewed)
}

impl Reviewed {
    /// Carries a decision out. Returns false if the snapshot was refused, after the reviewer was
    /// shown why.
    fn act(
        &mut self,
        decision: Decision,
        pending: &Pending,
        partial: bool,
        reviewer: &mut dyn Reviewer,
    ) -> Result<bool, ExpectError> {
        match decision {
            Decision::Accept => match accept(pending, partial) {
                Ok(path) => self.accepted.push(path),
                Err(refusal @ ExpectError::Partial { .. }) => {
                    reviewer.refused(&refusal)?;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            },
            Decision::Reject => {
                reject(pending)?;
                self.rejected.push(pending.path.clone());
            }
            Decision::Skip => self.skipped.push(pending.path.clone()),
        }
        Ok(true)
    }
}
