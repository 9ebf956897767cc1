//! The harness's own clock.

use std::sync::LazyLock;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// Returns the time of the harness: the system time at the first call, plus the time that the
/// monotonic clock has counted since. This clock never jumps, so the difference of two times is a
/// duration. Do not compare it with times of the API server.
pub fn now() -> Timestamp {
    static START: LazyLock<(Timestamp, Instant)> =
        LazyLock::new(|| (Timestamp::now(), Instant::now()));
    let (began, instant) = *START;
    let since = SignedDuration::try_from(instant.elapsed()).unwrap_or(SignedDuration::MAX);
    began.checked_add(since).unwrap_or(Timestamp::MAX)
}
