//! Text from manifests, clusters and files, made safe for terminals and logs.
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

/// Returns a text on one line: unseen characters (see [`is_unseen`]) become escapes, such as `\n`
/// or `\u{202e}`.
///
/// ```
/// use kuberay_manifest::visible;
///
/// assert_eq!(visible::line("one\ntwo\u{202e}"), r"one\ntwo\u{202e}");
/// ```
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Returns a text as [`line()`] does, but keeps line ends and tabs. Among other output use
/// [`marked`], because a line of the text could pass for a line of that output.
///
/// ```
/// use kuberay_manifest::visible;
///
/// assert_eq!(visible::lines("one\n\ttwo\u{1b}"), "one\n\ttwo\\u{1b}");
/// ```
pub fn lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Returns a message as [`lines`] does, with the mark `  | ` before each line after the first one.
/// Line ends and other white space at the end are left out.
///
/// ```
/// use kuberay_manifest::visible;
///
/// assert_eq!(visible::marked("failed\n::error::x\n"), "failed\n  | ::error::x");
/// ```
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

/// Returns a text as a JSON string in which every character can be seen.
///
/// ```
/// use kuberay_manifest::visible;
///
/// assert_eq!(visible::quoted("a \"b\"\u{202e}"), r#""a \"b\"\u202e""#);
/// ```
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

/// Returns a JSON document whose unseen characters (see [`is_unseen`]) are JSON escapes. Line ends
/// stay; the document must have other unseen characters in strings only.
///
/// ```
/// use kuberay_manifest::visible;
///
/// assert_eq!(visible::json("[\n  \"a\u{202e}\"\n]"), "[\n  \"a\\u202e\"\n]");
/// ```
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

/// Returns whether a character can't be seen: it controls the output, looks like nothing, or looks
/// like a space without being U+0020.
///
/// ```
/// use kuberay_manifest::visible::is_unseen;
///
/// assert!(is_unseen('\n'));
/// assert!(is_unseen('\u{a0}'));
/// assert!(!is_unseen(' '));
/// assert!(!is_unseen('ß'));
/// ```
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
