//! Text from manifests, clusters and files, as a terminal may be given it.
//!
//! A name can hold colours, a new title for the window, or a line that a CI system takes for a
//! command; others hide characters that make a difference. Code that shows data to people writes it
//! with [`line()`], [`lines`] or [`quoted`].
//!
//! ```
//! use kuberay_manifest::visible;
//!
//! assert_eq!(visible::line("red \u{1b}[31m\n::error::"), r"red \u{1b}[31m\n::error::");
//! assert_eq!(visible::quoted("a  b\n"), r#""a  b\n""#);
//! ```

use std::fmt::Write as _;

/// Returns a text on one line: each character that a terminal acts on, or that nobody can see or
/// tell from a space, as its escape, such as `\n` or `\u{202e}`.
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Returns a text as [`line()`] does, but with its line ends and tabs. Where it stands among
/// others, mark each line after the first one, as [`marked`] does: a line of its own could be taken
/// for something else.
pub fn lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Returns a message as [`lines`] does, with a mark before each line after the first one.
pub fn marked(message: &str) -> String {
    let mut marked = String::new();
    for (number, line) in lines(message.trim_end()).lines().enumerate() {
        if number > 0 {
            let mark = if line.starts_with("  | ") {
                "\n"
            } else {
                "\n  | "
            };
            marked.push_str(mark);
        }
        marked.push_str(line);
    }
    marked
}

/// Returns a text in JSON's quotes and with JSON's escapes, so that all of its characters can be
/// seen.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_unseen(c) => push_json_escape(&mut quoted, c),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a JSON document with escapes for the characters that [`line()`] escapes, which stand
/// nowhere but in strings.
pub fn json(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        if is_unseen(c) && c != '\n' {
            push_json_escape(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns whether a character has an effect instead of a look, or looks like a space or like
/// nothing.
pub fn is_unseen(c: char) -> bool {
    (c.is_whitespace() && c != ' ')
        || c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        )
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(
            c,
            '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    // Nearly every text is one of these, and a look at its bytes is enough.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_unseen(c) || keep(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => _ = write!(escaped, "\\u{{{:x}}}", u32::from(c)),
        }
    }
    escaped
}

fn push_json_escape(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        _ = write!(text, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests;
