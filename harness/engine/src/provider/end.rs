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

    /// Returns why work has no result although nothing broke and nobody interrupted the run.
    pub(crate) fn cut_off(&self) -> TargetError {
        self.timeout
            .map_or(TargetError::Interrupted, TargetError::Timeout)
    }
}
