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
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::absent(json!(null), "absent")]
    #[case::the_string_absent(json!("absent"), r#""absent""#)]
    #[case::nothing(json!([]), "[]")]
    #[case::empty_object(json!({}), "{}")]
    #[case::empty_string(json!([""]), r#"- """#)]
    #[case::command(json!(["/bin/bash", "-c", "--"]), "- \"/bin/bash\"\n- \"-c\"\n- \"--\"")]
    #[case::spaces(json!([" echo 123  456 "]), r#"- " echo 123  456 ""#)]
    #[case::quotes(json!([r#"a "b" \c"#]), r#"- "a \"b\" \\c""#)]
    #[case::lines(json!(["a\nb\r\n\tc"]), r#"- "a\nb\r\n\tc""#)]
    #[case::unicode(json!(["größer 値 🚀"]), r#"- "größer 値 🚀""#)]
    #[case::unseen(json!(["a\u{a0}b\u{200b}c\u{2028}d\u{7f}e\u{feff}\u{0}\u{e0020}"]),
        r#"- "a\u00a0b\u200bc\u2028d\u007fe\ufeff\u0000\udb40\udc20""#)]
    #[case::env(json!([{"value": "1", "name": "B"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        "- name: \"B\"\n  value: \"1\"\n- name: \"A\"\n  valueFrom:\n    fieldRef:\n      fieldPath: \"x\"")]
    #[case::probes(json!({"livenessProbe": null, "readinessProbe": {"periodSeconds": 5, "exec": {"command": ["a", "b"]}}}),
        "livenessProbe: absent\nreadinessProbe:\n  exec:\n    command:\n      - \"a\"\n      - \"b\"\n  periodSeconds: 5")]
    #[case::nested(json!([["a", "b"], [], {"c": []}]), "- - \"a\"\n  - \"b\"\n- []\n- c: []")]
    #[case::odd_keys(json!({"a b": 1, "": true, "app.kubernetes.io/name": 2.5}),
        "\"\": true\n\"a b\": 1\napp.kubernetes.io/name: 2.5")]
    fn bodies(#[case] value: Value, #[case] body: &str) {
        assert_eq!(render(&value), body);
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_elements_does() {
        assert_eq!(render(&json!({"b": 1, "a": 2})), render(&json!({"a": 2, "b": 1})));
        assert_ne!(render(&json!(["b", "a"])), render(&json!(["a", "b"])));
    }

    #[test]
    fn no_two_lists_of_arguments_look_alike() {
        let lists = [
            json!(["a", "b"]),
            json!(["a\", \"b"]),
            json!(["a\n- b"]),
            json!(["a\\nb"]),
            json!(["a\nb"]),
            json!(["a b"]),
            json!(["a b "]),
            json!([" a b"]),
            json!(["a  b"]),
            json!(["a\tb"]),
            json!(["a\\tb"]),
            json!(["a\u{a0}b"]),
            json!(["a\\u00a0b"]),
            json!("a b"),
            json!([["a b"]]),
            json!([1]),
            json!(["1"]),
            json!([null]),
            json!(["absent"]),
            json!([]),
            json!([[]]),
            json!(["[]"]),
        ];
        let mut bodies: Vec<_> = lists.iter().map(render).collect();
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), lists.len());
    }
}
