//! Texts as Go's standard library writes them.

use std::collections::BTreeMap;

/// `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `json.Marshal` of any value: keys sorted, and the characters that HTML knows escaped.
pub(super) fn json(value: &serde_json::Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    escape(&sorted.to_string())
}

/// `json.Marshal` of a map of floats.
pub(super) fn json_of_floats(map: &BTreeMap<String, f64>) -> String {
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| {
            format!(
                "{}:{}",
                serde_json::Value::from(key.as_str()),
                float(*value)
            )
        })
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

/// A float has an exponent below 1e-6 and from 1e21 on.
fn float(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if size >= 1.0 {
        text.replace('e', "e+")
    } else {
        text
    }
}

/// `sigs.k8s.io/yaml` from YAML to JSON.
///
/// # Errors
/// When the text is no YAML.
pub(super) fn yaml_to_json(text: &str) -> Result<serde_json::Value, String> {
    if text.trim().is_empty() {
        return Ok(serde_json::Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("a \"b\" \\ \n\t", r#""a \"b\" \\ \n\t""#)]
    #[case("é世\u{1}\u{7f}", r#""é世\x01\x7f""#)]
    fn quotes(#[case] text: &str, #[case] quoted: &str) {
        assert_eq!(quote(text), quoted);
    }

    #[rstest]
    #[case(4.0, "4")]
    #[case(0.5, "0.5")]
    #[case(0.0, "0")]
    #[case(1e20, "100000000000000000000")]
    #[case(1e21, "1e+21")]
    #[case(1.5e-7, "1.5e-7")]
    fn floats(#[case] value: f64, #[case] text: &str) {
        assert_eq!(float(value), text);
    }

    #[test]
    fn objects_are_sorted_and_escaped() {
        assert_eq!(
            json(&json!({"b": "<&>", "a": [{"d": 1, "c": null}]})),
            r#"{"a":[{"c":null,"d":1}],"b":"\u003c\u0026\u003e"}"#
        );
        let map = BTreeMap::from([("TPU".to_owned(), 4.0), ("a\"b".to_owned(), 0.5)]);
        assert_eq!(json_of_floats(&map), r#"{"TPU":4,"a\"b":0.5}"#);
    }
}
