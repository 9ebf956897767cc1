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
mod tests {
    use rstest::rstest;

    use super::{Pattern, excerpt, plain};

    #[rstest]
    #[case(
        "\u{1b}[37mLocal node IP\u{1b}[39m: \u{1b}[1m10.244.0.8\u{1b}[22m",
        "Local node IP: 10.244.0.8"
    )]
    #[case("\u{1b}]8;;http://a\u{7}link\u{1b}]8;;\u{7}", "link")]
    #[case("no [37m colour", "no [37m colour")]
    fn colours_are_removed(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(plain(line), expected);
    }

    #[rstest]
    #[case("a.c", "abc", false)]
    #[case("a.c", "xa.cx", true)]
    #[case("/a.c/", "abc", true)]
    #[case("/^b/", "abc", false)]
    #[case("/", "and/or", true)]
    #[case("node:<pod-ip>", "'node:10.244.0.1'", true)]
    #[case("node:<pod-ip>", "'node:10.244.0.18'", false)]
    #[case("<pod-ip>:6379", "at 210.244.0.1:6379", false)]
    #[case("/at <pod-ip>:\\d+/", "at 10.244.0.1:6379", true)]
    #[case("/at <pod-ip>:\\d+/", "at 10a244.0.1:6379", false)]
    fn patterns(#[case] pattern: &str, #[case] line: &str, #[case] expected: bool) {
        assert_eq!(
            Pattern::new(pattern, Some("10.244.0.1")).unwrap().matches(line),
            expected
        );
    }

    #[test]
    fn a_wrong_regex_is_named() {
        assert!(
            Pattern::new("/(/", None)
                .unwrap_err()
                .starts_with("/(/ is not a valid regular expression")
        );
    }

    #[test]
    fn an_excerpt_has_numbers_gaps_and_a_mark() {
        let lines: Vec<String> = (1..=20).map(|n| format!("line {n}")).collect();
        insta::assert_snapshot!(excerpt(&lines, &[0, 11], Some(11)), @r"
            1 | line 1
           …
            7 | line 7
            8 | line 8
            9 | line 9
           10 | line 10
           11 | line 11
        >  12 | line 12
           13 | line 13
           14 | line 14
           15 | line 15
           16 | line 16
        ");
    }
}
