//! What is wrong with a pattern of a `logs` check: it matches every line, or none.

use kuberay_manifest::yaml::Node;
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look, LookSet};

use crate::problems::Problems;

/// Lines that have nothing in common, each as one character and as some words: what matches either
/// pair matches any line, or any line that is not short.
const UNRELATED: [[&str; 2]; 2] = [["q", "7"], ["qqqq qqqq qqqq", "7777 7777 7777"]];

/// What `ray start` prints in every container that it starts in.
const OF_RAY: [&str; 3] = [
    "2026-11-02 10:15:00,123\tINFO usage_lib.py:463 -- Usage stats collection is enabled by default without user confirmation because this terminal is detected to be non-interactive.",
    "2026-11-02 10:15:00,201\tINFO scripts.py:744 -- Local node IP: 10.244.0.8",
    "2026-11-02 10:15:03,481\tSUCC scripts.py:781 -- Ray runtime started.",
];

pub(super) fn lint(problems: &mut Problems<'_>, node: &Node) {
    let Some(text) = node.text() else { return };
    if text.trim().is_empty() {
        let message = if text.is_empty() {
            "an empty text is in every line"
        } else {
            "white space alone is in almost every line"
        };
        problems.error(node, message, "write the text of the line");
        return;
    }
    let Some(expression) = expression(text) else {
        if text.contains(['\n', '\u{1b}']) {
            let message =
                "no line contains this: lines are read one by one and without colour codes";
            problems.error(node, message, "write a part of one line");
        } else if OF_RAY.iter().all(|line| line.contains(text)) {
            let message = format!("`{text}` is in every line of Ray's log");
            problems.error(node, message, "write more of the line");
        }
        return;
    };
    // The Pod's address takes the place of the word before the expression is used.
    let expression = expression.replace("<pod-ip>", "address");
    match Regex::new(&expression) {
        Err(error) => {
            let error = error.to_string();
            let cause = error
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            let message = format!("`{text}` is not a regular expression: {cause}");
            problems.error(
                node,
                message,
                "correct it, or leave the slashes out to look for the text itself",
            );
        }
        Ok(regex) if UNRELATED.iter().any(|lines| matches_all(&regex, lines)) => {
            let message = format!("`{text}` matches any line");
            problems.error(node, message, "write the text of the line");
        }
        Ok(regex) if matches_all(&regex, &OF_RAY) => {
            let message = format!("`{text}` matches every line of Ray's log");
            problems.error(node, message, "write the text of the line");
        }
        Ok(_) if !can_match_a_line(&expression) => {
            let message = format!("`{text}` matches no line");
            problems.error(node, message, "correct it, or leave it out");
        }
        Ok(_) => {}
    }
}

fn matches_all(regex: &Regex, lines: &[&str]) -> bool {
    lines.iter().all(|line| regex.is_match(line))
}

/// The expression of a text between slashes; none for a plain text.
fn expression(text: &str) -> Option<&str> {
    text.strip_prefix('/')?
        .strip_suffix('/')
        .filter(|body| !body.is_empty())
}

/// Whether an expression can match a line at all.
fn can_match_a_line(expression: &str) -> bool {
    regex_syntax::parse(expression).map_or(true, |parsed| can_match(&parsed))
}

/// Whether an expression can match a text without a line end. What it can match is always found; of
/// what it can't, only common mistakes are.
fn can_match(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .any(|range| range.start() != '\n' || range.end() != '\n'),
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .any(|range| range.start() != b'\n' || range.end() != b'\n'),
        HirKind::Repetition(repetition) => repetition.min == 0 || can_match(&repetition.sub),
        HirKind::Capture(capture) => can_match(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().any(can_match),
        HirKind::Concat(parts) => {
            let takes = |part: &Hir| {
                part.properties()
                    .minimum_len()
                    .is_none_or(|least| least > 0)
            };
            let any =
                |set: LookSet, looks: [Look; 2]| looks.into_iter().any(|look| set.contains(look));
            let begins = |part: &Hir| {
                any(
                    part.properties().look_set_prefix(),
                    [Look::Start, Look::StartLF],
                )
            };
            let ends = |part: &Hir| {
                any(
                    part.properties().look_set_suffix(),
                    [Look::End, Look::EndLF],
                )
            };
            let misplaced = (0..parts.len()).any(|index| {
                let (before, after) = (&parts[..index], &parts[index + 1..]);
                begins(&parts[index]) && before.iter().any(takes)
                    || ends(&parts[index]) && after.iter().any(takes)
            });
            !misplaced && parts.iter().all(can_match)
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::can_match_a_line;

    #[rstest]
    #[case("", true)]
    #[case("a", true)]
    #[case("\\n", false)]
    #[case("a\\nb", false)]
    #[case("[\\n]", false)]
    #[case("[\\n-\\r]", true)]
    #[case("[\\t\\n]", true)]
    #[case("(?-u:[\\n\\x0b])", true)]
    #[case("\\n?", true)]
    #[case("\\n+", false)]
    #[case("(a|\\n)", true)]
    #[case("(\\n)", false)]
    #[case("^a$", true)]
    #[case("a^", false)]
    #[case("a?^b", true)]
    #[case("$a", false)]
    #[case("$a?", true)]
    fn lines_that_can_be_matched(#[case] expression: &str, #[case] expected: bool) {
        assert_eq!(can_match_a_line(expression), expected, "{expression}");
    }
}
