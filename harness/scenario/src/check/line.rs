//! Lines of logs: colour codes, patterns and excerpts for people.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

/// Most marked lines that an excerpt shows.
const MARKED: usize = 20;
/// Lines that an excerpt shows around the one that it is about.
const AROUND: usize = 5;
/// Stands for the Pod's address in patterns.
pub(super) const POD_IP: &str = "<pod-ip>";

static ANSI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])").expect("a valid regex")
});

/// A line without colour codes.
pub(super) fn plain(line: &str) -> String {
    ANSI.replace_all(line, "").into_owned()
}

/// What a line is compared with: a text anywhere in it, or a regular expression between slashes.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern, with the Pod's address for `<pod-ip>`; the error says what is wrong with it.
    pub(super) fn new(text: &str, pod_ip: Option<&str>) -> Result<Self, String> {
        let body = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .filter(|body| !body.is_empty());
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
            .map(Self)
            .map_err(|error| format!("{text} is not a valid regular expression: {error}"))
    }

    pub(super) fn matches(&self, line: &str) -> bool {
        self.0.is_match(line)
    }
}

/// The marked lines, numbered from 1, and those around the line that it is about (an index, marked with `>`).
pub(super) fn excerpt(lines: &[String], marked: &[usize], about: Option<usize>) -> String {
    let mut shown: BTreeSet<usize> = marked.iter().rev().take(MARKED).copied().collect();
    let centre = about.unwrap_or(lines.len());
    shown.extend(centre.saturating_sub(AROUND)..(centre + AROUND).min(lines.len()));
    numbered(lines, shown, about)
}

/// The last lines of a log, numbered.
pub(super) fn tail(lines: &[String], count: usize) -> String {
    numbered(lines, (lines.len().saturating_sub(count)..lines.len()).collect(), None)
}

fn numbered(lines: &[String], shown: BTreeSet<usize>, about: Option<usize>) -> String {
    let mut text = String::new();
    let mut next = 0;
    for index in shown {
        if index > next {
            text.push_str("   …\n");
        }
        next = index + 1;
        let mark = if about == Some(index) { '>' } else { ' ' };
        let _ = writeln!(text, "{mark}{:>4} | {}", index + 1, lines[index]);
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests;
