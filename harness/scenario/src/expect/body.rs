//! The body of a snapshot: one array element a line, every string quoted, so that no space can
//! change unseen.

use std::fmt::Write;

use serde_json::{Map, Value};

use kuberay_manifest::visible::quoted;

/// What stands for a value that is not there.
const ABSENT: &str = "absent";

/// Writes a value in the form of a snapshot's body.
///
/// It looks like YAML with every string in JSON's quotes. Keys are sorted, but for `name`, which
/// comes first. What is not there, or null, is `absent`. No line ends in white space, so what insta
/// trims and normalises is never content.
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
        Value::String(value) => text.push_str(&quoted(value)),
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
        text.push_str(&quoted(key));
    }
}

/// Checks that a text is what [`render`] writes for some value.
///
/// # Errors
/// The first line that is not, as a sentence.
pub(super) fn check(body: &str) -> Result<(), String> {
    let mut reader = Reader {
        lines: body.split('\n').collect(),
        line: 0,
    };
    let read = reader
        .value(0, DEEPEST)
        .filter(|_| reader.line == reader.lines.len());
    let Some(value) = read else {
        let line = reader
            .lines
            .get(reader.line.min(reader.lines.len() - 1))
            .unwrap_or(&"");
        return Err(format!(
            "line {} of its body has not the form of a snapshot: {line:?}",
            reader.line + 1
        ));
    };
    let written = render(&value);
    let mut lines = written.split('\n').zip(body.split('\n')).enumerate();
    match lines.find(|(_, (written, read))| written != read) {
        Some((number, (written, read))) => Err(format!(
            "line {} of its body is {read:?}, which a run writes as {written:?}",
            number + 1
        )),
        None if written == body => Ok(()),
        None => Err("its body names a key twice".into()),
    }
}

/// How deep values may nest.
const DEEPEST: usize = 64;

/// Reads what [`render`] has written.
struct Reader<'a> {
    lines: Vec<&'a str>,
    line: usize,
}

impl<'a> Reader<'a> {
    /// The rest of the current line behind an indentation; `None` behind the last line.
    fn rest(&self, indent: usize) -> Option<&'a str> {
        self.lines.get(self.line)?.get(indent..)
    }

    /// Whether the current line continues a list or mapping that began behind this indentation.
    fn continues(&self, indent: usize) -> bool {
        self.lines.get(self.line).is_some_and(|line| {
            line.len() > indent && line.bytes().take_while(|byte| *byte == b' ').count() == indent
        })
    }

    /// A value that begins in the current line behind an indentation, and the lines that belong to
    /// it.
    fn value(&mut self, indent: usize, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let rest = self.rest(indent)?;
        if let Some(scalar) = scalar(rest) {
            self.line += 1;
            return Some(scalar);
        }
        if rest.starts_with("- ") {
            let mut items = Vec::new();
            loop {
                items.push(self.value(indent + 2, depth)?);
                if !self.continues(indent) {
                    return Some(Value::Array(items));
                }
                self.rest(indent)?.strip_prefix("- ")?;
            }
        }
        let mut entries = Map::new();
        loop {
            let (key, rest) = key(self.rest(indent)?)?;
            let value = if let Some(rest) = rest.strip_prefix(' ') {
                let value = scalar(rest)?;
                self.line += 1;
                value
            } else if rest.is_empty() {
                self.line += 1;
                if !self.continues(indent + 2) {
                    return None;
                }
                self.value(indent + 2, depth)?
            } else {
                return None;
            };
            entries.insert(key, value);
            if !self.continues(indent) {
                return Some(Value::Object(entries));
            }
        }
    }
}

/// What stands in one line: everything but lists and mappings with something in them.
fn scalar(text: &str) -> Option<Value> {
    match text {
        ABSENT => Some(Value::Null),
        "[]" => Some(Value::Array(Vec::new())),
        "{}" => Some(Value::Object(Map::new())),
        text if text.starts_with(['[', '{', ' ']) => None,
        text => serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| !value.is_null()),
    }
}

/// A key, and what stands behind its colon.
fn key(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let key = values.next()?.ok()?;
        return Some((key, text[values.byte_offset()..].strip_prefix(':')?));
    }
    let (key, rest) = text.split_once(':')?;
    Some((key.to_owned(), rest))
}

#[cfg(test)]
mod tests;
