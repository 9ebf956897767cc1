//! The time limit of `cluster up`, and what it did when that was over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{RunError, up};
use crate::progress::Progress;
use crate::provider::{ReleaseSpec, TargetError, TargetSpec, TargetUp};
use crate::results::Outcome;

/// Longest time to end the work that it has begun.
const ENDED_WITHIN: Duration = Duration::from_secs(4);

/// As [`up`], with a time limit.
///
/// # Errors
/// As [`up`], and when the limit is over; the error names what was being done.
pub async fn up_within(
    releases: &ReleaseSpec,
    targets: &[TargetSpec],
    limit: Duration,
    progress: Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<Vec<TargetUp>, RunError> {
    let last = Arc::new(Last::new(progress));
    let own = cancel.child_token();
    let work = up(releases, targets, Arc::clone(&last) as _, own.clone());
    within(limit, &last, &own, work).await
}

async fn within<T>(
    limit: Duration,
    last: &Last,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = tokio::time::sleep(limit) => {}
    }
    let doing = last.doing();
    cancel.cancel();
    // It ends the programs that it has started.
    match tokio::time::timeout(ENDED_WITHIN, work).await {
        Ok(Ok(done)) => Ok(done),
        _ => Err(TargetError::UpTimeout { limit, doing }.into()),
    }
}

/// Hands progress on, and knows what was said last.
struct Last {
    inner: Arc<dyn Progress>,
    doing: Mutex<Option<String>>,
}

impl Last {
    fn new(inner: Arc<dyn Progress>) -> Self {
        Self {
            inner,
            doing: Mutex::default(),
        }
    }

    fn note(&self, doing: Option<String>) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }

    fn doing(&self) -> String {
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        doing.clone().unwrap_or_else(|| "its beginning".into())
    }
}

impl Progress for Last {
    fn cases(&self, ids: &[String]) {
        self.inner.cases(ids);
    }

    fn update(&self, task: &str, message: &str) {
        self.note(Some(format!("`{task}: {message}`")));
        self.inner.update(task, message);
    }

    fn finish(&self, task: &str, outcome: Outcome, message: &str) {
        self.note(Some(format!("the step after `{task}: {message}`")));
        self.inner.finish(task, outcome, message);
    }

    fn line(&self, text: &str) {
        self.note(Some(format!("`{text}`")));
        self.inner.line(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[tokio::test]
    async fn what_was_being_done_at_the_limit_is_named() {
        let last = Last::new(Arc::new(Silent));
        let cancel = CancellationToken::new();
        let work = async {
            last.update("cluster", "waiting for the nodes");
            cancel.cancelled().await;
            Err(TargetError::Interrupted.into())
        };
        let limit = Duration::from_millis(50);
        let done: Result<(), _> = within(limit, &last, &cancel, work).await;
        let told = done.unwrap_err().to_string();
        assert!(told.contains("time limit of 50ms"), "{told}");
        assert!(told.contains("`cluster: waiting for the nodes`"), "{told}");
        assert!(cancel.is_cancelled(), "what it has begun ends");
    }

    #[tokio::test]
    async fn what_is_done_in_time_is_not_told_of() {
        let last = Last::new(Arc::new(Silent));
        let cancel = CancellationToken::new();
        let done = within(Duration::from_mins(1), &last, &cancel, async { Ok(7) }).await;
        assert_eq!(done.unwrap(), 7);
    }
}
