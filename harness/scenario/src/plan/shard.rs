//! Which part of a plan one of several machines runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Durations, TestCase};

/// What a release costs in envtest, its API server most of all: all seven took 51 to 53 s
/// (docs/benchmarks.md).
const RELEASE: Duration = Duration::from_millis(7500);

/// Part `index` of `count` of a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// Which one, from 1.
    pub index: u16,
    /// How many there are.
    pub count: u16,
}

/// Why a text is not a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a shard: write which one of how many, such as `1/3`, `2/3` and `3/3`")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let read = || {
            let (index, count) = text.split_once('/')?;
            let (index, count) = (index.trim().parse().ok()?, count.trim().parse().ok()?);
            (1..=count)
                .contains(&index)
                .then_some(Self { index, count })
        };
        read().ok_or_else(|| ShardError(text.into()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// A shard, and what decides which cases are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// The shard.
    pub shard: Shard,
    /// How long cases took.
    pub durations: Durations,
}

impl Division {
    /// The cases of a whole plan that are the shard's own, in their order.
    ///
    /// What has a record goes, the longest first, to the shard with the least to do, so that none
    /// has more than its share by more than one case. What has none goes where its own name says,
    /// however many others there are, and is not counted: so a scenario that is added moves no
    /// other case.
    pub fn own(&self, cases: &[TestCase]) -> Vec<TestCase> {
        let places = self.places(cases);
        let is_own = |case: &&TestCase| places.get(&unit(case)) == Some(&self.shard.index);
        cases.iter().filter(is_own).cloned().collect()
    }

    /// The time that cases took, and how many of them have no record; what a release of envtest
    /// costs counts once.
    pub fn expected(&self, cases: &[TestCase]) -> (Duration, usize) {
        let units = self.units(cases);
        let known = units
            .values()
            .flatten()
            .fold(Duration::ZERO, |sum, one| sum.saturating_add(*one));
        (
            known,
            units.values().filter(|duration| duration.is_none()).count(),
        )
    }

    /// What stays together, with its record.
    fn units(&self, cases: &[TestCase]) -> BTreeMap<String, Option<Duration>> {
        let record = |case: &TestCase| {
            if case.target.has_kubelet() {
                self.durations.of_case(case)
            } else {
                Some(RELEASE)
            }
        };
        cases
            .iter()
            .map(|case| (unit(case), record(case)))
            .collect()
    }

    /// The shard of everything that stays together.
    fn places(&self, cases: &[TestCase]) -> BTreeMap<String, u16> {
        let units = self.units(cases);
        let known = units
            .iter()
            .filter_map(|(unit, duration)| Some((Reverse((*duration)?), unit)));
        let mut known: Vec<(Reverse<Duration>, &String)> = known.collect();
        known.sort();
        let mut loads: Vec<(Duration, u16)> = (1..=self.shard.count)
            .map(|index| (Duration::ZERO, index))
            .collect();
        let mut places = BTreeMap::new();
        for (Reverse(duration), unit) in known {
            if let Some((load, index)) = loads.iter_mut().min() {
                *load = load.saturating_add(duration);
                places.insert(unit.clone(), *index);
            }
        }
        for unit in units.into_keys() {
            places
                .entry(unit)
                .or_insert_with_key(|unit| self.by_name(unit));
        }
        places
    }

    /// By rendezvous hashing: the shard whose number gives the highest hash with the name.
    fn by_name(&self, unit: &str) -> u16 {
        let hash = |index: &u16| (Sha256::digest(format!("{unit}\n{index}")), Reverse(*index));
        (1..=self.shard.count).max_by_key(hash).unwrap_or(1)
    }
}

/// What stays together with a case: in envtest all cases of a release, which share its API server.
fn unit(case: &TestCase) -> String {
    if case.target.has_kubelet() {
        case.id()
    } else {
        format!("{}::{}", case.target, case.operator)
    }
}

#[cfg(test)]
#[path = "shard/tests.rs"]
mod tests;
