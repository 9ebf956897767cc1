//! Texts as Go's standard library writes them.

pub(super) mod duration;
mod float;
pub(super) mod shlex;
#[cfg(test)]
mod tests;
pub(super) mod yaml;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

/// Returns the reason why the operator can't read a text as a mapping (`yaml.Unmarshal` of
/// sigs.k8s.io/yaml into a map); `None` where it can. An empty text is an empty mapping.
///
/// ```
/// use kuberay_contract::yaml_map_problem;
///
/// assert_eq!(yaml_map_problem("applications: []"), None);
/// assert!(yaml_map_problem("applications: [").is_some());
/// assert!(yaml_map_problem("- a").is_some());
/// ```
pub fn yaml_map_problem(text: &str) -> Option<String> {
    match yaml::to_json(text) {
        Ok(Value::Null | Value::Object(_)) => None,
        Ok(_) => Some("error unmarshaling JSON: cannot unmarshal into a map".to_owned()),
        Err(problem) => Some(problem),
    }
}

/// `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if is_printable(c) => quoted.push(c),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if code < 0x20 || code == 0x7f => quoted.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x10000 => quoted.push_str(&format!("\\u{code:04x}")),
            _ => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// `strconv.IsPrint`; the ranges are those of Go 1.26 (`tests/go/main.go printable`).
fn is_printable(c: char) -> bool {
    static RANGES: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    let ranges = RANGES.get_or_init(|| {
        let hex = |text| u32::from_str_radix(text, 16).expect("the ranges are generated");
        let ranges = include_str!("../data/go-printable.txt").split_whitespace();
        let ranges = ranges.filter_map(|range| range.split_once('-'));
        ranges
            .map(|(first, last)| (hex(first), hex(last)))
            .collect()
    });
    let code = u32::from(c);
    let after = ranges.partition_point(|(first, _)| *first <= code);
    after > 0 && code <= ranges[after - 1].1
}

/// `json.Marshal` of any value: keys sorted, floats as Go writes them, and the characters that HTML
/// knows escaped.
pub(super) fn json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    escape(&text)
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) if number.is_f64() => {
            text.push_str(&float::json(number.as_f64().unwrap_or_default()));
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// `json.Marshal` of a map of floats.
pub(super) fn json_of_floats(map: &BTreeMap<String, f64>) -> String {
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), float::json(*value)))
        .collect();
    escape(&format!("{{{}}}", entries.join(",")))
}

fn escape(json: &str) -> String {
    json.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
