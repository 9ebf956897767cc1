//! Lengths of time that checks name.

use jiff::SignedDuration;

use crate::parse_duration;

/// The length under a key of a check.
///
/// # Errors
/// A sentence where it is none.
pub(super) fn parse(key: &str, text: &str) -> Result<SignedDuration, String> {
    let length = parse_duration(text).map_err(|error| format!("`{key}`: {error}"))?;
    SignedDuration::try_from(length).map_err(|error| format!("`{key}: {text}`: {error}"))
}
