//! Text in Markdown pages. It may come from a cluster: nothing in it may act on the page.

use std::fmt::Write as _;

use super::text::{clean, one_line};

/// A table with this head.
pub(super) fn table(text: &mut String, head: &str, rows: impl Iterator<Item = Vec<String>>) {
    _ = writeln!(text, "{head}");
    for row in rows {
        _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
}

/// Plain text on one line in which Markdown and HTML find nothing to act on, at the beginning of a
/// line, too.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let line = one_line(text);
    let mut rest = line.trim_start();
    if let Some(digits) = block_marker(rest) {
        escaped.push_str(&rest[..digits]);
        escaped.push('\\');
        escaped.push_str(&rest[digits..=digits]);
        rest = &rest[digits + 1..];
    }
    for c in rest.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Returns where the character stands that makes a line a heading, an item of a list, or a rule
/// (`CommonMark`, "Container blocks" and "Leaf blocks"); none where the line is text. Markers that
/// [`escape`] escapes anyway are not looked at.
fn block_marker(line: &str) -> Option<usize> {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t']);
    let only = |marker: char| line.chars().all(|c| c == marker || c == ' ');
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = line[digits..].chars();
    let (marker, rest) = (rest.next()?, rest.as_str());
    let is_marker = match marker {
        '#' => digits == 0 && ends(rest.trim_start_matches('#')),
        '+' | '-' => digits == 0 && (ends(rest) || only(marker)),
        '=' => digits == 0 && only(marker),
        '.' | ')' => digits > 0 && ends(rest),
        _ => false,
    };
    is_marker.then_some(digits)
}

/// A span of code, where the text allows it.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() || text.contains(['`', '|']) {
        escape(&text)
    } else {
        format!("`{text}`")
    }
}

/// A block of code whose fence is longer than any in the text.
pub(super) fn fenced(text: &mut String, language: &str, block: &str) {
    let block = clean(block);
    let longest = block
        .lines()
        .map(|line| line.trim_start_matches(['+', '-', ' ']))
        .map(|line| line.len() - line.trim_start_matches('`').len())
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    _ = writeln!(
        text,
        "{fence}{language}\n{}\n{fence}\n",
        block.trim_end_matches('\n')
    );
}
