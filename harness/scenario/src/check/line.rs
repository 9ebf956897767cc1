//! Lines of logs: colour codes, patterns and excerpts for people.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

use super::Lines;

/// Lines that an excerpt shows around the one that it is about.
const AROUND: usize = 5;
/// Lines shown of a log in which nothing stands out.
const LAST: usize = 10;
/// Stands for the Pod's address in patterns.
pub(super) const POD_IP: &str = "<pod-ip>";

static ANSI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
        .expect("a valid regex")
});

/// A line without colour codes.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    if line.contains('\u{1b}') {
        ANSI.replace_all(line, "")
    } else {
        line.into()
    }
}

/// What a line is compared with: a text anywhere in it, or a regular expression between slashes.
#[derive(Debug)]
pub(super) enum Pattern {
    Text(String),
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern, with the Pod's address for `<pod-ip>`; the error says what is wrong with
    /// it.
    pub(super) fn new(text: &str, pod_ip: Option<&str>) -> Result<Self, String> {
        let body = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .filter(|body| !body.is_empty());
        if body.is_none() && (pod_ip.is_none() || !text.contains(POD_IP)) {
            return Ok(Self::Text(text.to_owned()));
        }
        let source = body.map_or_else(|| regex::escape(text), str::to_owned);
        // "10.0.0.1" must not be found in "10.0.0.18".
        let address = pod_ip.map(|ip| {
            let edge = |c: Option<char>| {
                if c.is_some_and(char::is_alphanumeric) {
                    r"\b"
                } else {
                    ""
                }
            };
            format!(
                "{}{}{}",
                edge(ip.chars().next()),
                regex::escape(ip),
                edge(ip.chars().last())
            )
        });
        let placeholder = if body.is_some() {
            POD_IP.to_owned()
        } else {
            regex::escape(POD_IP)
        };
        let source = match address {
            Some(address) => source.replace(&placeholder, &address),
            None => source,
        };
        Regex::new(&source)
            .map(Self::Regex)
            .map_err(|error| format!("{text} is not a valid regular expression: {error}"))
    }

    pub(super) fn matches(&self, line: &str) -> bool {
        match self {
            Self::Text(text) => line.contains(text),
            Self::Regex(regex) => regex.is_match(line),
        }
    }
}

/// The lines that matched, numbered from 1, and those around the line that it is about (marked with
/// `>`), without colours.
pub(super) fn excerpt<'a>(
    lines: &Lines,
    matched: impl IntoIterator<Item = &'a (usize, String)>,
    about: Option<&(usize, String)>,
) -> String {
    let centre = about.map_or(lines.end(), |(number, _)| *number);
    let mut shown = around(
        lines,
        centre.saturating_sub(AROUND)..(centre + AROUND).min(lines.end()),
    );
    shown.extend(matched.into_iter().cloned());
    shown.extend(about.cloned());
    numbered(&shown, about.map(|(number, _)| *number))
}

/// The last lines of a log, numbered, without colours.
pub(super) fn last_lines(lines: &Lines) -> String {
    numbered(
        &around(lines, lines.end().saturating_sub(LAST)..lines.end()),
        None,
    )
}

fn around(lines: &Lines, numbers: std::ops::Range<usize>) -> BTreeMap<usize, String> {
    let line = |number| Some((number, plain(lines.get(number)?).into_owned()));
    numbers.filter_map(line).collect()
}

fn numbered(shown: &BTreeMap<usize, String>, about: Option<usize>) -> String {
    let mut text = String::new();
    let mut next = 0;
    for (number, line) in shown {
        if *number > next {
            text.push_str("   …\n");
        }
        next = number + 1;
        let mark = if about == Some(*number) { '>' } else { ' ' };
        let _ = writeln!(text, "{mark}{next:>4} | {line}");
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests;
