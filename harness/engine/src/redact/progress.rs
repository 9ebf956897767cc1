//! Progress without secrets.

use std::sync::Arc;

use super::Redactor;
use crate::progress::Progress;
use crate::results::Outcome;

/// Masks secrets in all that it passes on.
pub struct Redacted {
    progress: Arc<dyn Progress>,
    redactor: Redactor,
}

impl Redacted {
    /// Passes on to `progress` what `redactor` leaves.
    pub fn new(progress: Arc<dyn Progress>, redactor: Redactor) -> Self {
        Self { progress, redactor }
    }
}

impl Progress for Redacted {
    fn cases(&self, ids: &[String]) {
        self.progress.cases(ids);
    }

    fn update(&self, task: &str, message: &str) {
        self.progress
            .update(task, &self.redactor.redact_text(message).0);
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        self.progress
            .finish(task, outcome, &self.redactor.redact_text(message).0);
    }

    fn line(&self, text: &str) {
        self.progress.line(&self.redactor.redact_text(text).0);
    }
}
