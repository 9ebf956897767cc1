//! Ranges of releases.

use semver::{Prerelease, Version, VersionReq};

/// Whether a release lies in a range. A release candidate behaves as the release that it becomes,
/// so it lies in the same ranges.
pub fn includes(range: &VersionReq, version: &Version) -> bool {
    let release = Version {
        pre: Prerelease::EMPTY,
        ..version.clone()
    };
    range.matches(version) || range.matches(&release)
}
