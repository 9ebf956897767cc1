//! The end of a run: when it is interrupted, and when its time limit is over.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::TargetError;

/// Waits for a moment; for ever where there is none.
pub(crate) async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Longest time to gather evidence after the run was interrupted.
const AFTER_AN_INTERRUPTION: Duration = Duration::from_secs(10);
/// Longest time of the remaining work of a run after its time limit.
pub(crate) const AFTER_THE_LIMIT: Duration = Duration::from_millis(2500);
/// Shortest time limit of the remaining work of a run. API servers answer its requests within this
/// time, if they answer at all.
pub(crate) const AT_LEAST: Duration = Duration::from_millis(1500);

/// Ends some seconds after the run: what is left of it then must not wait for a server that does
/// not answer.
pub(crate) async fn long_over(cancel: &CancellationToken, ends: Option<Instant>) {
    let soon = Instant::now() + AT_LEAST;
    let interrupted = async {
        cancel.cancelled().await;
        tokio::time::sleep(AFTER_AN_INTERRUPTION).await;
    };
    tokio::select! {
        () = interrupted => {}
        () = until(ends.map(|end| soon.max(end + AFTER_THE_LIMIT))) => {}
    }
}

/// When a run ends before its work is done.
#[derive(Debug, Clone)]
pub(crate) struct RunEnd {
    /// Ends it at once.
    pub(crate) cancel: CancellationToken,
    /// When its time limit is over.
    pub(crate) ends: Option<Instant>,
    /// The time limit.
    pub(crate) timeout: Option<Duration>,
}

impl RunEnd {
    /// Never; for work that another limit ends.
    pub(crate) fn never() -> Self {
        Self {
            cancel: CancellationToken::new(),
            ends: None,
            timeout: None,
        }
    }

    /// Does work, and drops it when the run ends.
    pub(crate) async fn limit<T, E: From<TargetError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(TargetError::Interrupted.into()),
            () = until(self.ends) => Err(self.cut_off().into()),
            done = work => done,
        }
    }

    /// Does what is left of a run; `None` where that is not done some seconds after its end.
    pub(crate) async fn finish<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = long_over(&self.cancel, self.ends) => None,
        }
    }

    /// Whether the run has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.ends.is_some_and(|end| Instant::now() >= end)
    }

    /// Returns why work has no result although nothing broke and nobody interrupted the run.
    pub(crate) fn cut_off(&self) -> TargetError {
        self.timeout
            .map_or(TargetError::Interrupted, TargetError::Timeout)
    }
}
