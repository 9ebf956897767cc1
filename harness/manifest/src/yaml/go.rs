//! Differences of Kubernetes' YAML library (go.yaml.in/yaml/v2) and of kubectl from other readers
//! of YAML.

use serde_json::Number;

use super::{float, unsigned};
use crate::diagnostic::{Diagnostic, Location, Source};

/// The number that a plain scalar with underscores is.
pub(super) fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        || text.starts_with("._")
    {
        return None;
    }
    let plain = text.replace('_', "");
    if let Some(number) = whole(&plain) {
        return Some(number);
    }
    // Rust reads `infinity` and `nan`, too.
    let floats = plain
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    let value = plain
        .parse::<f64>()
        .ok()
        .filter(|value| floats && value.is_finite())?;
    float(value)
}

/// The whole number that a text is for `ParseInt` and `ParseUint` of Go, which take its base from
/// its begin.
fn whole(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = &text[..text.len() - digits.len()];
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust takes a sign here.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    match sign {
        "" => Some(unsigned(value)),
        "-" => 0_i64.checked_sub_unsigned(value).map(Number::from),
        _ => i64::try_from(value).ok().map(Number::from),
    }
}

/// The place of a tab where the library looks for the indentation of the block scalar whose first
/// line begins at a byte.
pub(super) fn tab_in_indentation(text: &str, start: usize) -> Option<usize> {
    let line = text.get(..start)?.rfind('\n')? + 1;
    let before = text[..line].trim_end();
    let header = before.lines().next_back()?;
    let begin = before.len() + text[before.len()..].find('\n')? + 1;
    let header = header.split(" #").next()?.trim_end();
    let header = header.strip_suffix(['-', '+']).unwrap_or(header);
    // An indentation that is written needs no search.
    if !text[line..start].trim_start_matches(' ').is_empty() || !header.ends_with(['|', '>']) {
        return None;
    }
    let mut at = begin;
    for line in text[begin..].split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if content.starts_with('\t') {
            return Some(at + line.len() - content.len());
        }
        if !content.trim_end_matches(['\n', '\r']).is_empty() {
            return None;
        }
        at += line.len();
    }
    None
}

/// Returns an error at the first line that kubectl refuses before it reads any YAML: text behind
/// `---`, and directives, which it cuts off from their document.
pub(super) fn refused(source: &Source) -> Option<Diagnostic> {
    if source.text.trim_start().starts_with('{') {
        return None;
    }
    let mut begins = true;
    for (number, line) in source.text.lines().enumerate() {
        let place = || {
            source.rest_of_line(Location {
                line: number + 1,
                column: 1,
            })
        };
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("kubectl accepts no text after `---`: `{rest}`");
                return Some(source.error(&place(), message));
            }
            begins = true;
        } else if begins && line.starts_with('%') {
            let message = "kubectl takes no YAML directive: it cuts the file at `---`";
            return Some(source.error(&place(), message));
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            begins = false;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case("1__0", json!(10))]
    #[case("1_", json!(1))]
    #[case("1_000.5", json!(1000.5))]
    #[case("-.1_5", json!(-0.15))]
    #[case("_1", json!(null))]
    #[case("._1", json!(null))]
    #[case("a_1", json!(null))]
    #[case("1_a", json!(null))]
    #[case("1_.2.3", json!(null))]
    #[case("0755_", json!(493))]
    #[case("07__5", json!(61))]
    #[case("-01__0", json!(-8))]
    #[case("+0_7", json!(7))]
    #[case("0x1__F", json!(31))]
    #[case("0X_1", json!(1))]
    #[case("-0x1F_", json!(-31))]
    #[case("0b1__0", json!(2))]
    #[case("0o1__7", json!(15))]
    #[case("0_", json!(0))]
    #[case("08__1", json!(81))]
    #[case("0_.5", json!(0.5))]
    #[case("0x__", json!(null))]
    #[case("0xFFFF_FFFF_FFFF_FFFF", json!(18_446_744_073_709_551_615_f64))]
    #[case("+0xFFFF_FFFF_FFFF_FFFF", json!(null))]
    #[case("-9223372036854775808_", json!(i64::MIN))]
    #[case("0x-_1", json!(null))]
    fn numbers_with_underscores(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(number(text).map_or(Value::Null, Value::Number), expected);
    }

    #[rstest]
    #[case("k: |\n  \ta\n", 5, Some(7))]
    #[case("k: |-\n\n  \ta\n", 6, Some(9))]
    #[case("k: |-\n  \n  \ta\n", 10, Some(11))]
    #[case("k: > # b1\n\ta\n", 10, Some(10))]
    #[case("k: |\n  a\n  \tb\n", 5, None)]
    #[case("k: |2\n  \ta\n", 6, None)]
    #[case("k: |\n  a\tb\n", 5, None)]
    #[case("k:\n  a\tb\n", 5, None)]
    fn tabs_before_a_block(#[case] text: &str, #[case] start: usize, #[case] tab: Option<usize>) {
        assert_eq!(tab_in_indentation(text, start), tab);
    }
}
