//! The harness's own clock.

use std::sync::LazyLock;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// Returns the time by the harness's own clock: the system's at the first call, and the monotonic
/// clock's progress since. It never jumps, so that two of its times tell how long something took.
/// It says nothing of the API server's clock.
pub fn now() -> Timestamp {
    static START: LazyLock<(Timestamp, Instant)> =
        LazyLock::new(|| (Timestamp::now(), Instant::now()));
    let (began, instant) = *START;
    let since = SignedDuration::try_from(instant.elapsed()).unwrap_or(SignedDuration::MAX);
    began.checked_add(since).unwrap_or(Timestamp::MAX)
}
