//! The state of each check of a case.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::check::{Finding, Verdict};
use crate::results::{CheckResult, Outcome};
use crate::scenario::{Check, Location, Milestone, Scenario, parse_duration, written_duration};

/// The state of one check.
#[derive(Debug, Clone, PartialEq)]
enum CheckState {
    /// Nothing final yet; since when it is as it is.
    Waiting { finding: Finding, since: Duration },
    /// Over.
    Done {
        outcome: Outcome,
        finding: Finding,
        at: Duration,
    },
}

impl CheckState {
    /// Ends it, unless it has its verdict; `tell` learns how long nothing had changed.
    fn end(&mut self, now: Duration, outcome: Outcome, tell: impl FnOnce(&mut Finding, Duration)) {
        if let Self::Waiting { finding, since } = self {
            tell(finding, now.saturating_sub(*since));
            *self = Self::Done {
                outcome,
                finding: std::mem::take(finding),
                at: now,
            };
        }
    }
}

/// The verdicts of a case's checks as they come in; times count from the moment of applying.
pub(super) struct CheckTracker<'a> {
    scenario: &'a Scenario,
    states: Vec<CheckState>,
    /// Time limit of each check: its own, else the scenario's.
    limits: Vec<Duration>,
}

impl<'a> CheckTracker<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let waiting = CheckState::Waiting {
            finding: Finding {
                message: "nothing observed yet".into(),
                ..Finding::default()
            },
            since: Duration::ZERO,
        };
        let checks = &scenario.file.spec.checks;
        // That each is a length of time was seen when the file was read.
        let own = |check: &Check| parse_duration(check.within()?).ok();
        let limit = |check: &Check| own(check).unwrap_or(scenario.timeout);
        Self {
            scenario,
            states: vec![waiting; checks.len()],
            limits: checks.iter().map(limit).collect(),
        }
    }

    /// Checks that are still to be evaluated: those without a verdict, and logs, which must stay as
    /// expected to the end.
    pub(super) fn open(&self) -> Vec<(usize, &'a Check)> {
        let checks = self.scenario.file.spec.checks.iter().enumerate();
        checks
            .filter(|(index, check)| match &self.states[*index] {
                CheckState::Waiting { .. } => true,
                CheckState::Done { outcome, .. } => {
                    *outcome == Outcome::Passed && check.holds_to_the_end()
                }
            })
            .collect()
    }

    /// Checks without a verdict.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &'a Check> {
        let checks = self.scenario.file.spec.checks.iter().zip(&self.states);
        checks
            .filter(|(_, state)| matches!(state, CheckState::Waiting { .. }))
            .map(|(check, _)| check)
    }

    /// Whether nothing is left but to see for some time that something does not happen, and that
    /// time has begun.
    pub(super) fn only_watches(&self, reached: &BTreeMap<Milestone, Timestamp>) -> bool {
        let watches = |check: &Check| {
            let since = check.watches_after();
            since.is_some_and(|milestone| reached.contains_key(&milestone))
        };
        !self.finished() && self.unfinished().all(watches)
    }

    /// Whether every check has its verdict.
    pub(super) fn finished(&self) -> bool {
        self.unfinished().next().is_none()
    }

    /// Takes what a check says at `now`. A pass is final but for a `Never` or a `Lost` that takes
    /// it back.
    pub(super) fn take(&mut self, index: usize, verdict: Verdict, now: Duration) {
        let state = &mut self.states[index];
        match (verdict, &mut *state) {
            (Verdict::Never(finding), _) => {
                *state = CheckState::Done {
                    outcome: Outcome::Failed,
                    finding,
                    at: now,
                };
            }
            (Verdict::Lost(finding), _) => {
                *state = CheckState::Done {
                    outcome: Outcome::Error,
                    finding,
                    at: now,
                };
            }
            (_, CheckState::Done { .. }) => {}
            (Verdict::Pass(finding), CheckState::Waiting { .. }) => {
                *state = CheckState::Done {
                    outcome: Outcome::Passed,
                    finding,
                    at: now,
                };
            }
            (Verdict::New(finding), CheckState::Waiting { .. }) => {
                *state = CheckState::Done {
                    outcome: Outcome::New,
                    finding,
                    at: now,
                };
            }
            (Verdict::NotYet(new), CheckState::Waiting { finding, since }) => {
                if *finding != new {
                    (*finding, *since) = (new, now);
                }
            }
        }
    }

    /// As [`CheckTracker::take`], while steps of the scenario are left: the last check does not
    /// pass before they are taken, and meanwhile has the scenario's limit. `left` says what the
    /// steps wait for.
    pub(super) fn take_before_steps(
        &mut self,
        index: usize,
        verdict: Verdict,
        now: Duration,
        left: &str,
    ) {
        let verdict = match verdict {
            Verdict::Pass(finding) | Verdict::New(finding) if self.would_end_well(index) => {
                let limit = &mut self.limits[index];
                *limit = self.scenario.timeout.max(*limit);
                Verdict::NotYet(Finding {
                    message: format!("{left} (the check itself holds: {})", finding.message),
                    ..Finding::default()
                })
            }
            verdict => verdict,
        };
        self.take(index, verdict, now);
    }

    /// Whether only this check is open, and none has failed.
    fn would_end_well(&self, index: usize) -> bool {
        let is_open = |state: &CheckState| matches!(state, CheckState::Waiting { .. });
        let mut others = self.states.iter().enumerate();
        is_open(&self.states[index])
            && others.all(|(other, state)| match state {
                CheckState::Waiting { .. } => other == index,
                CheckState::Done { outcome, .. } => {
                    matches!(outcome, Outcome::Passed | Outcome::New)
                }
            })
    }

    /// Ends what waits for a milestone that can't be reached any more, because a check has failed
    /// that it consists of.
    pub(super) fn block(&mut self, now: Duration, reached: &BTreeMap<Milestone, Timestamp>) {
        let checks = &self.scenario.file.spec.checks;
        let lost: Vec<(Milestone, String)> = checks
            .iter()
            .zip(&self.states)
            .filter(|(_, state)| matches!(state, CheckState::Done { outcome, .. } if *outcome == Outcome::Failed))
            .filter_map(|(check, _)| Some((check.grants()?, check.title())))
            .filter(|(milestone, _)| !reached.contains_key(milestone))
            .collect();
        for (check, state) in checks.iter().zip(&mut self.states) {
            let CheckState::Waiting { finding, .. } = state else {
                continue;
            };
            let Some((milestone, of)) = lost
                .iter()
                .find(|(milestone, _)| check.awaited().contains(milestone))
            else {
                continue;
            };
            let mut finding = finding.clone();
            let awaited = std::mem::take(&mut finding.message);
            finding.message = format!(
                "`{}` can't be reached, because `{of}` failed ({awaited})",
                milestone.word()
            );
            *state = CheckState::Done {
                outcome: Outcome::Failed,
                finding,
                at: now,
            };
        }
    }

    /// When the next check without a verdict meets its limit.
    pub(super) fn next_limit(&self) -> Option<Duration> {
        let waiting = self.states.iter().zip(&self.limits);
        let waiting = waiting.filter(|(state, _)| matches!(state, CheckState::Waiting { .. }));
        waiting.map(|(_, limit)| *limit).min()
    }

    /// Ends what has no verdict although its limit has passed. Each check says what it waited for,
    /// what it last saw and how long that had not changed.
    pub(super) fn expire(&mut self, now: Duration, notes: &[String]) {
        let checks = self.scenario.file.spec.checks.iter().zip(&self.limits);
        for ((check, limit), state) in checks.zip(&mut self.states) {
            if now >= *limit {
                let of = if check.within().is_some() {
                    "check"
                } else {
                    "scenario"
                };
                let limit = format!("the {of}'s limit of {}", written_duration(*limit));
                state.end(now, Outcome::Failed, |finding, unchanged| {
                    give_up(finding, unchanged, &limit, notes);
                });
            }
        }
    }

    /// Ends what has no verdict: the case is in a state that can't get better.
    pub(super) fn terminal(&mut self, now: Duration, cause: &Finding) {
        self.end(now, Outcome::Failed, |finding, _| {
            let awaited = std::mem::take(&mut finding.message);
            *finding = cause.clone();
            finding.message = format!(
                "{} (the check can no longer hold; it waited for: {awaited})",
                cause.message.trim_end_matches('.')
            );
        });
    }

    /// Ends what has no verdict: the run was stopped, or its environment broke.
    pub(super) fn interrupt(&mut self, now: Duration, why: &str) {
        self.interrupt_with(now, why, None);
    }

    /// The same; the first of them shows what was found, such as the last lines of a log.
    pub(super) fn interrupt_with(&mut self, now: Duration, why: &str, mut found: Option<String>) {
        self.end(now, Outcome::Error, |finding, _| {
            finding.message = format!("{why}; last seen: {}", finding.message);
            if let Some(found) = found.take() {
                finding.found = Some(found);
            }
        });
    }

    fn end(
        &mut self,
        now: Duration,
        outcome: Outcome,
        mut tell: impl FnMut(&mut Finding, Duration),
    ) {
        for state in &mut self.states {
            state.end(now, outcome, &mut tell);
        }
    }

    /// Returns the text of live progress.
    pub(super) fn progress(&self) -> String {
        let done = self
            .states
            .iter()
            .filter(|state| matches!(state, CheckState::Done { .. }))
            .count();
        let awaited = self
            .states
            .iter()
            .zip(&self.scenario.file.spec.checks)
            .find_map(|(state, check)| match state {
                CheckState::Waiting { finding, .. } => {
                    Some(format!("{}: {}", check.title(), finding.message))
                }
                CheckState::Done { .. } => None,
            });
        let count = format!("{done}/{} checks", self.states.len());
        awaited.map_or(count.clone(), |awaited| format!("{count}; {awaited}"))
    }

    /// The results, in the scenario's order.
    pub(super) fn results(&self) -> Vec<CheckResult> {
        let spec = &self.scenario.file.spec;
        let places = self
            .scenario
            .check_locations
            .iter()
            .copied()
            .chain(std::iter::repeat(Location::default()));
        let texts = spec_texts(self.scenario);
        let of_check = |(((check, state), location), text): (
            ((&Check, &CheckState), Location),
            Option<&String>,
        )| {
            let (outcome, finding, at) = match state {
                CheckState::Done {
                    outcome,
                    finding,
                    at,
                } => (*outcome, finding.clone(), *at),
                CheckState::Waiting { finding, since } => {
                    (Outcome::Skipped, finding.clone(), *since)
                }
            };
            CheckResult {
                name: check.title(),
                location,
                source: text.filter(|_| !outcome.is_good()).cloned(),
                outcome,
                message: finding.message,
                expected: finding.expected,
                found: finding.found,
                diff: finding.diff,
                new_snapshots: finding.new_snapshots,
                seconds: at.as_secs_f64(),
            }
        };
        spec.checks
            .iter()
            .zip(&self.states)
            .zip(places)
            .zip(texts)
            .map(of_check)
            .collect()
    }
}

/// The lines of each check in the scenario file; without end, for a scenario that comes from no
/// file has none.
fn spec_texts(scenario: &Scenario) -> impl Iterator<Item = Option<&String>> {
    let texts = scenario.check_texts.iter().map(Some);
    texts.chain(std::iter::repeat(None))
}

/// Says what was waited for, by which limit, how long nothing had changed by then, and what else is
/// known.
fn give_up(finding: &mut Finding, unchanged: Duration, limit: &str, notes: &[String]) {
    finding.message = format!(
        "{} (given up at {limit}; unchanged for {})",
        finding.message.trim_end_matches('.'),
        seconds(unchanged)
    );
    for note in notes {
        finding.message.push_str("; ");
        finding.message.push_str(note);
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
#[path = "check_tracker/tests.rs"]
mod tests;
