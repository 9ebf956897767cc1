//! A container's log against an ordered list of lines.

use std::fmt::Write;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::line::{self, POD_IP};
use super::order::{self, Fault};
use super::{Finding, Log, LogKey, Observation, Verdict, pods, resources};
use crate::{Barrier, LineExpectation, LogsCheck};

/// Lines shown of a log in which nothing stands out.
const CONTEXT: usize = 10;

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
        previous: check.previous || (check.after.contains(&Barrier::Ended) && ended_before()),
    }
}

pub(super) fn evaluate(check: &LogsCheck, observation: &Observation) -> Verdict {
    let expected = Some(expectation(check));
    let finding = |message: String, found: Option<String>| Finding {
        message,
        expected: expected.clone(),
        found,
        diff: None,
    };
    if check.after.is_empty() && check.lines.iter().any(|line| line.not.is_some()) {
        let message = "a `not` line needs `after`: without it, an empty log would do; add e.g. `after: [rayReady]`";
        return Verdict::Never(finding(message.into(), None));
    }
    let group = check.group.as_deref();
    let Some(pod) = pods::find(observation, check.role, group) else {
        return Verdict::NotYet(finding(pods::absent(observation, check.role, group), None));
    };
    let Some(container) = pods::container_name(pod, check.container.as_deref()) else {
        return Verdict::NotYet(finding(format!("Pod {} has no containers", pods::name(pod)), None));
    };
    if !pods::container_names(pod).contains(&container) {
        let names = pods::container_names(pod).join(", ");
        let message = format!("Pod {} has no container {container}; it has {names}", pods::name(pod));
        return Verdict::Never(finding(message, None));
    }
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
        return Verdict::NotYet(finding(format!("waits for Pod {} to have an address", key.pod), None));
    }
    let plain: Vec<String> = log.lines.iter().map(|text| line::plain(text)).collect();
    let progress = match order::follow(&check.lines, &plain, ip) {
        Ok(progress) => progress,
        Err(Fault {
            message,
            line,
            matched,
            expected: wanted,
            found: seen,
        }) => {
            let excerpt = line.map(|line| line::excerpt(&plain, &matched, Some(line)));
            let found = [seen, excerpt].into_iter().flatten().collect::<Vec<_>>().join("\n");
            let mut finding = finding(
                format!("{title}: {message}"),
                Some(found).filter(|text| !text.is_empty()),
            );
            finding.expected = wanted.or(finding.expected);
            return Verdict::Never(finding);
        }
    };
    if let Some(awaited) = progress.awaited {
        let found = Some(line::excerpt(&plain, &progress.matched, None)).filter(|text| !text.is_empty());
        if log.ended && is_last(check, pod, container) {
            let message = format!("{title} has no line with {awaited}, and its container ended");
            return Verdict::Never(finding(message, found));
        }
        let seen = plain.last().map_or_else(
            || "it is empty".to_owned(),
            |last| format!("line {}, the last so far, is \"{last}\"", plain.len()),
        );
        return Verdict::NotYet(finding(
            format!("waits for a line with {awaited} in the {title}; {seen}"),
            found,
        ));
    }
    let matched = progress
        .matched
        .iter()
        .map(|index| format!("{:>5} | {}", index + 1, plain[*index]));
    let found = Some(matched.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty());
    match unread(check, observation, pod, container, log) {
        Some(awaited) => Verdict::NotYet(finding(format!("all lines are in the {title}; {awaited}"), found)),
        None => Verdict::Pass(finding(format!("the {title} is as expected"), found)),
    }
}

/// What keeps a log in which all is found from being judged: a barrier, or lines that may not have been read yet.
fn unread(check: &LogsCheck, observation: &Observation, pod: &Pod, container: &str, log: &Log) -> Option<String> {
    let mut latest: Option<Timestamp> = None;
    for barrier in &check.after {
        if *barrier == Barrier::Ended {
            if !log.ended {
                let seen = pods::situation(observation, pod, container);
                return Some(format!("waits for the barrier `ended`; {seen}"));
            }
            continue;
        }
        match observation.barriers.get(barrier) {
            Some(time) => latest = latest.max(Some(*time)),
            None => return Some(format!("waits for the barrier `{}`", barrier.word())),
        }
    }
    let latest = latest?;
    let whole = log.complete_as_of.is_some_and(|read| read >= latest);
    (!whole).then(|| "waits for the log to be read whole after the barrier".to_owned())
}

/// Whether no later instance of the container is waited for: the check is about the one that ended, or none runs.
fn is_last(check: &LogsCheck, pod: &Pod, container: &str) -> bool {
    let stays_ended = || {
        let status = pods::status(pod, container)?;
        let [now, before] = pods::ends(status);
        // Another container may crash until Ray is up.
        let is_ray = pods::container_name(pod, None) == Some(container);
        Some(now.is_some() || (is_ray && before.is_some() && pods::waiting(status).is_some()))
    };
    check.previous || check.after.contains(&Barrier::Ended) || stays_ended().unwrap_or(false)
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

/// The last lines of a log without colours, numbered.
pub(super) fn last_lines(lines: &[String]) -> String {
    let plain: Vec<String> = lines.iter().map(|text| line::plain(text)).collect();
    line::tail(&plain, CONTEXT)
}
