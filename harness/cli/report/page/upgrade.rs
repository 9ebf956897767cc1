//! What a newer release of the operator makes of the same scenarios.

use std::collections::{BTreeMap, HashMap};

use semver::Version;
use serde::Serialize;

use super::super::{CaseResult, Outcome, RunResult};
use super::causes;
use crate::contract::CLASSES;
use crate::expect::{WordChange, changes};
use crate::scenario::TargetKind;

/// Of more releases only neighbours, and the first with the last, are compared.
const ALL_PAIRS: usize = 8;
/// Changes of a group that are shown.
const CHANGES: usize = 8;

/// What changes from one release to another.
#[derive(Debug, Serialize)]
pub(super) struct Upgrade {
    from: String,
    to: String,
    /// The behaviour classes that begin after `from`, up to `to`, with their reasons.
    classes: Vec<(&'static str, &'static str)>,
    groups: Vec<Group>,
    /// Scenarios that both releases have, and how many of them change.
    compared: usize,
    changed: usize,
    /// Scenarios that end otherwise: the name, and both words.
    verdicts: Vec<(String, &'static str, &'static str)>,
}

/// Scenarios in which the same changes.
#[derive(Debug, Serialize)]
struct Group {
    changes: Vec<(String, String)>,
    more: usize,
    /// Each check, with the place of the case on the newer release.
    checks: Vec<(String, usize)>,
}

/// Compares the releases of a run with each other.
pub(super) fn upgrades(run: &RunResult) -> Vec<Upgrade> {
    let mut releases: Vec<Version> = Vec::new();
    for case in &run.cases {
        if let Ok(release) = case.operator.parse()
            && !releases.contains(&release)
        {
            releases.push(release);
        }
    }
    releases.sort();
    let last = releases.len().saturating_sub(1);
    let mut known = HashMap::new();
    let mut upgrades = Vec::new();
    for from in 0..releases.len() {
        for to in from + 1..releases.len() {
            if releases.len() <= ALL_PAIRS || to == from + 1 || (from, to) == (0, last) {
                upgrades.extend(upgrade(run, &releases[from], &releases[to], &mut known));
            }
        }
    }
    upgrades
}

type Known<'a> = HashMap<(&'a str, &'a str), Vec<WordChange>>;

/// Nothing where the releases have no scenario in common.
fn upgrade<'a>(
    run: &'a RunResult,
    from: &Version,
    to: &Version,
    known: &mut Known<'a>,
) -> Option<Upgrade> {
    let of = |release: &Version| {
        let release = release.to_string();
        let cases = run.cases.iter().enumerate();
        let mut by_scenario: BTreeMap<(&str, TargetKind), (usize, &'a CaseResult)> =
            BTreeMap::new();
        for (place, case) in cases.filter(|(_, case)| case.operator == release) {
            let key = (case.scenario.as_str(), case.target);
            by_scenario.entry(key).or_insert((place, case));
        }
        by_scenario
    };
    let (old, new) = (of(from), of(to));
    let mut groups: BTreeMap<Vec<WordChange>, Group> = BTreeMap::new();
    let mut verdicts = Vec::new();
    let (mut compared, mut changed) = (0, 0);
    for (key, (_, before)) in &old {
        let Some((place, after)) = new.get(key) else {
            continue;
        };
        compared += 1;
        if before.outcome.is_good() != after.outcome.is_good()
            || (before.outcome == Outcome::New) != (after.outcome == Outcome::New)
        {
            let words = (before.outcome.word(), after.outcome.word());
            verdicts.push((before.scenario.clone(), words.0, words.1));
        }
        let mut differs = false;
        for (name, one, other) in specs(before, after) {
            let change = known
                .entry((one, other))
                .or_insert_with(|| changes(one, other));
            if change.is_empty() {
                continue;
            }
            differs = true;
            let group = groups.entry(change.clone()).or_insert_with(|| Group {
                changes: change
                    .iter()
                    .take(CHANGES)
                    .map(|change| causes::words(&(change.old.clone(), change.new.clone())))
                    .collect(),
                more: change.len().saturating_sub(CHANGES),
                checks: Vec::new(),
            });
            group
                .checks
                .push((format!("{}: {name}", after.scenario), *place));
        }
        changed += usize::from(differs);
    }
    if compared == 0 {
        return None;
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.checks.len()));
    let between = CLASSES
        .iter()
        .filter(|class| *from < class.since && class.since <= *to);
    Some(Upgrade {
        from: from.to_string(),
        to: to.to_string(),
        classes: between.map(|class| (class.name, class.why)).collect(),
        groups,
        compared,
        changed,
        verdicts,
    })
}

/// What both cases found in the same fields of a Pod.
fn specs<'a>(
    before: &'a CaseResult,
    after: &'a CaseResult,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let checks = before.checks.iter();
    checks
        .filter(|check| check.name.starts_with("pod "))
        .filter_map(|check| {
            let same = after.checks.iter().find(|other| {
                other.name == check.name && other.location.line == check.location.line
            })?;
            let (old, new) = (check.found.as_deref()?, same.found.as_deref()?);
            Some((check.name.as_str(), old, new))
        })
        .filter(|(_, old, new)| old != new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_same_change_is_one_group_with_the_reason_of_the_class() {
        let mut run = example::run();
        let case = |scenario: &str, operator: &str, found: &str| {
            let mut case = run.cases[0].clone();
            (case.scenario, case.operator) = (scenario.into(), operator.into());
            case.checks[0].found = Some(found.into());
            case
        };
        let cases = vec![
            case("a", "1.10.0", "x 1 y"),
            case("a", "1.6.2", "x 1 y"),
            case("a", "1.7.0", "x 2 y"),
            case("b", "1.6.2", "1 z"),
            case("b", "1.7.0", "2 z"),
            case("c", "1.6.2", "z"),
            case("c", "1.7.0", "z"),
        ];
        run.cases = cases;
        let upgrades = upgrades(&run);
        let pairs: Vec<_> = upgrades.iter().map(|one| (&*one.from, &*one.to)).collect();
        assert_eq!(
            pairs,
            [("1.6.2", "1.7.0"), ("1.6.2", "1.10.0"), ("1.7.0", "1.10.0")]
        );
        let first = &upgrades[0];
        assert_eq!(first.compared, 3);
        assert_eq!(first.changed, 2);
        assert_eq!(first.groups.len(), 1);
        assert_eq!(first.groups[0].changes, [("1".into(), "2".into())]);
        assert_eq!(first.groups[0].checks.len(), 2);
        assert_eq!(first.classes[0].0, "1.7.0");
        assert_eq!(upgrades[1].changed, 0);
    }
}
