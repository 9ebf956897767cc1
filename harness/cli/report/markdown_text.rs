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

/// Returns a text with Markdown of its own, such as `` `code` ``, on one line of a table, a list or
/// a heading. Outside of spans of code nothing is a tag, a mention or the end of a column. A
/// backtick without a counterpart starts no span.
pub(crate) fn cell(text: &str) -> String {
    let line = one_line(text);
    let mut cell = String::with_capacity(line.len());
    let mut rest = line.trim_start();
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        push_text(&mut cell, before);
        let (fence, behind) = from.split_at(backticks(from));
        // GFM reads `\\|` as a backslash and the end of a column, also in a span.
        let end = span_end(behind, fence.len()).filter(|end| !behind[..*end].contains("\\|"));
        if let Some(end) = end {
            cell.push_str(fence);
            cell.push_str(&behind[..end].replace('|', "\\|"));
            cell.push_str(fence);
            rest = &behind[end + fence.len()..];
        } else {
            push_text(&mut cell, fence);
            rest = behind;
        }
    }
    push_text(&mut cell, rest);
    cell
}

/// Returns where the backticks stand that end a span of code after `fence` backticks.
fn span_end(text: &str, fence: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = text[at..].find('`') {
        let run = backticks(&text[at + next..]);
        if run == fence {
            return Some(at + next);
        }
        at += next + run;
    }
    None
}

/// Returns the number of backticks at the beginning of a text.
fn backticks(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

fn push_text(cell: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' | '|' => cell.extend(['\\', c]),
            '`' => cell.push_str("&#96;"),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            '@' => cell.push_str("@\u{200b}"),
            _ => cell.push(c),
        }
    }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::cell;

    #[rstest]
    #[case::code("`a && b` and `c`", "`a && b` and `c`")]
    #[case::long_fence("``a ` <b>`` <c>", "``a ` <b>`` &lt;c&gt;")]
    #[case::column("a | `b | c`", r"a \| `b \| c`")]
    #[case::column_after_a_backslash(r"a\|b", r"a\\\|b")]
    #[case::column_after_a_backslash_in_code(r"`a\|b`", r"&#96;a\\\|b&#96;")]
    #[case::tag("<img src=x> & >", "&lt;img src=x&gt; &amp; &gt;")]
    #[case::mention("@team `@team`", "@\u{200b}team `@team`")]
    #[case::lone_backtick("a ` <b>", "a &#96; &lt;b&gt;")]
    #[case::other_fence("`` a ` <b>", "&#96;&#96; a &#96; &lt;b&gt;")]
    #[case::escaped_backtick(r"\`<b>`", r"\\`<b>`")]
    #[case::lines(" a\nb\tc\n", "a b c")]
    fn a_cell_keeps_spans_of_code_and_nothing_else(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(cell(text), expected);
    }
}
