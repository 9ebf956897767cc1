//! What did not pass, in full, grouped by common cause.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::super::{CaseResult, CheckResult, Outcome, RunResult, text, view};
use super::causes::{self, Cause, Group};
use super::links;
use super::sides::{Side, sides};
use crate::output::{evidence_files, evidence_tail};

/// Lines of the operator's log that are shown, and the bytes that they are taken from.
const LOG: (usize, u64) = (12, 64 * 1024);
/// Characters of a line of a log that are shown.
const LOG_LINE: usize = 600;
/// Characters of a quoted block that are shown.
const BLOCK: usize = 40_000;
/// Changes of a cause that are shown.
const CHANGES: usize = 8;

/// Cases with one cause.
#[derive(Debug, Serialize)]
pub(super) struct Failures {
    anchor: String,
    /// The worst word of its cases.
    word: &'static str,
    /// Whether none of its cases fails the run.
    provisional: bool,
    sentence: String,
    /// Words that changed, old and new, with visible white space.
    changes: Vec<(String, String)>,
    more_changes: usize,
    releases: Vec<String>,
    /// Places of all of its cases.
    cases: Vec<usize>,
    /// Those of them that no group before it shows in full.
    details: Vec<Detail>,
}

/// A case in full.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    case: usize,
    reason: Option<String>,
    checks: Vec<CheckDetail>,
    not_judged: Vec<String>,
    evidence: Option<Evidence>,
    log: Vec<String>,
    repeat: String,
}

/// A check in full.
#[derive(Debug, Serialize)]
struct CheckDetail {
    name: String,
    word: &'static str,
    message: String,
    /// Lines of the message after its first.
    quoted: Option<String>,
    place: String,
    href: Option<String>,
    source: Option<String>,
    line: usize,
    seconds: f64,
    sides: Option<Vec<Side>>,
    blocks: Vec<(&'static str, String)>,
}

/// Evidence beside the page.
#[derive(Debug, Serialize)]
struct Evidence {
    path: String,
    href: Option<String>,
    files: Vec<(String, Option<String>, u64)>,
}

/// What the page knows of its surroundings.
pub(super) struct Around<'a> {
    pub(super) run: &'a RunResult,
    /// The folder of the page, where it is beside its evidence.
    pub(super) folder: Option<&'a Path>,
    /// What leads from there to the folder that the run was started in.
    pub(super) way_up: Option<String>,
}

impl Around<'_> {
    /// The cases with these outcomes, grouped; the worst first.
    pub(super) fn failures(&self, keep: impl Fn(&CaseResult) -> bool) -> Vec<Failures> {
        let cases = self.run.cases.iter().enumerate();
        let kept = cases.filter(|(_, case)| keep(case));
        let places: Vec<usize> = kept.map(|(place, _)| place).collect();
        let mut shown = BTreeSet::new();
        let mut groups = causes::groups(self.run, &places);
        groups.sort_by_key(|group| self.rank(group));
        groups
            .iter()
            .map(|group| self.group(group, &mut shown))
            .collect()
    }

    fn rank(&self, group: &Group) -> u8 {
        let worst = group.cases.iter().map(|place| {
            let case = &self.run.cases[*place];
            match case.outcome {
                Outcome::Failed if !case.is_provisional_failure() => 0,
                Outcome::Error => 1,
                _ => 2,
            }
        });
        worst.min().unwrap_or(2)
    }

    fn group(&self, group: &Group, shown: &mut BTreeSet<usize>) -> Failures {
        let cases = || group.cases.iter().map(|place| &self.run.cases[*place]);
        let (changes, more_changes) = match &group.cause {
            Cause::Changes(changes) => (
                changes.iter().take(CHANGES).map(causes::words).collect(),
                changes.len().saturating_sub(CHANGES),
            ),
            Cause::Sentence(_) => (Vec::new(), 0),
        };
        let mut releases: Vec<String> = Vec::new();
        for case in cases() {
            if !releases.contains(&case.operator) {
                releases.push(case.operator.clone());
            }
        }
        let failed = cases().any(|case| case.outcome == Outcome::Failed);
        let new: Vec<usize> = group
            .cases
            .iter()
            .copied()
            .filter(|place| shown.insert(*place))
            .collect();
        Failures {
            anchor: format!("cause-{}", links::stable(&group.cause.key())),
            word: if failed {
                Outcome::Failed.word()
            } else {
                self.run.cases[group.cases[0]].outcome.word()
            },
            provisional: cases().all(CaseResult::is_provisional_failure),
            sentence: group.sentence.clone(),
            changes,
            more_changes,
            releases,
            cases: group.cases.clone(),
            details: new.into_iter().map(|place| self.detail(place)).collect(),
        }
    }

    fn detail(&self, place: usize) -> Detail {
        let case = &self.run.cases[place];
        let is_told = |check: &&CheckResult| match case.outcome {
            Outcome::New => check.outcome == Outcome::New,
            _ => check.outcome.is_bad(),
        };
        let evidence = case.evidence.as_deref();
        let log = self.folder.zip(evidence).map(|(folder, evidence)| {
            let lines = evidence_tail(folder, evidence, "operator.log", LOG);
            lines.iter().map(|line| cut(line, LOG_LINE)).collect()
        });
        Detail {
            case: place,
            reason: case
                .own_reason()
                .filter(|reason| case.outcome.is_bad() && !is_repeated(case, reason))
                .map(Into::into),
            checks: case
                .checks
                .iter()
                .filter(is_told)
                .map(|check| self.check(case, check))
                .collect(),
            not_judged: case.not_judged().into_iter().map(Into::into).collect(),
            evidence: evidence.map(|path| self.evidence(path)),
            log: log.unwrap_or_default(),
            repeat: links::repeat(self.run, case),
        }
    }

    fn check(&self, case: &CaseResult, check: &CheckResult) -> CheckDetail {
        let (message, quoted) = text::headline(&check.message);
        let line = check.location.line;
        let href = self.way_up.as_ref().zip(links::plain(&case.file));
        let both = check.expected.as_ref().zip(check.found.as_ref());
        let both = both.filter(|_| check.diff.is_some());
        CheckDetail {
            name: check.name.clone(),
            word: check.outcome.word(),
            message,
            quoted,
            place: check.place(&case.file),
            href: href.map(|(up, path)| format!("{up}{path}#L{line}")),
            source: check.source.clone(),
            line,
            seconds: check.seconds,
            blocks: match both {
                Some(_) => Vec::new(),
                None => check
                    .blocks()
                    .into_iter()
                    .map(|(title, block)| (title, cut(block, BLOCK)))
                    .collect(),
            },
            sides: both.map(|(expected, found)| sides(&text::clean(expected), &text::clean(found))),
        }
    }

    fn evidence(&self, path: &str) -> Evidence {
        let href = |path: &str| links::plain(path).filter(|_| self.folder.is_some());
        let files = self.folder.map(|folder| evidence_files(folder, path));
        let files = files.into_iter().flatten().map(|file| {
            let href = href(&format!("{path}/{}", file.path));
            (file.path, href, file.bytes)
        });
        Evidence {
            files: files.collect(),
            path: path.into(),
            href: href(path).map(|href| href + "/"),
        }
    }
}

/// Whether a check that is shown says the same.
fn is_repeated(case: &CaseResult, reason: &str) -> bool {
    case.bad_checks().any(|check| {
        let rest = reason.strip_prefix(check.name.as_str());
        rest.and_then(|rest| rest.strip_prefix(": ")) == Some(check.message.as_str())
    })
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// The words of an outcome for the target of a case, used by the templates.
pub(super) fn target(case: &CaseResult) -> &'static str {
    view::target(case.target)
}
