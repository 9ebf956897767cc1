//! Live progress of long work.

use crate::results::Outcome;

/// Where long work says what it does; a terminal shows one live line for each task, everything else
/// plain lines.
pub trait Progress: Send + Sync {
    /// Announces the ids of all cases of a run, before the first of them begins. A task of the same
    /// name is that case.
    fn cases(&self, _ids: &[String]) {}
    /// Says what `task` (an artifact, the cluster, a case) does now; the first call makes the task
    /// known.
    fn update(&self, task: &str, message: &str);
    /// The task is over. `Passed` when it did what it should.
    fn finish(&self, task: &str, outcome: Outcome, message: &str);
    /// A line that belongs to no task, such as a warning.
    fn line(&self, text: &str);
}

/// Says nothing; for tests and for work whose result alone matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _task: &str, _message: &str) {}
    fn finish(&self, _task: &str, _outcome: Outcome, _message: &str) {}
    fn line(&self, _text: &str) {}
}
