//! The body of a snapshot: one array element a line, every string quoted, so that no space can change unseen.

use std::fmt::Write;

use serde_json::{Map, Value};

/// What stands for a value that is not there.
const ABSENT: &str = "absent";

/// Writes a value in the form of a snapshot's body.
///
/// It looks like YAML with every string in JSON's quotes. Keys are sorted, but for `name`, which comes first. What is
/// not there, or null, is `absent`. No line ends in white space, so what insta trims and normalises is never content.
pub fn render(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text
}

/// Writes a value whose first line continues the current line.
fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => text.push_str(ABSENT),
        Value::Bool(value) => _ = write!(text, "{value}"),
        Value::Number(value) => _ = write!(text, "{value}"),
        Value::String(value) => quote(text, value),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                start_line(text, position, indent);
                text.push_str("- ");
                write_value(text, item, indent + 2);
            }
        }
        Value::Object(entries) if entries.is_empty() => text.push_str("{}"),
        Value::Object(entries) => {
            for (position, (key, item)) in sorted(entries).into_iter().enumerate() {
                start_line(text, position, indent);
                write_key(text, key);
                text.push(':');
                if nests(item) {
                    text.push('\n');
                    text.push_str(&" ".repeat(indent + 2));
                } else {
                    text.push(' ');
                }
                write_value(text, item, indent + 2);
            }
        }
    }
}

fn start_line(text: &mut String, position: usize, indent: usize) {
    if position > 0 {
        text.push('\n');
        text.push_str(&" ".repeat(indent));
    }
}

fn sorted(entries: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| (*key != "name", *key));
    entries
}

fn nests(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => false,
    }
}

fn write_key(text: &mut String, key: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !key.is_empty() && key.chars().all(plain) {
        text.push_str(key);
    } else {
        quote(text, key);
    }
}

/// JSON's quotes; besides what JSON escapes, every character that can't be seen or told from a space is escaped.
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if unseen(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    _ = write!(text, "\\u{unit:04x}");
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

fn unseen(c: char) -> bool {
    (c.is_whitespace() && c != ' ')
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
