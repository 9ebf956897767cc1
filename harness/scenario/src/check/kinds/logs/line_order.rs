//! Follows an ordered list of expected lines through a log, line by line.

use std::collections::{BTreeMap, VecDeque};

use super::LineExpectation;
use crate::check::line::Pattern;
use crate::check::{ResourceExpectation, resources};

/// Most lines that are remembered to have matched; of more, these are the last.
pub(super) const MARKED: usize = 20;

/// How far a log has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// The step that matched last.
    last: Option<usize>,
    matched: Matched,
}

/// The last lines that matched, with their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Matched {
    /// How many matched before these.
    pub earlier: usize,
    pub lines: VecDeque<(usize, String)>,
}

impl Matched {
    fn push(&mut self, number: usize, line: &str) {
        if self.lines.len() == MARKED {
            self.lines.pop_front();
            self.earlier += 1;
        }
        self.lines.push_back((number, line.to_owned()));
    }
}

/// Why a log can't come to be as expected any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    /// The cause.
    pub message: String,
    /// Number of the line that it is about, with the line.
    pub line: Option<(usize, String)>,
    /// The lines that matched.
    pub matched: Matched,
    /// What was expected in particular, where that is narrower than the whole list.
    pub expected: Option<String>,
    /// What was found in particular.
    pub found: Option<String>,
}

/// An expected line with its place.
#[derive(Debug)]
struct Step {
    test: Test,
    /// Whether it has to come.
    must: bool,
    repeat: bool,
    /// How it is called in messages.
    title: String,
}

#[derive(Debug)]
enum Test {
    Text(Pattern),
    Resources(BTreeMap<String, ResourceExpectation>),
}

impl Step {
    fn matches(&self, line: &str) -> bool {
        match &self.test {
            Test::Text(pattern) => pattern.matches(line),
            Test::Resources(_) => resources::parse(line).is_some(),
        }
    }
}

/// Expected lines, ready to follow a log, line by line.
#[derive(Debug)]
pub(super) struct Order {
    steps: Vec<Step>,
    forbidden: Vec<(String, Pattern)>,
    ip: Option<String>,
}

impl Order {
    /// Reads expected lines, with the Pod's address for its placeholder.
    pub(super) fn new(expected: &[LineExpectation], ip: Option<&str>) -> Result<Self, Box<Fault>> {
        let pattern = |text: &str| {
            Pattern::new(text, ip).map_err(|message| {
                Box::new(Fault {
                    message,
                    ..Fault::default()
                })
            })
        };
        let mut steps = Vec::new();
        let mut forbidden = Vec::new();
        for line in expected {
            if let Some(text) = &line.not {
                forbidden.push((text.clone(), pattern(text)?));
            }
            if let Some(text) = line.must.as_ref().or(line.may.as_ref()) {
                let (test, must) = (Test::Text(pattern(text)?), line.must.is_some());
                steps.push(Step {
                    test,
                    must,
                    repeat: line.repeat,
                    title: format!("\"{text}\""),
                });
            }
            if let Some(expected) = &line.resources {
                let (test, title) = (
                    Test::Resources(expected.clone()),
                    "Ray's resources".to_owned(),
                );
                steps.push(Step {
                    test,
                    must: true,
                    repeat: line.repeat,
                    title,
                });
            }
        }
        let ip = ip.map(str::to_owned);
        Ok(Self {
            steps,
            forbidden,
            ip,
        })
    }

    /// The next line that must come; none when all have come.
    pub(super) fn awaited(&self, progress: &Progress) -> Option<&str> {
        let begin = progress.last.map_or(0, |last| last + 1);
        let mut rest = self.steps[begin..].iter();
        rest.find(|step| step.must).map(|step| step.title.as_str())
    }

    /// Takes the next line of a log, whose colours were removed. A line that matches nothing is of
    /// another source.
    pub(super) fn take(
        &self,
        progress: &mut Progress,
        number: usize,
        line: &str,
    ) -> Result<(), Box<Fault>> {
        let steps = &self.steps;
        let fault = |progress: &Progress, message: String| {
            Box::new(Fault {
                message: format!("line {} {message}", number + 1),
                line: Some((number, line.to_owned())),
                matched: progress.matched.clone(),
                ..Fault::default()
            })
        };
        if let Some((text, _)) = self
            .forbidden
            .iter()
            .find(|(_, pattern)| pattern.matches(line))
        {
            return Err(fault(
                progress,
                format!("has \"{text}\", which must not appear"),
            ));
        }
        let last = progress.last;
        let begin = last.map_or(0, |last| last + 1);
        let next_must = (begin..steps.len()).find(|step| steps[*step].must);
        // The next line that must come is preferred, so that a wide `may` or `repeat` before it
        // can't take it.
        let before = begin..next_must.unwrap_or(steps.len());
        let again = last.filter(|last| steps[*last].repeat);
        let step = next_must
            .into_iter()
            .chain(before)
            .chain(again)
            .find(|step| steps[*step].matches(line));
        if let Some(step) = step {
            if let Test::Resources(expected) = &steps[step].test {
                let ip = self.ip.as_deref();
                check_resources(expected, line, ip).map_err(|(message, wanted, seen)| {
                    let mut fault = fault(progress, message);
                    (fault.expected, fault.found) = (Some(wanted), Some(seen));
                    fault
                })?;
            }
            progress.matched.push(number, line);
            progress.last = Some(step);
            return Ok(());
        }
        let after_must = next_must.map_or(steps.len(), |must| must + 1);
        if let Some(early) = (after_must..steps.len()).find(|step| steps[*step].matches(line)) {
            let first = next_must.map_or("", |must| steps[must].title.as_str());
            let early = &steps[early].title;
            return Err(fault(
                progress,
                format!("has {early} before {first}, which must come first"),
            ));
        }
        if let Some(late) = (0..begin).rev().find(|step| steps[*step].matches(line)) {
            let title = &steps[late].title;
            let after = last
                .filter(|last| *last != late)
                .map(|last| steps[last].title.as_str());
            let message = match after {
                Some(after) if steps[late].must && !steps[late].repeat => {
                    format!("has {title} a second time, after {after}; it must appear once")
                }
                Some(after) => format!("has {title} after {after}; its place is before"),
                None => format!(
                    "has {title} a second time; it must appear once (or set `repeat: true`)"
                ),
            };
            return Err(fault(progress, message));
        }
        Ok(())
    }
}

impl Progress {
    /// The lines that matched.
    pub(super) fn matched(&self) -> &Matched {
        &self.matched
    }
}

/// The error is the message, what was expected, and what was found.
fn check_resources(
    expected: &BTreeMap<String, ResourceExpectation>,
    line: &str,
    ip: Option<&str>,
) -> Result<(), (String, String, String)> {
    let differences =
        resources::differences(expected, &resources::parse(line).unwrap_or_default(), ip);
    if differences.is_empty() {
        return Ok(());
    }
    let sentences: Vec<String> = differences
        .iter()
        .map(|(wanted, seen)| format!("{seen} instead of {wanted}"))
        .collect();
    let (wanted, seen): (Vec<String>, Vec<String>) = differences.into_iter().unzip();
    Err((
        format!("has {} in Ray's resources", sentences.join(", ")),
        wanted.join("\n"),
        seen.join("\n"),
    ))
}
