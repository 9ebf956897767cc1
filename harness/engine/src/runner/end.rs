//! The end of a run that has a time limit.

use tokio::time::Instant;

/// Waits for a moment; for ever where there is none.
pub(super) async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
