//! Groups cases that did not pass by what they have in common, across releases and scenarios.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::super::{CaseResult, CheckResult, Outcome, RunResult, text};
use crate::expect::{WordChange, changes};

/// A check with more changes than this has one cause: all of them.
const APART: usize = 4;
/// Characters of a cause that are shown.
const SHOWN: usize = 160;

/// Pod names, namespaces, addresses and numbers, which differ from case to case.
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x) \bkc-[a-z0-9-]+ | \b[a-z0-9](?:[a-z0-9-]*[a-z0-9])?-[a-z0-9]{5}\b
        | \b[0-9]+(?:\.[0-9]+)*\b",
    )
    .expect("a constant expression")
});

/// What cases have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Cause {
    /// The same words changed.
    Changes(Vec<(String, String)>),
    /// The same sentence, but for names and numbers.
    Sentence(String),
}

/// Cases with one cause.
#[derive(Debug)]
pub(in crate::report) struct Group {
    pub(in crate::report) cause: Cause,
    /// A sentence of the first of them.
    pub(in crate::report) sentence: String,
    /// Places of the cases in the run.
    pub(in crate::report) cases: Vec<usize>,
}

impl Cause {
    /// Text that stays the same while the cause does.
    pub(in crate::report) fn key(&self) -> String {
        match self {
            Self::Changes(changes) => format!("{changes:?}"),
            Self::Sentence(sentence) => sentence.clone(),
        }
    }
}

/// Groups the cases with these places, those with the most cases first. A case with several causes
/// is in several groups.
pub(in crate::report) fn groups(run: &RunResult, places: &[usize]) -> Vec<Group> {
    let mut groups: BTreeMap<Cause, Group> = BTreeMap::new();
    for place in places {
        for (cause, sentence) in causes(&run.cases[*place]) {
            let group = groups.entry(cause.clone()).or_insert_with(|| Group {
                cause,
                sentence,
                cases: Vec::new(),
            });
            if group.cases.last() != Some(place) {
                group.cases.push(*place);
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.cases.len()), group.cases[0]));
    groups
}

/// Why a case did not pass: each cause with a sentence about it.
fn causes(case: &CaseResult) -> Vec<(Cause, String)> {
    let is_told = |check: &&CheckResult| match case.outcome {
        Outcome::New => check.outcome == Outcome::New,
        _ => check.outcome.is_bad(),
    };
    let checks = case.checks.iter().filter(is_told);
    let mut causes: Vec<(Cause, String)> = checks.flat_map(of_check).collect();
    if causes.is_empty() {
        let reason = case.reason.as_deref().unwrap_or("no reason was given");
        causes.push((Cause::Sentence(general(reason)), first_line(reason)));
    }
    causes
}

fn of_check(check: &CheckResult) -> Vec<(Cause, String)> {
    let kind = check.name.split(' ').next().unwrap_or_default();
    let sentence = format!("{}: {}", check.name, first_line(&check.message));
    if let (Some(expected), Some(found), Some(_)) = (&check.expected, &check.found, &check.diff) {
        let changes = changes(expected, found);
        let pair = |change: &WordChange| (change.old.clone(), change.new.clone());
        if changes.len() > APART {
            let all = changes.iter().map(pair).collect();
            return vec![(Cause::Changes(all), sentence)];
        }
        if !changes.is_empty() {
            let one = |change: &WordChange| (Cause::Changes(vec![pair(change)]), sentence.clone());
            return changes.iter().map(one).collect();
        }
    }
    if check.outcome == Outcome::New {
        let cause = Cause::Sentence("no snapshot is recorded".into());
        return vec![(cause, "no snapshot is recorded".into())];
    }
    let general = format!("{kind}: {}", general(&first_line(&check.message)));
    vec![(Cause::Sentence(general), sentence)]
}

fn first_line(message: &str) -> String {
    let (first, _) = text::headline(message);
    match first.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &first[..end]),
        None => first,
    }
}

/// A sentence without what differs from case to case.
fn general(sentence: &str) -> String {
    VARYING.replace_all(&first_line(sentence), "…").into_owned()
}

/// A change for people.
pub(in crate::report) fn words((old, new): &(String, String)) -> (String, String) {
    (visible(old), visible(new))
}

fn visible(words: &str) -> String {
    let shown: String = words.chars().take(SHOWN).collect();
    let cut = if words.chars().count() > SHOWN {
        "…"
    } else {
        ""
    };
    // Of white space alone, or at an end, nothing could be seen.
    let inner = shown.trim_matches(' ');
    let dots = |count: usize| "·".repeat(count);
    let before = shown.len() - shown.trim_start_matches(' ').len();
    let after = if inner.is_empty() {
        0
    } else {
        shown.len() - shown.trim_end_matches(' ').len()
    };
    format!("{}{inner}{}{cut}", dots(before), dots(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn failed(scenario: &str, expected: &str, found: &str, message: &str) -> CaseResult {
        let mut case = example::run().cases[1].clone();
        case.scenario = scenario.into();
        case.checks.truncate(1);
        case.checks[0].message = message.into();
        let is_diff = !expected.is_empty();
        case.checks[0].expected = is_diff.then(|| expected.into());
        case.checks[0].found = is_diff.then(|| found.into());
        case.checks[0].diff = is_diff.then(|| "a difference".into());
        case
    }

    #[test]
    fn the_same_change_in_different_commands_is_one_cause() {
        let mut run = example::run();
        run.cases = vec![
            failed(
                "a",
                "- \"x && ulimit -n 65536; ray\"",
                "- \"x && ulimit -n ${A}; ray\"",
                "",
            ),
            failed("b", "- \"other command\"", "- \"another command\"", ""),
            failed(
                "c",
                "- \"ulimit -n 65536; y\"",
                "- \"ulimit -n ${A}; z\"",
                "",
            ),
        ];
        let groups = groups(&run, &[0, 1, 2]);
        let cases: Vec<_> = groups.iter().map(|group| group.cases.clone()).collect();
        assert_eq!(cases, [vec![0, 2], vec![1], vec![2]]);
        let ulimit = ("65536;".to_owned(), "${A};".to_owned());
        assert_eq!(groups[0].cause, Cause::Changes(vec![ulimit]));
    }

    #[test]
    fn names_and_numbers_do_not_tell_sentences_apart() {
        let mut run = example::run();
        run.cases = vec![
            failed(
                "a",
                "",
                "",
                "the Pod a-head-x7k2p did not come within 30.5 s",
            ),
            failed(
                "b",
                "",
                "",
                "the Pod b-b-head-qqqqq did not come within 4 s",
            ),
            failed("c", "", "", "the Pod c-head-x7k2p ended"),
        ];
        let groups = groups(&run, &[0, 1, 2]);
        let cases: Vec<_> = groups.iter().map(|group| group.cases.clone()).collect();
        assert_eq!(cases, [vec![0, 1], vec![2]]);
    }

    #[test]
    fn white_space_can_be_seen() {
        assert_eq!(
            words(&("  ".into(), " a b ".into())),
            ("··".into(), "·a b·".into())
        );
    }
}
