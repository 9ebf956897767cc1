//! Releases of the operator and of Ray that are run with each other.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::Deserialize;

use super::{VersionError, parse_version};

/// A release of the operator and one of Ray.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Release of the operator.
    pub operator: Version,
    /// Release of Ray.
    pub ray: Version,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.operator, self.ray)
    }
}

/// A reason why a text is not a pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// A text without `/`.
    #[error(
        "`{0}` is not a pair of releases: write those of the operator and of Ray with a slash between them, such as \
         `1.0.0/2.7.0`, or `all`"
    )]
    NoSlash(String),
    /// A text in which one of the two parts is not a release.
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl FromStr for Pair {
    type Err = PairError;

    fn from_str(text: &str) -> Result<Self, PairError> {
        let (operator, ray) = text
            .split_once('/')
            .ok_or_else(|| PairError::NoSlash(text.into()))?;
        Ok(Self {
            operator: parse_version(operator)?,
            ray: parse_version(ray)?,
        })
    }
}

impl Pair {
    /// Returns a pair for every operator with every Ray, in the order of the operators.
    pub fn crossed(operators: &[Version], rays: &[Version]) -> Vec<Self> {
        let with = |operator: &Version| {
            let operator = operator.clone();
            rays.iter().map(move |ray| Self {
                operator: operator.clone(),
                ray: ray.clone(),
            })
        };
        operators.iter().flat_map(with).collect()
    }
}

/// Pairs as users select them: one, or `all` for the listed ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pairs {
    /// The pairs of `fixtures/versions.yaml`.
    All,
    /// One, listed or not.
    One(Pair),
}

impl FromStr for Pairs {
    type Err = PairError;

    fn from_str(text: &str) -> Result<Self, PairError> {
        match text.trim() {
            "all" => Ok(Self::All),
            pair => pair.parse().map(Self::One),
        }
    }
}

impl Pairs {
    /// Returns the pairs of several selections, in their order, each once; `all` selects `listed`.
    pub fn resolve(selections: &[Self], listed: &[Pair]) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::new();
        for selection in selections {
            let found = match selection {
                Self::All => listed,
                Self::One(pair) => std::slice::from_ref(pair),
            };
            for pair in found {
                if !pairs.contains(pair) {
                    pairs.push(pair.clone());
                }
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn listed() -> Vec<Pair> {
        ["1.6.2/2.52.0", "1.0.0/2.7.0"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    #[rstest]
    #[case(&["all"], "1.6.2/2.52.0 1.0.0/2.7.0")]
    #[case(&["v1.0.0/2.6.3"], "1.0.0/2.6.3")]
    #[case(&["1.0.0/2.7.0", "all"], "1.0.0/2.7.0 1.6.2/2.52.0")]
    fn a_selection_means_pairs(#[case] texts: &[&str], #[case] expected: &str) {
        let selections: Vec<Pairs> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let pairs: Vec<_> = Pairs::resolve(&selections, &listed())
            .iter()
            .map(Pair::to_string)
            .collect();
        assert_eq!(pairs.join(" "), expected);
    }

    #[rstest]
    #[case("1.0.0", "write those of the operator and of Ray with a slash")]
    #[case("1.0.0/2.7", "`2.7` is not a release")]
    fn what_is_no_pair_is_told_what_is(#[case] text: &str, #[case] expected: &str) {
        let error = text.parse::<Pairs>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn every_operator_is_crossed_with_every_ray() {
        let versions = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<Version>>()
        };
        let pairs: Vec<_> = Pair::crossed(&versions(&["1.0.0", "1.6.2"]), &versions(&["2.7.0"]))
            .iter()
            .map(Pair::to_string)
            .collect();
        assert_eq!(pairs, ["1.0.0/2.7.0", "1.6.2/2.7.0"]);
    }
}
