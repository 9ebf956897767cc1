//! Following an ordered list of expected lines through a log.

use std::collections::BTreeMap;

use super::line::Pattern;
use super::resources;
use crate::{LineExpectation, ResourceExpectation};

/// How far a log has come.
#[derive(Debug)]
pub(super) struct Progress {
    /// Indexes of the lines that matched.
    pub matched: Vec<usize>,
    /// The next line that must come; none when all have come.
    pub awaited: Option<String>,
}

/// Why a log can't come to be as expected any more.
#[derive(Debug, Default)]
pub(super) struct Fault {
    /// The cause.
    pub message: String,
    /// Index of the line that it is about.
    pub line: Option<usize>,
    /// Indexes of the lines that matched, the faulty one among them.
    pub matched: Vec<usize>,
    /// What was expected in particular, where that is narrower than the whole list.
    pub expected: Option<String>,
    /// What was found in particular.
    pub found: Option<String>,
}

/// An expected line with its place.
struct Step<'a> {
    test: Test<'a>,
    /// Whether it has to come.
    must: bool,
    repeat: bool,
    /// How it is called in messages.
    title: String,
}

enum Test<'a> {
    Text(Pattern),
    Resources(&'a BTreeMap<String, ResourceExpectation>),
}

impl Step<'_> {
    fn matches(&self, line: &str) -> bool {
        match &self.test {
            Test::Text(pattern) => pattern.matches(line),
            Test::Resources(_) => resources::parse(line).is_some(),
        }
    }
}

/// Follows the expected lines through a log whose colours were removed. Lines that match nothing are of other sources.
pub(super) fn follow(expected: &[LineExpectation], lines: &[String], ip: Option<&str>) -> Result<Progress, Fault> {
    let (steps, forbidden) = read(expected, ip)?;
    let mut matched = Vec::new();
    // Index of the step that matched last, and whether another line may match it.
    let mut last: Option<usize> = None;
    for (index, line) in lines.iter().enumerate() {
        let fault = |message: String| Fault {
            message: format!("line {} {message}", index + 1),
            line: Some(index),
            matched: [matched.as_slice(), &[index]].concat(),
            ..Fault::default()
        };
        if let Some((text, _)) = forbidden.iter().find(|(_, pattern)| pattern.matches(line)) {
            return Err(fault(format!("has \"{text}\", which must not come")));
        }
        let begin = last.map_or(0, |last| last + 1);
        let next_must = (begin..steps.len()).find(|step| steps[*step].must);
        // The next line that must come is preferred, so that a wide `may` or `repeat` before it can't take it.
        let before = begin..next_must.unwrap_or(steps.len());
        let again = last.filter(|last| steps[*last].repeat);
        let step = next_must
            .into_iter()
            .chain(before)
            .chain(again)
            .find(|step| steps[*step].matches(line));
        if let Some(step) = step {
            if let Test::Resources(expected) = &steps[step].test {
                check_resources(expected, line, ip).map_err(|(message, wanted, seen)| Fault {
                    expected: Some(wanted),
                    found: Some(seen),
                    ..fault(message)
                })?;
            }
            matched.push(index);
            last = Some(step);
            continue;
        }
        let after_must = next_must.map_or(steps.len(), |must| must + 1);
        if let Some(early) = (after_must..steps.len()).find(|step| steps[*step].matches(line)) {
            let first = next_must.map_or("", |must| steps[must].title.as_str());
            return Err(fault(format!(
                "has {} before {first}, which must come first",
                steps[early].title
            )));
        }
        if let Some(late) = (0..begin).rev().find(|step| steps[*step].matches(line)) {
            let title = &steps[late].title;
            let after = last.filter(|last| *last != late).map(|last| steps[last].title.as_str());
            return Err(fault(match after {
                Some(after) if steps[late].must && !steps[late].repeat => {
                    format!("has {title} a second time, after {after}; it must come once")
                }
                Some(after) => format!("has {title} after {after}; its place is before"),
                None => format!("has {title} a second time; it must come once (else say `repeat: true`)"),
            }));
        }
    }
    let begin = last.map_or(0, |last| last + 1);
    let awaited = steps[begin..]
        .iter()
        .find(|step| step.must)
        .map(|step| step.title.clone());
    Ok(Progress { matched, awaited })
}

/// The lines that have a place, and those that must not come.
type Parts<'a> = (Vec<Step<'a>>, Vec<(&'a str, Pattern)>);

fn read<'a>(expected: &'a [LineExpectation], ip: Option<&str>) -> Result<Parts<'a>, Fault> {
    let pattern = |text: &str| {
        Pattern::new(text, ip).map_err(|message| Fault {
            message,
            ..Fault::default()
        })
    };
    let mut steps = Vec::new();
    let mut forbidden = Vec::new();
    for line in expected {
        if let Some(text) = &line.not {
            forbidden.push((text.as_str(), pattern(text)?));
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
            let (test, title) = (Test::Resources(expected), "Ray's resources".to_owned());
            steps.push(Step {
                test,
                must: true,
                repeat: line.repeat,
                title,
            });
        }
    }
    Ok((steps, forbidden))
}

/// The error is the message, what was expected, and what was found.
fn check_resources(
    expected: &BTreeMap<String, ResourceExpectation>,
    line: &str,
    ip: Option<&str>,
) -> Result<(), (String, String, String)> {
    let differences = resources::differences(expected, &resources::parse(line).unwrap_or_default(), ip);
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
