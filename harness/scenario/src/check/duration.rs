//! Lengths of time that checks name.

use jiff::SignedDuration;

/// The length under a key of a check.
///
/// # Errors
/// A sentence where it is none.
pub(super) fn parse(key: &str, text: &str) -> Result<SignedDuration, String> {
    text.parse()
        .map_err(|error| format!("`{key}: {text}` is not a duration such as 10s: {error}"))
}
