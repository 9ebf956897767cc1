//! A container's log against an ordered list of lines.

use std::fmt::Write;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::line_order::{Fault, Order, Progress};
use super::{LineExpectation, LogsCheck};
use crate::check::line::{self, POD_IP};
use crate::check::pods::Missing;
use crate::check::{Finding, Lines, Log, LogKey, Milestone, Observation, Verdict, pods, resources};

/// The log that the check is about, once its container has started.
pub(super) fn needed(check: &LogsCheck, observation: &Observation) -> Option<LogKey> {
    let pod = pods::find(observation, check.role, check.group.as_deref())?;
    let container = pods::container_name(pod, check.container.as_deref())?;
    let key = key(check, pod, container);
    let exists = if key.previous {
        pods::status(pod, container).is_some_and(|status| pods::ends(status)[1].is_some())
    } else {
        pods::has_started(observation, pod, container)
    };
    exists.then_some(key)
}

/// The log that the check is about; after `ended`, that of the instance that ended last.
fn key(check: &LogsCheck, pod: &Pod, container: &str) -> LogKey {
    let ended_before = || {
        let ends = pods::status(pod, container).map(pods::ends);
        matches!(ends, Some([None, Some(_)]))
    };
    LogKey {
        pod: pods::name(pod).into(),
        container: container.into(),
        previous: check.previous || (check.after.contains(&Milestone::Ended) && ended_before()),
    }
}

/// How far a check has read its log.
#[derive(Debug, Default)]
pub(in crate::check) struct Reading {
    /// The lines, and the Pod's address, for which this holds.
    of: Option<(u64, Option<String>)>,
    order: Option<Order>,
    progress: Progress,
    /// The next line to judge.
    next: usize,
    end: Option<End>,
    behind: bool,
}

/// Why there is nothing more to read.
#[derive(Debug)]
enum End {
    Fault(Box<Fault>),
    /// Lines that can't be judged.
    Lost(String),
}

impl Reading {
    /// Whether lines were left for the next call.
    pub(in crate::check) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Judges the lines that are new, as many bytes of them as `at_once` says.
    fn go_on(&mut self, check: &LogsCheck, lines: &Lines, ip: Option<&str>, at_once: usize) {
        let of = Some((lines.id(), ip.map(str::to_owned)));
        if self.of != of {
            *self = Self {
                of,
                ..Self::default()
            };
            match Order::new(&check.lines, ip) {
                Ok(order) => self.order = Some(order),
                Err(fault) => self.end = Some(End::Fault(fault)),
            }
        }
        let mut left = at_once;
        if let (Some(order), None) = (&self.order, &self.end) {
            for (number, text) in lines.whole_from(self.next) {
                if left == 0 {
                    break;
                }
                left = left.saturating_sub(text.len() + 1);
                if let Some(what) = lines.lost(self.next, number) {
                    self.end = Some(End::Lost(what));
                    break;
                }
                self.next = number + 1;
                if let Err(fault) = order.take(&mut self.progress, number, &line::plain(text)) {
                    self.end = Some(End::Fault(fault));
                    break;
                }
            }
        }
        self.behind = self.end.is_none() && self.next < lines.count();
    }

    /// How far the log has come with what stands behind its last line end. That is a line only once
    /// the container has ended; before, the rest of it may turn a fault into none.
    fn with_partial(&mut self, log: &Log) -> Progress {
        let mut progress = self.progress.clone();
        let (Some(order), Some(partial)) = (&self.order, log.lines.partial()) else {
            return progress;
        };
        if let Err(fault) = order.take(&mut progress, log.lines.count(), &line::plain(partial)) {
            if log.ended {
                self.end = Some(End::Fault(fault));
            }
            return self.progress.clone();
        }
        progress
    }

    fn awaited(&self, progress: &Progress) -> Option<&str> {
        self.order
            .as_ref()
            .and_then(|order| order.awaited(progress))
    }
}

/// `reading` is what is known from the call before; `at_once` how many bytes of the log are judged
/// in this one.
pub(in crate::check) fn evaluate(
    check: &LogsCheck,
    observation: &Observation,
    reading: &mut Reading,
    at_once: usize,
) -> Verdict {
    let expected = Some(expectation(check));
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: expected.clone(),
        found,
        ..Finding::default()
    };
    // Only the log that is there now counts.
    reading.behind = false;
    if check.after.is_empty() && check.lines.iter().any(|line| line.not.is_some()) {
        let message = "a `not` line needs `after`: without it, an empty log would do; add e.g. `after: [rayReady]`";
        return Verdict::Never(finding(message.into(), None));
    }
    let (group, container) = (check.group.as_deref(), check.container.as_deref());
    let (pod, container) = match pods::find_container(observation, check.role, group, container) {
        Ok(found) => found,
        Err(Missing::NotYet(message)) => return Verdict::NotYet(finding(message, None)),
        Err(Missing::Never(message)) => return Verdict::Never(finding(message, None)),
    };
    let key = key(check, pod, container);
    let which = if key.previous { "previous log" } else { "log" };
    let title = format!("{which} of container {container} of Pod {}", key.pod);
    let Some(log) = observation.logs.get(&key) else {
        let message = format!(
            "waits for the {title}; {}",
            pods::situation(observation, pod, container)
        );
        return Verdict::NotYet(finding(message, None));
    };
    let ip = pods::ip(pod);
    if ip.is_none() && check.lines.iter().any(names_address) {
        return Verdict::NotYet(finding(
            format!("waits for Pod {} to have an address", key.pod),
            None,
        ));
    }
    let lines = &log.lines;
    reading.go_on(check, lines, ip, at_once);
    let progress = reading.with_partial(log);
    let excerpt = |progress: &Progress| {
        Some(line::excerpt(lines, &progress.matched().lines, None)).filter(|text| !text.is_empty())
    };
    // Line numbers count the whole log.
    let finding = |message: String, found: Option<String>| match lines.cut_words() {
        Some(cut) => finding(format!("{message}; {cut}"), found),
        None => finding(message, found),
    };
    match &reading.end {
        Some(End::Fault(fault)) => {
            let mut finding = finding(
                format!("{title}: {}", fault.message),
                found_at(fault, lines),
            );
            finding.expected = fault.expected.clone().or(finding.expected);
            return Verdict::Never(finding);
        }
        Some(End::Lost(what)) => {
            let message = format!("the {title} can't be judged: {what}");
            return Verdict::Lost(finding(message, excerpt(&progress)));
        }
        None => {}
    }
    let so_far = format!(
        "{} of its {} lines are judged so far",
        reading.next,
        lines.count()
    );
    if let Some(awaited) = reading.awaited(&progress) {
        let found = excerpt(&progress);
        if reading.behind {
            let message = format!("waits for a line with {awaited} in the {title}; {so_far}");
            return Verdict::NotYet(finding(message, found));
        }
        if log.ended && is_last(check, pod, container) {
            let message = format!("{title} has no line with {awaited}, and its container ended");
            return Verdict::Never(finding(message, found));
        }
        let seen = lines.last().map_or_else(
            || "it is empty".to_owned(),
            |last| {
                format!(
                    "line {}, the last so far, is \"{}\"",
                    lines.end(),
                    line::plain(last)
                )
            },
        );
        return Verdict::NotYet(finding(
            format!("waits for a line with {awaited} in the {title}; {seen}"),
            found,
        ));
    }
    let matched = progress.matched();
    let earlier = (matched.earlier > 0).then(|| format!("(and {} earlier lines)", matched.earlier));
    let shown = matched
        .lines
        .iter()
        .map(|(number, text)| format!("{:>5} | {text}", number + 1));
    let found = Some(
        earlier
            .into_iter()
            .chain(shown)
            .collect::<Vec<_>>()
            .join("\n"),
    )
    .filter(|text| !text.is_empty());
    if reading.behind {
        return Verdict::NotYet(finding(
            format!("no fault is in the {title} yet; {so_far}"),
            found,
        ));
    }
    match unread(check, observation, pod, container, log) {
        Some(awaited) => Verdict::NotYet(finding(
            format!("all lines are in the {title}; {awaited}"),
            found,
        )),
        None => Verdict::Pass(finding(format!("the {title} is as expected"), found)),
    }
}

/// What was found where a log is not as expected.
fn found_at(fault: &Fault, lines: &Lines) -> Option<String> {
    let excerpt = fault.line.as_ref();
    let excerpt = excerpt.map(|line| line::excerpt(lines, &fault.matched.lines, Some(line)));
    let found: Vec<String> = fault.found.iter().cloned().chain(excerpt).collect();
    Some(found.join("\n")).filter(|text| !text.is_empty())
}

/// What keeps a log in which all is found from being judged: a milestone, or lines that may not
/// have been read yet.
fn unread(
    check: &LogsCheck,
    observation: &Observation,
    pod: &Pod,
    container: &str,
    log: &Log,
) -> Option<String> {
    let mut latest: Option<Timestamp> = None;
    for milestone in &check.after {
        if *milestone == Milestone::Ended {
            if !log.ended {
                let seen = pods::situation(observation, pod, container);
                return Some(format!("waits for the milestone `ended`; {seen}"));
            }
            continue;
        }
        match observation.milestones.get(milestone) {
            Some(time) => latest = latest.max(Some(*time)),
            None => return Some(format!("waits for the milestone `{}`", milestone.word())),
        }
    }
    let latest = latest?;
    let whole = log.complete_as_of.is_some_and(|read| read >= latest);
    (!whole).then(|| "waits for the log to be read whole after the milestone".to_owned())
}

/// Whether no later instance of the container is waited for: the check is about the one that ended,
/// or none runs.
fn is_last(check: &LogsCheck, pod: &Pod, container: &str) -> bool {
    let stays_ended = || {
        let status = pods::status(pod, container)?;
        let [now, before] = pods::ends(status);
        // Another container may crash until Ray is up.
        let is_ray = pods::container_name(pod, None) == Some(container);
        Some(now.is_some() || (is_ray && before.is_some() && pods::waiting(status).is_some()))
    };
    check.previous || check.after.contains(&Milestone::Ended) || stays_ended().unwrap_or(false)
}

fn names_address(line: &LineExpectation) -> bool {
    let mut texts = [&line.must, &line.may, &line.not].into_iter().flatten();
    let mut keys = line.resources.iter().flatten().map(|(key, _)| key);
    texts.any(|text| text.contains(POD_IP)) || keys.any(|key| key.contains(POD_IP))
}

/// The expected lines, one a line, for people.
fn expectation(check: &LogsCheck) -> String {
    let mut text = String::new();
    for line in &check.lines {
        let repeat = if line.repeat { " (repeat)" } else { "" };
        for (key, value) in [("must", &line.must), ("may", &line.may), ("not", &line.not)] {
            if let Some(value) = value {
                let _ = writeln!(text, "{key}{repeat}: {value}");
            }
        }
        if let Some(expected) = &line.resources {
            let _ = writeln!(text, "resources: {}", resources::words(expected));
        }
    }
    text.truncate(text.trim_end().len());
    text
}
