//! Releases as users write them.

use semver::Version;

/// A reason why a text is not a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a release: {reason}; write it whole, such as `1.6.2` or `v1.6.2`")]
pub struct VersionError {
    text: String,
    reason: String,
}

/// Reads a release with or without a leading `v`: `v1.6.2`, `1.6.2`, `1.7.0-rc.0`.
///
/// # Errors
/// When the text is not three numbers with dots.
pub fn parse_version(text: &str) -> Result<Version, VersionError> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).map_err(|error| VersionError {
        text: text.into(),
        reason: error.to_string(),
    })
}
