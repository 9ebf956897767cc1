//! Which releases a text such as `1.0.0..1.6.2` or `all` means.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use super::{VersionError, parse_version};

/// Releases as people select them: `all`, `latest`, one release, a range with both ends, or several with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releases(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All,
    Latest,
    One(Version),
    Range(Version, Version),
}

/// Why a selection holds no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no release lies in {0}; `all` means {1}")]
pub struct EmptyRange(String, String);

impl FromStr for Releases {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let part = |text: &str| match text {
            "all" => Ok(Part::All),
            "latest" => Ok(Part::Latest),
            _ => match text.split_once("..") {
                Some((from, to)) => Ok(Part::Range(
                    parse_version(from)?,
                    parse_version(to.trim_start_matches('='))?,
                )),
                None => parse_version(text).map(Part::One),
            },
        };
        text.split(',')
            .map(str::trim)
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Latest => f.write_str("latest"),
            Self::One(version) => version.fmt(f),
            Self::Range(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

impl From<Version> for Releases {
    fn from(version: Version) -> Self {
        Self(vec![Part::One(version)])
    }
}

impl Releases {
    /// The releases, oldest first, each once. `matrix` is what `all` means; a range takes of it what lies between its
    /// ends, and its ends themselves.
    ///
    /// # Errors
    /// When a part of the selection holds no release.
    pub fn resolve(&self, matrix: &[Version]) -> Result<Vec<Version>, EmptyRange> {
        let mut releases = Vec::new();
        for part in &self.0 {
            let found: Vec<Version> = match part {
                Part::All => matrix.to_vec(),
                Part::Latest => matrix.iter().max().cloned().into_iter().collect(),
                Part::One(version) => vec![version.clone()],
                Part::Range(from, to) if from > to => Vec::new(),
                Part::Range(from, to) => matrix
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

    #[rstest]
    #[case("all", "1.0.0 1.1.1 1.2.2 1.6.2")]
    #[case("latest", "1.6.2")]
    #[case("v1.2.2", "1.2.2")]
    #[case("1.1.1..1.6.2", "1.1.1 1.2.2 1.6.2")]
    #[case("1.1.0..1.2.2", "1.1.0 1.1.1 1.2.2")]
    #[case("1.0.0..=1.1.1", "1.0.0 1.1.1")]
    #[case("1.6.2, 1.0.0,1.6.2", "1.0.0 1.6.2")]
    #[case("latest,1.6.0", "1.6.0 1.6.2")]
    fn a_selection_means_releases(#[case] text: &str, #[case] expected: &str) {
        let releases = text
            .parse::<Releases>()
            .unwrap()
            .resolve(&matrix())
            .unwrap();
        let found: Vec<_> = releases.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[rstest]
    #[case("1.6")]
    #[case("newest")]
    #[case("1.0.0..")]
    #[case("")]
    fn what_is_no_release_is_refused(#[case] text: &str) {
        assert!(text.parse::<Releases>().is_err());
    }

    #[test]
    fn an_empty_range_says_what_there_is() {
        let releases: Releases = "1.6.2..1.0.0".parse().unwrap();
        let error = releases.resolve(&matrix()).unwrap_err().to_string();
        assert_eq!(
            error,
            "no release lies in 1.6.2..1.0.0; `all` means 1.0.0, 1.1.1, 1.2.2, 1.6.2"
        );
    }
}
