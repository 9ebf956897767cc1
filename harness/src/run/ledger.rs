//! What each check of a cell has come to.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::check::{Finding, Verdict};
use crate::report::{CheckResult, Outcome};
use crate::scenario::{Barrier, Check, Location, PodField, Role, Scenario, parse_duration, written_duration};

/// How far one check has come.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Nothing final yet; since when it is as it is.
    Waiting { finding: Finding, since: Duration },
    /// Over.
    Done {
        outcome: Outcome,
        finding: Finding,
        at: Duration,
    },
}

impl State {
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

/// The verdicts of a cell's checks as they come in; times count from the moment of applying.
pub(super) struct Ledger<'a> {
    scenario: &'a Scenario,
    states: Vec<State>,
    /// How long each check may take: its own limit, else the scenario's.
    limits: Vec<Duration>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let waiting = State::Waiting {
            finding: Finding {
                message: "nothing was seen yet".into(),
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

    /// Checks that are still to be evaluated: those without a verdict, and logs, which must stay as expected to the end.
    pub(super) fn open(&self) -> Vec<(usize, &'a Check)> {
        let checks = self.scenario.file.spec.checks.iter().enumerate();
        checks
            .filter(|(index, check)| match &self.states[*index] {
                State::Waiting { .. } => true,
                State::Done { outcome, .. } => *outcome == Outcome::Passed && matches!(check, Check::Logs(_)),
            })
            .collect()
    }

    /// Checks without a verdict.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &'a Check> {
        let checks = self.scenario.file.spec.checks.iter().zip(&self.states);
        checks
            .filter(|(_, state)| matches!(state, State::Waiting { .. }))
            .map(|(check, _)| check)
    }

    /// Whether nothing is left but to see for some time that something does not happen, and that time has begun.
    pub(super) fn only_watches(&self, reached: &BTreeMap<Barrier, Timestamp>) -> bool {
        let watches = |check: &Check| matches!(check, Check::Never(never) if reached.contains_key(&never.after));
        !self.finished() && self.unfinished().all(watches)
    }

    /// Whether every check has its verdict.
    pub(super) fn finished(&self) -> bool {
        self.unfinished().next().is_none()
    }

    /// Takes what a check says at `now`. A pass is final but for a `Never` that takes it back.
    pub(super) fn take(&mut self, index: usize, verdict: Verdict, now: Duration) {
        let state = &mut self.states[index];
        match (verdict, &mut *state) {
            (Verdict::Never(finding), _) => {
                *state = State::Done {
                    outcome: Outcome::Failed,
                    finding,
                    at: now,
                };
            }
            (_, State::Done { .. }) => {}
            (Verdict::Pass(finding), State::Waiting { .. }) => {
                *state = State::Done {
                    outcome: Outcome::Passed,
                    finding,
                    at: now,
                };
            }
            (Verdict::NotYet(new), State::Waiting { finding, since }) => {
                if *finding != new {
                    (*finding, *since) = (new, now);
                }
            }
        }
    }

    /// Ends what waits for a barrier that can't be reached any more, because a check has failed that it consists of.
    pub(super) fn block(&mut self, now: Duration, reached: &BTreeMap<Barrier, Timestamp>) {
        let checks = &self.scenario.file.spec.checks;
        let lost: Vec<(Barrier, String)> = checks
            .iter()
            .zip(&self.states)
            .filter(|(_, state)| matches!(state, State::Done { outcome, .. } if *outcome == Outcome::Failed))
            .filter_map(|(check, _)| Some((barrier_of(check)?, title(check))))
            .filter(|(barrier, _)| !reached.contains_key(barrier))
            .collect();
        for (check, state) in checks.iter().zip(&mut self.states) {
            let State::Waiting { finding, .. } = state else {
                continue;
            };
            let Some((barrier, of)) = lost.iter().find(|(barrier, _)| awaited(check).contains(barrier)) else {
                continue;
            };
            let mut finding = finding.clone();
            let awaited = std::mem::take(&mut finding.message);
            finding.message = format!(
                "`{}` can't be reached, because `{of}` failed ({awaited})",
                barrier.word()
            );
            *state = State::Done {
                outcome: Outcome::Failed,
                finding,
                at: now,
            };
        }
    }

    /// When the next check without a verdict meets its limit.
    pub(super) fn next_limit(&self) -> Option<Duration> {
        let waiting = self.states.iter().zip(&self.limits);
        let waiting = waiting.filter(|(state, _)| matches!(state, State::Waiting { .. }));
        waiting.map(|(_, limit)| *limit).min()
    }

    /// Ends what has no verdict although its limit has passed. Each check says what it waited for, what it last saw and how
    /// long that had not changed.
    pub(super) fn expire(&mut self, now: Duration, notes: &[String]) {
        let checks = self.scenario.file.spec.checks.iter().zip(&self.limits);
        for ((check, limit), state) in checks.zip(&mut self.states) {
            if now >= *limit {
                let of = if check.within().is_some() { "check" } else { "scenario" };
                let limit = format!("the {of}'s limit of {}", written_duration(*limit));
                state.end(now, Outcome::Failed, |finding, unchanged| {
                    give_up(finding, unchanged, &limit, notes);
                });
            }
        }
    }

    /// Ends what has no verdict: the run's time is over.
    pub(super) fn expire_all(&mut self, now: Duration, notes: &[String]) {
        self.end(now, Outcome::Failed, |finding, unchanged| {
            give_up(finding, unchanged, "the run's limit", notes);
        });
    }

    /// Ends what has no verdict: the cell is in a state that can't get better.
    pub(super) fn doom(&mut self, now: Duration, cause: &Finding) {
        self.end(now, Outcome::Failed, |finding, _| {
            let awaited = std::mem::take(&mut finding.message);
            *finding = cause.clone();
            finding.message = format!("{} (so it can't come: {awaited})", cause.message.trim_end_matches('.'));
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

    fn end(&mut self, now: Duration, outcome: Outcome, mut tell: impl FnMut(&mut Finding, Duration)) {
        for state in &mut self.states {
            state.end(now, outcome, &mut tell);
        }
    }

    /// What live progress says.
    pub(super) fn progress(&self) -> String {
        let done = self
            .states
            .iter()
            .filter(|state| matches!(state, State::Done { .. }))
            .count();
        let awaited = self
            .states
            .iter()
            .zip(&self.scenario.file.spec.checks)
            .find_map(|(state, check)| match state {
                State::Waiting { finding, .. } => Some(format!("{}: {}", title(check), finding.message)),
                State::Done { .. } => None,
            });
        format!("{done}/{} checks; {}", self.states.len(), awaited.unwrap_or_default())
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
        let of_check = |((check, state), location): ((&Check, &State), Location)| {
            let (outcome, finding, at) = match state {
                State::Done { outcome, finding, at } => (*outcome, finding.clone(), *at),
                State::Waiting { finding, since } => (Outcome::Skipped, finding.clone(), *since),
            };
            CheckResult {
                name: title(check),
                location,
                outcome,
                message: finding.message,
                expected: finding.expected,
                found: finding.found,
                diff: finding.diff,
                seconds: at.as_secs_f64(),
            }
        };
        spec.checks.iter().zip(&self.states).zip(places).map(of_check).collect()
    }
}

/// The barrier that is reached when this check and others of its kind pass.
fn barrier_of(check: &Check) -> Option<Barrier> {
    match check {
        Check::Ray(_) => Some(Barrier::RayReady),
        Check::Job(_) => Some(Barrier::Job),
        _ => None,
    }
}

/// The barriers that a check waits for.
pub(super) fn awaited(check: &Check) -> Vec<Barrier> {
    match check {
        Check::Logs(logs) => logs.after.clone(),
        Check::Never(never) => vec![never.after],
        Check::Reached(reached) => vec![reached.first, reached.then],
        _ => Vec::new(),
    }
}

/// Says what was waited for, by which limit, how long nothing had changed by then, and what else is known.
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

/// What a check is called in reports: its key, and what tells it from others of the kind.
fn title(check: &Check) -> String {
    let of = |role: Role, group: Option<&String>| match group {
        None => role.word().to_owned(),
        Some(group) => format!("{} {group}", role.word()),
    };
    let detail = match check {
        Check::Pod(check) => {
            let fields: Vec<_> = check.snapshot.iter().copied().map(PodField::file_part).collect();
            let mut text = of(check.role, check.group.as_ref());
            if let Some(container) = &check.container {
                text.push_str(&format!(" {container}"));
            }
            format!("{text} {}", fields.join(", "))
        }
        Check::FlagOrder(check) => of(check.role, check.group.as_ref()),
        Check::FlagValues(check) => format!("{} {}", of(check.role, check.group.as_ref()), check.flag),
        Check::Absent(check) => format!(
            "{} for {} after {}",
            of(check.role, check.group.as_ref()),
            check.duration,
            of(check.after.role, check.after.group.as_ref())
        ),
        Check::Ray(check) if check.nodes == 1 => "1 node".into(),
        Check::Ray(check) => format!("{} nodes", check.nodes),
        Check::Logs(check) => {
            let mut text = of(check.role, check.group.as_ref());
            if let Some(container) = &check.container {
                text.push_str(&format!(" {container}"));
            }
            if check.previous {
                text.push_str(" previous");
            }
            text
        }
        Check::Job(check) => format!("{} {}", check.status, check.entrypoint),
        Check::State(check) => of(check.role, check.group.as_ref()),
        Check::Never(check) => {
            let (what, pod) = match &check.restarts {
                Some(pod) => ("restarts of", Some(pod)),
                None => ("ready", check.ready.as_ref()),
            };
            let pod = pod.map(|pod| of(pod.role, pod.group.as_ref())).unwrap_or_default();
            format!("{what} {pod} for {} after {}", check.duration, check.after.word())
        }
        Check::Reached(check) => format!("{} before {}", check.first.word(), check.then.word()),
        Check::Event(check) => check.reason.clone(),
        Check::Rejected(check) => check.message.clone(),
    };
    format!("{} {detail}", check.kind())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::Ledger;
    use crate::check::{Finding, Verdict};
    use crate::report::Outcome;
    use crate::scenario::{Barrier, Scenario, load};

    fn scenario() -> (tempfile::TempDir, Scenario) {
        scenario_with("")
    }

    fn scenario_with(further_checks: &str) -> (tempfile::TempDir, Scenario) {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("two-checks");
        std::fs::create_dir(&folder).expect("a folder");
        let text = "\
apiVersion: kuberay-conformance/v1alpha1
kind: Scenario
metadata: {name: two-checks}
spec:
  description: Two checks.
  lanes: [kind]
  manifests: [raycluster.yaml]
  checks:
    - logs: {role: head, lines: [{must: a}]}
    - ray: {nodes: 1}
";
        std::fs::write(folder.join("scenario.yaml"), format!("{text}{further_checks}")).expect("a file");
        let manifest = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\n";
        std::fs::write(folder.join("raycluster.yaml"), manifest).expect("a file");
        let scenario = load(&folder).expect("a scenario");
        (root, scenario)
    }

    fn finding(message: &str) -> Finding {
        Finding {
            message: message.into(),
            ..Finding::default()
        }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn only_what_waits_for_nothing_but_time_lets_another_begin() {
        let (_root, scenario) = scenario_with("    - never: {restarts: {role: head}, after: rayReady, for: 10s}\n");
        let mut ledger = Ledger::new(&scenario);
        let ready = BTreeMap::from([(Barrier::RayReady, jiff::Timestamp::UNIX_EPOCH)]);
        assert!(!ledger.only_watches(&ready), "other checks have no verdict");
        ledger.take(0, Verdict::Pass(finding("")), at(1));
        ledger.take(1, Verdict::Pass(finding("")), at(1));
        assert!(!ledger.only_watches(&BTreeMap::new()), "its time has not begun");
        assert!(ledger.only_watches(&ready));
        ledger.take(2, Verdict::Pass(finding("")), at(11));
        assert!(!ledger.only_watches(&ready), "nothing is left");
    }

    #[test]
    fn a_pass_is_final_but_logs_may_take_it_back() {
        let (_root, scenario) = scenario();
        let mut ledger = Ledger::new(&scenario);
        for index in [0, 1] {
            ledger.take(index, Verdict::Pass(finding("fine")), at(1));
        }
        assert!(ledger.finished());
        let open: Vec<_> = ledger.open().into_iter().map(|(index, _)| index).collect();
        assert_eq!(open, [0], "only logs are looked at again");
        ledger.take(0, Verdict::NotYet(finding("not any more?")), at(2));
        assert_eq!(ledger.results()[0].outcome, Outcome::Passed);
        ledger.take(0, Verdict::Never(finding("a line that must not be there")), at(3));
        let result = &ledger.results()[0];
        assert_eq!(
            (result.outcome, result.message.as_str()),
            (Outcome::Failed, "a line that must not be there")
        );
    }

    #[test]
    fn at_the_deadline_each_check_says_what_it_waited_for_and_how_long() {
        let (_root, mut scenario) = scenario();
        scenario.timeout = at(10);
        let mut ledger = Ledger::new(&scenario);
        ledger.take(0, Verdict::NotYet(finding("awaiting the head Pod.")), at(1));
        ledger.take(0, Verdict::NotYet(finding("awaiting the line a.")), at(4));
        ledger.take(0, Verdict::NotYet(finding("awaiting the line a.")), at(9));
        ledger.expire(at(9), &[]);
        assert_eq!(ledger.unfinished().count(), 2, "the limit is not reached");
        ledger.expire(at(10), &["the dashboard does not answer".to_owned()]);
        let result = &ledger.results()[0];
        assert_eq!(
            result.message,
            "awaiting the line a (given up at the scenario's limit of 10s; unchanged for 6.0 s); \
             the dashboard does not answer"
        );
        assert_eq!((result.outcome, result.name.as_str()), (Outcome::Failed, "logs head"));
        assert_eq!(result.location.line, 9);
    }

    #[test]
    fn at_the_runs_limit_all_checks_end() {
        let (_root, scenario) = scenario_with("    - state: {role: head, running: true, within: 20s}\n");
        let mut ledger = Ledger::new(&scenario);
        ledger.expire_all(at(1), &[]);
        assert!(ledger.finished());
        let results = ledger.results();
        assert!(
            results
                .iter()
                .all(|result| result.message.contains("given up at the run's limit;"))
        );
    }

    #[test]
    fn a_check_may_have_a_limit_of_its_own() {
        let (_root, scenario) = scenario_with("    - state: {role: head, running: true, within: 20s}\n");
        let mut ledger = Ledger::new(&scenario);
        ledger.take(2, Verdict::NotYet(finding("awaiting the head Pod")), at(1));
        assert_eq!(ledger.next_limit(), Some(at(20)));
        ledger.expire(at(19), &[]);
        assert_eq!(ledger.unfinished().count(), 3);
        ledger.expire(at(20), &["the operator was started again".into()]);
        let result = &ledger.results()[2];
        assert_eq!(result.outcome, Outcome::Failed);
        assert_eq!(
            result.message,
            "awaiting the head Pod (given up at the check's limit of 20s; unchanged for 19.0 s); the operator was started again"
        );
        assert_eq!(
            (ledger.unfinished().count(), ledger.next_limit()),
            (2, Some(scenario.timeout)),
            "the others go on"
        );
    }

    #[test]
    fn a_state_that_cant_get_better_gives_its_cause_to_all_that_wait() {
        let (_root, scenario) = scenario();
        let mut ledger = Ledger::new(&scenario);
        ledger.take(1, Verdict::Pass(finding("fine")), at(1));
        ledger.take(0, Verdict::NotYet(finding("awaiting the line a")), at(1));
        ledger.doom(at(2), &finding("the image is not there."));
        let results = ledger.results();
        assert_eq!(
            results[0].message,
            "the image is not there (so it can't come: awaiting the line a)"
        );
        assert_eq!(results[1].outcome, Outcome::Passed, "what passed stays passed");
    }

    #[test]
    fn what_waits_for_a_barrier_that_cant_come_ends_with_it() {
        let (_root, scenario) = scenario_with("    - never: {for: 5s, after: rayReady, restarts: {role: head}}\n");
        let mut ledger = Ledger::new(&scenario);
        ledger.take(2, Verdict::NotYet(finding("awaiting `rayReady`")), at(1));
        ledger.block(at(2), &BTreeMap::new());
        assert_eq!(ledger.unfinished().count(), 3, "nothing has failed");
        ledger.take(1, Verdict::Never(finding("two nodes")), at(3));
        let reached = BTreeMap::from([(crate::scenario::Barrier::RayReady, jiff::Timestamp::UNIX_EPOCH)]);
        ledger.block(at(3), &reached);
        assert_eq!(ledger.unfinished().count(), 2, "it was reached before");
        ledger.block(at(4), &BTreeMap::new());
        let result = &ledger.results()[2];
        assert_eq!(result.outcome, Outcome::Failed);
        assert_eq!(
            result.message,
            "`rayReady` can't be reached, because `ray 1 node` failed (awaiting `rayReady`)"
        );
        assert_eq!(ledger.unfinished().count(), 1, "the log waits for nothing of it");
    }

    #[test]
    fn why_checks_were_interrupted_is_shown_once() {
        let (_root, scenario) = scenario();
        let mut ledger = Ledger::new(&scenario);
        ledger.interrupt_with(at(2), "the operator does not run", Some("panic".into()));
        let results = ledger.results();
        assert_eq!(
            results[0].message,
            "the operator does not run; last seen: nothing was seen yet"
        );
        assert_eq!(results[0].found.as_deref(), Some("panic"));
        assert_eq!(results[1].found, None);
    }

    #[test]
    fn an_interrupted_check_is_an_error_and_not_a_failure() {
        let (_root, scenario) = scenario();
        let mut ledger = Ledger::new(&scenario);
        ledger.interrupt(at(2), "the run was interrupted");
        assert!(ledger.results().iter().all(|result| result.outcome == Outcome::Error));
    }
}
