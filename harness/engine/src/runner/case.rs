//! One case, from its applied objects to its verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::capacity::Allocation;
use super::check_tracker::CheckTracker;
use super::secrets::Secrets;
use super::steps::StepRunner;
use crate::check::{self, Dashboard, Expectations, LogKey, Observation, Rejection, Verdict};
use crate::observe::{ComparedKinds, NamespaceView};
use crate::operator::OperatorHealth;
use crate::progress::Progress;
use crate::provider::until;
use crate::results::CheckResult;
use crate::scenario::{Check, Milestone, Role, Scenario};

/// Changes that come within this time are judged together.
const TOGETHER: Duration = Duration::from_millis(25);
/// Some verdicts come of time alone.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the last lines of an ended container, before its end is reported without them.
const LAST_LINES: Duration = Duration::from_secs(5);
/// Longest wait for the dashboard's answer when only evidence needs it.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Shortest time between two progress messages about the awaited checks.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The case to judge, and its limits.
pub(super) struct Judge<'a> {
    pub(super) id: &'a str,
    pub(super) scenario: &'a Scenario,
    pub(super) expectations: &'a dyn Expectations,
    pub(super) rejections: &'a [Rejection],
    pub(super) largest_node: Option<(f64, f64)>,
    pub(super) applied: Instant,
    /// The same moment, by the clock.
    pub(super) applied_at: Timestamp,
    /// The end of the whole run, where it has one.
    pub(super) run_ends: Option<Instant>,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a CancellationToken,
    /// The Secrets of its namespace.
    pub(super) secrets: &'a Secrets<'a>,
}

/// The outcome of the judgement.
pub(super) struct Judged {
    pub(super) checks: Vec<CheckResult>,
    /// When objects were first applied.
    pub(super) applied: Timestamp,
    /// The last state that was judged.
    pub(super) observation: Observation,
    /// Whether the run ended before all checks had their verdict.
    pub(super) cut_short: bool,
}

/// The reasons why checks that hold do not pass yet.
#[derive(Clone, Copy)]
struct Holds {
    /// The API server has rejected an object.
    is_rejected: bool,
    /// The condition that the steps wait for.
    left: Option<&'static str>,
    /// A watch is broken, so the run misses what happens.
    is_blind: bool,
    /// The watches show what the API server lists.
    is_compared: bool,
}

/// The data that the open checks still need.
struct Left {
    /// Lines of a log.
    lines: bool,
    /// A comparison of the watches with the API server, for a check that passes by time.
    comparison: bool,
}

impl Judge<'_> {
    /// Looks at every change of the namespace until each check has its verdict, or none can come
    /// any more. `operator` is that of the cluster, where there is one. When all that is left is to
    /// see that something does not happen, the case may overlap others.
    pub(super) async fn run(
        &self,
        view: &mut NamespaceView,
        step_runner: &mut StepRunner<'_>,
        mut operator: Option<OperatorHealth<'_>>,
        allocation: &mut Allocation,
    ) -> Judged {
        let checks = &self.scenario.file.spec.checks;
        let mut tracker = CheckTracker::new(self.scenario);
        let mut milestones = BTreeMap::new();
        let mut terminal_since: Option<Instant> = None;
        let mut told = ReportedProgress::default();
        let mut looked: Option<Instant> = None;
        let mut memory = check::Memory::default();
        let mut is_compared = false;
        loop {
            let observation = self.observe(view, &mut milestones, step_runner);
            let rejected = check::unexpected_rejection(checks, &observation);
            let left = step_runner.left(&observation);
            let holds = Holds {
                is_rejected: rejected.is_some(),
                left,
                is_blind: !view.broken_watches().is_empty(),
                is_compared: std::mem::take(&mut is_compared),
            };
            let Left {
                lines: behind,
                comparison,
            } = self
                .evaluate(&mut tracker, &mut memory, &observation, holds)
                .await;
            let elapsed = self.applied.elapsed();
            if let Some(cause) = &rejected {
                tracker.terminal(elapsed, cause);
            }
            tracker.block(elapsed, &observation.milestones);
            // What is told may quote logs, and a log Secrets that the operator made.
            if told.is_due(&tracker) && !observation.logs.is_empty() {
                self.secrets.learn_in_time().await;
            }
            told.tell(self, &tracker);
            let done = |tracker: &CheckTracker<'_>| Judged {
                checks: tracker.results(),
                applied: self.applied_at,
                observation: observation.clone(),
                cut_short: false,
            };
            let cut_short = |tracker: &mut CheckTracker<'_>, why: &str, broken: Vec<String>| {
                let causes = std::iter::once(why.to_owned()).chain(broken);
                tracker.interrupt(elapsed, &causes.collect::<Vec<_>>().join("; "));
                Judged {
                    cut_short: true,
                    ..done(tracker)
                }
            };
            if tracker.finished() {
                return done(&tracker);
            }
            if left.is_none() && tracker.only_watches(&observation.milestones) {
                allocation.overlap();
            }
            if self.cancel.is_cancelled() {
                return cut_short(&mut tracker, "the run was interrupted", Vec::new());
            }
            if let Some(fault) = memory.environment_fault(checks, &observation) {
                tracker.interrupt(elapsed, &fault);
                return done(&tracker);
            }
            if let Some(operator) = &mut operator
                && looked.is_none_or(|at: Instant| at.elapsed() >= AT_LEAST_EVERY)
            {
                looked = Some(Instant::now());
                let pods = view.pods_in(operator.namespace());
                if let Some(outage) = operator.look(&pods, Instant::now()).await {
                    tracker.interrupt_with(elapsed, &outage.cause, outage.log);
                    return done(&tracker);
                }
            }
            // What the logs say of a state counts first.
            if let Some(cause) = check::terminal(checks, &observation).filter(|_| !behind) {
                let since = *terminal_since.get_or_insert_with(Instant::now);
                if last_lines_are_read(&observation) || since.elapsed() >= LAST_LINES {
                    tracker.terminal(elapsed, &cause);
                    return done(&tracker);
                }
            } else if !behind {
                terminal_since = None;
            }
            if self.run_ends.is_some_and(|end| Instant::now() >= end) {
                let why = "the run's time limit was over";
                return cut_short(&mut tracker, why, view.broken_watches());
            }
            let is_late = tracker.next_limit().is_some_and(|limit| elapsed >= limit);
            if is_late || (comparison && !holds.is_blind) {
                let compared = if is_late {
                    ComparedKinds::All
                } else {
                    to_compare(&tracker)
                };
                let missed = tokio::select! {
                    biased;
                    () = self.over() => continue,
                    missed = unseen(view, compared) => missed,
                };
                is_compared = missed.is_empty();
                // What the run could not see is not missing.
                if is_late && !is_compared {
                    tracker.interrupt(elapsed, &missed.join("; "));
                    return done(&tracker);
                }
            }
            // A check that holds passes in the next look.
            if is_late && !(comparison && is_compared) {
                tracker.expire(
                    elapsed,
                    &notes(view, &tracker, &milestones, operator.as_ref()),
                );
            }
            // What waits for a check that has failed can't come any more.
            if is_compared {
                continue;
            }
            let acted = tokio::select! {
                biased;
                () = self.over() => continue,
                acted = step_runner.act(&observation) => acted,
            };
            if let Err(error) = acted {
                tracker.interrupt(elapsed, &error.to_string());
                return done(&tracker);
            }
            Self::ask(view, &tracker, &observation);
            if behind {
                tokio::task::yield_now().await;
                continue;
            }
            let limit = tracker.next_limit().map(|limit| self.applied + limit);
            let soon = Instant::now() + AT_LEAST_EVERY;
            let next = limit
                .into_iter()
                .chain(self.run_ends)
                .fold(soon, Instant::min);
            tokio::select! {
                () = view.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep_until(next) => {}
                () = self.cancel.cancelled() => {}
            }
        }
    }

    /// Ends with the run: when it is interrupted, and when its time is over.
    pub(super) async fn over(&self) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = until(self.run_ends) => {}
        }
    }

    /// Evaluates the open checks; returns what is left to do.
    ///
    /// No check passes while an object is missing. No check passes because something did not happen
    /// while a watch is broken, or before the watches are compared with the API server. The last
    /// check does not pass while steps are left. A long log is judged in parts, but all lines that
    /// are known are judged before the case ends well.
    async fn evaluate(
        &self,
        tracker: &mut CheckTracker<'_>,
        memory: &mut check::Memory,
        observation: &Observation,
        holds: Holds,
    ) -> Left {
        loop {
            let mut comparison = false;
            let elapsed = self.applied.elapsed();
            for (index, check) in tracker.open() {
                let verdict = memory.evaluate(index, check, observation, self.expectations);
                let is_unsure =
                    check.unwanted().is_some() && (holds.is_blind || !holds.is_compared);
                if (holds.is_rejected || is_unsure) && !matches!(verdict, Verdict::Never(_)) {
                    comparison |= is_unsure && matches!(verdict, Verdict::Pass(_));
                    continue;
                }
                match holds.left {
                    Some(left) => tracker.take_before_steps(index, verdict, elapsed, left),
                    None => tracker.take(index, verdict, elapsed),
                }
            }
            let lines = memory.is_behind(&tracker.open());
            if !lines || !tracker.finished() {
                return Left { lines, comparison };
            }
            tokio::task::yield_now().await;
        }
    }

    fn observe(
        &self,
        view: &NamespaceView,
        milestones: &mut BTreeMap<Milestone, Timestamp>,
        step_runner: &StepRunner<'_>,
    ) -> Observation {
        let mut observation = view.observe();
        observation.before_steps = step_runner.before().cloned();
        observation.rejections = [self.rejections, step_runner.rejections()].concat();
        observation.largest_node = self.largest_node;
        observation.milestones.clone_from(milestones);
        for reached in check::milestones(
            &self.scenario.file.spec.checks,
            &observation,
            self.expectations,
        ) {
            milestones.entry(reached).or_insert(observation.now);
        }
        observation.milestones.clone_from(milestones);
        observation
    }

    /// Asks for what checks without a verdict still need to see.
    fn ask(view: &mut NamespaceView, tracker: &CheckTracker<'_>, observation: &Observation) {
        let open = tracker.open();
        let needed = open
            .iter()
            .flat_map(|(_, check)| check.needed_logs(observation));
        let wanted: BTreeSet<LogKey> = needed.chain(check::terminal_logs(observation)).collect();
        view.follow(wanted);
        for check in tracker.unfinished() {
            for key in outdated_logs(check, observation) {
                view.reread(&key);
            }
        }
        let wanted = needs_dashboard(tracker, &observation.milestones);
        view.ask_dashboard(running_head(observation).filter(|_| wanted));
    }
}

/// Returns the changes that the watches have not reported, in words.
async fn unseen(view: &mut NamespaceView, compared: ComparedKinds) -> Vec<String> {
    let broken = view.broken_watches();
    if broken.is_empty() {
        return view.missed(compared).await;
    }
    broken
}

/// Returns the kinds to compare before open checks pass because something did not happen.
fn to_compare(tracker: &CheckTracker<'_>) -> ComparedKinds {
    let open = tracker.open();
    let mut unwanted = open.iter().filter_map(|(_, check)| check.unwanted());
    if unwanted.any(Role::is_of_job) {
        ComparedKinds::PodsAndJobs
    } else {
        ComparedKinds::Pods
    }
}

/// Returns further explanations of why something did not happen in time.
fn notes(
    view: &NamespaceView,
    tracker: &CheckTracker<'_>,
    milestones: &BTreeMap<Milestone, Timestamp>,
    operator: Option<&OperatorHealth<'_>>,
) -> Vec<String> {
    let dashboard = view
        .dashboard_error()
        .filter(|_| needs_dashboard(tracker, milestones));
    let restarted =
        operator.and_then(|operator| operator.restarted(&view.pods_in(operator.namespace())));
    dashboard.into_iter().chain(restarted).collect()
}

/// Progress is told when a check gets its verdict, and of other changes now and then.
#[derive(Default)]
struct ReportedProgress {
    text: String,
    done: Option<usize>,
    at: Option<Instant>,
}

impl ReportedProgress {
    fn is_due(&self, tracker: &CheckTracker<'_>) -> bool {
        self.done != Some(tracker.unfinished().count())
            || self.at.is_none_or(|at| at.elapsed() >= TELL_EVERY)
    }

    fn tell(&mut self, judge: &Judge<'_>, tracker: &CheckTracker<'_>) {
        if !self.is_due(tracker) {
            return;
        }
        let awaited = tracker.unfinished().count();
        let text = tracker.progress();
        // Once all is judged, the result says so.
        if text != self.text && awaited > 0 {
            judge.progress.update(judge.id, &text);
        }
        (self.text, self.done, self.at) = (text, Some(awaited), Some(Instant::now()));
    }
}

/// Logs that a check waits to see whole, as of a moment after all of its milestones.
fn outdated_logs(check: &Check, observation: &Observation) -> Vec<LogKey> {
    let reached: Option<Vec<Timestamp>> = check
        .awaited()
        .iter()
        // A log is read whole when its container ends, without being asked.
        .filter(|milestone| **milestone != Milestone::Ended)
        .map(|milestone| observation.milestones.get(milestone).copied())
        .collect();
    let Some(since) = reached.and_then(|times| times.into_iter().max()) else {
        return Vec::new();
    };
    let mut keys = check.needed_logs(observation);
    keys.retain(|key| {
        let read = observation.logs.get(key).and_then(|log| log.complete_as_of);
        read.is_none_or(|read| read < since)
    });
    keys
}

fn last_lines_are_read(observation: &Observation) -> bool {
    let mut keys = check::terminal_logs(observation).into_iter();
    keys.all(|key| {
        observation
            .logs
            .get(&key)
            .is_some_and(|log| log.complete_as_of.is_some())
    })
}

/// Whether a check without a verdict needs the dashboard itself, or a milestone that only the
/// dashboard shows.
fn needs_dashboard(
    tracker: &CheckTracker<'_>,
    milestones: &BTreeMap<Milestone, Timestamp>,
) -> bool {
    tracker.unfinished().any(|check| {
        let from_dashboard =
            |milestone: &Milestone| matches!(milestone, Milestone::RayReady | Milestone::Job);
        check.needs_dashboard()
            || check
                .awaited()
                .iter()
                .any(|milestone| from_dashboard(milestone) && !milestones.contains_key(milestone))
    })
}

/// Returns the dashboard's answer for evidence, where no check has asked it; waits a few seconds
/// for it.
pub(super) async fn dashboard_for_evidence(
    view: &mut NamespaceView,
    observation: &Observation,
) -> Option<Dashboard> {
    view.ask_dashboard(Some(running_head(observation)?));
    let answer = async {
        loop {
            if let Some(answer) = view.observe().dashboard {
                return answer;
            }
            view.changed().await;
        }
    };
    tokio::time::timeout(ANSWER_WITHIN, answer).await.ok()
}

/// The newest head Pod whose first container runs, or has begun to and is in its `postStart` hook,
/// of which the kubelet tells no state.
fn running_head(observation: &Observation) -> Option<&Pod> {
    observation.pods.iter().rev().find(|pod| {
        let is_head = pod
            .labels()
            .get("ray.io/node-type")
            .is_some_and(|kind| kind == "head");
        let first = pod.spec.as_ref().and_then(|spec| spec.containers.first());
        let mut statuses = pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten());
        let runs = first.is_some_and(|first| {
            let state = statuses.find(|status| status.name == first.name);
            let state = state.and_then(|status| status.state.as_ref());
            let waits =
                state.is_none_or(|state| state.running.is_none() && state.terminated.is_none());
            state.is_some_and(|state| state.running.is_some())
                || (waits
                    && first.lifecycle.is_some()
                    && check::has_started(observation, pod, &first.name))
        });
        is_head && runs && pod.metadata.deletion_timestamp.is_none()
    })
}

#[cfg(test)]
#[path = "case/tests.rs"]
mod tests;
