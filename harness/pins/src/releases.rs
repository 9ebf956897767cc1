//! The releases that a text such as `1.0.0..1.6.2` or `all` selects.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use super::{VersionError, parse_version};

/// Releases as users select them: `all`, `latest`, one release, the newest patch of a minor
/// release (`1.6`), a range with both ends, or several with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releases(Vec<ReleaseTerm>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum ReleaseTerm {
    All,
    Latest,
    One(Version),
    /// The newest patch release of a minor release.
    Minor(u64, u64),
    Range(Version, Version),
}

/// A part of a selection that selects no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no release is in {0}; `all` means {1}")]
pub struct EmptyRange(String, String);

impl FromStr for Releases {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let part = |text: &str| match text {
            "all" => Ok(ReleaseTerm::All),
            "latest" => Ok(ReleaseTerm::Latest),
            _ => match text.split_once("..") {
                Some((from, to)) => Ok(ReleaseTerm::Range(
                    parse_version(from)?,
                    parse_version(to.trim_start_matches('='))?,
                )),
                None => match minor(text) {
                    Some((major, minor)) => Ok(ReleaseTerm::Minor(major, minor)),
                    None => parse_version(text).map(ReleaseTerm::One),
                },
            },
        };
        text.split(',')
            .map(str::trim)
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// `1.6` or `v1.6`.
fn minor(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

impl fmt::Display for ReleaseTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Latest => f.write_str("latest"),
            Self::One(version) => version.fmt(f),
            Self::Minor(major, minor) => write!(f, "{major}.{minor}"),
            Self::Range(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

impl From<Version> for Releases {
    fn from(version: Version) -> Self {
        Self(vec![ReleaseTerm::One(version)])
    }
}

impl Releases {
    /// Returns the releases, oldest first, each once.
    ///
    /// `all` selects `matrix`. A range selects the releases of `matrix` between its ends, and its
    /// ends. A minor release selects its newest patch in `pinned`.
    ///
    /// # Errors
    /// When a part of the selection selects no release.
    pub fn resolve(
        &self,
        matrix: &[Version],
        pinned: &[Version],
    ) -> Result<Vec<Version>, EmptyRange> {
        let mut releases = Vec::new();
        for part in &self.0 {
            let found: Vec<Version> = match part {
                ReleaseTerm::All => matrix.to_vec(),
                ReleaseTerm::Latest => matrix.iter().max().cloned().into_iter().collect(),
                ReleaseTerm::One(version) => vec![version.clone()],
                ReleaseTerm::Minor(major, minor) => {
                    newest_patch(*major, *minor, pinned).into_iter().collect()
                }
                ReleaseTerm::Range(from, to) if from > to => Vec::new(),
                ReleaseTerm::Range(from, to) => matrix
                    .iter()
                    .filter(|version| (from..=to).contains(version))
                    .chain([from, to])
                    .cloned()
                    .collect(),
            };
            if found.is_empty() {
                let all: Vec<_> = matrix.iter().map(ToString::to_string).collect();
                return Err(EmptyRange(part.to_string(), all.join(", ")));
            }
            releases.extend(found);
        }
        releases.sort();
        releases.dedup();
        Ok(releases)
    }

    /// Returns the releases that are named one by one, such as `1.6.2` and `1.6`, without those of
    /// `all`, `latest` and ranges.
    pub fn named(&self, pinned: &[Version]) -> Vec<Version> {
        let one = |part: &ReleaseTerm| match part {
            ReleaseTerm::One(version) => Some(version.clone()),
            ReleaseTerm::Minor(major, minor) => newest_patch(*major, *minor, pinned),
            ReleaseTerm::All | ReleaseTerm::Latest | ReleaseTerm::Range(..) => None,
        };
        self.0.iter().filter_map(one).collect()
    }
}

fn newest_patch(major: u64, minor: u64, pinned: &[Version]) -> Option<Version> {
    let of_minor = |version: &&Version| (version.major, version.minor) == (major, minor);
    pinned.iter().filter(of_minor).max().cloned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn matrix() -> Vec<Version> {
        ["1.0.0", "1.1.1", "1.2.2", "1.6.2"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    fn pinned() -> Vec<Version> {
        ["1.0.0", "1.1.0", "1.1.1", "1.2.2", "1.6.0", "1.6.2"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    #[rstest]
    #[case("all", "")]
    #[case("latest", "")]
    #[case("1.0.0..1.6.2", "")]
    #[case("1.6.0,all", "1.6.0")]
    #[case("1.6, 1.1.1", "1.6.2 1.1.1")]
    fn what_is_named_one_by_one(#[case] text: &str, #[case] expected: &str) {
        let named = text.parse::<Releases>().unwrap().named(&pinned());
        let named: Vec<_> = named.iter().map(ToString::to_string).collect();
        assert_eq!(named.join(" "), expected);
    }

    #[test]
    fn a_minor_release_that_is_not_pinned_says_what_there_is() {
        let releases: Releases = "1.9".parse().unwrap();
        let error = releases.resolve(&matrix(), &pinned()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no release is in 1.9; `all` means 1.0.0, 1.1.1, 1.2.2, 1.6.2"
        );
    }

    #[rstest]
    #[case("all", "1.0.0 1.1.1 1.2.2 1.6.2")]
    #[case("latest", "1.6.2")]
    #[case("v1.2.2", "1.2.2")]
    #[case("1.1.1..1.6.2", "1.1.1 1.2.2 1.6.2")]
    #[case("1.1.0..1.2.2", "1.1.0 1.1.1 1.2.2")]
    #[case("1.0.0..=1.1.1", "1.0.0 1.1.1")]
    #[case("1.6.2, 1.0.0,1.6.2", "1.0.0 1.6.2")]
    #[case("latest,1.6.0", "1.6.0 1.6.2")]
    #[case("1.6", "1.6.2")]
    #[case("v1.1", "1.1.1")]
    fn a_selection_means_releases(#[case] text: &str, #[case] expected: &str) {
        let releases = text
            .parse::<Releases>()
            .unwrap()
            .resolve(&matrix(), &pinned())
            .unwrap();
        let found: Vec<_> = releases.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[rstest]
    #[case("1")]
    #[case("1.6.x")]
    #[case("newest")]
    #[case("1.0.0..")]
    #[case("")]
    fn what_is_no_release_is_refused(#[case] text: &str) {
        assert!(text.parse::<Releases>().is_err());
    }

    #[test]
    fn an_empty_range_says_what_there_is() {
        let releases: Releases = "1.6.2..1.0.0".parse().unwrap();
        let error = releases
            .resolve(&matrix(), &pinned())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "no release is in 1.6.2..1.0.0; `all` means 1.0.0, 1.1.1, 1.2.2, 1.6.2"
        );
    }
}
