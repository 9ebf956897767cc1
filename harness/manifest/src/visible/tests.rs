//! Tests of `visible`.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::plain("größer 値 🚀", "größer 値 🚀")]
#[case::colour("\u{1b}[31mred", r"\u{1b}[31mred")]
#[case::title("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}")]
#[case::eight_bit_control("\u{9b}31m", r"\u{9b}31m")]
#[case::lines("a\r\n::error::b\tc", r"a\r\n::error::b\tc")]
#[case::direction("a\u{202e}b\u{2066}", r"a\u{202e}b\u{2066}")]
#[case::zero_width("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}")]
#[case::no_break_space("a\u{a0}b\u{3000}", r"a\u{a0}b\u{3000}")]
fn what_cannot_be_seen_is_escaped(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(line(text), expected);
}

#[test]
fn a_text_of_several_lines_keeps_them_and_marks_them() {
    assert_eq!(lines("a\n\tb\u{1b}"), "a\n\tb\\u{1b}");
    assert_eq!(
        marked("failed\n::error::x\n  | of a log\n"),
        "failed\n  | ::error::x\n  | of a log"
    );
}

proptest! {
    #[test]
    fn nothing_unseen_is_left(text in any::<String>()) {
        prop_assert!(!line(&text).chars().any(is_unseen));
        prop_assert!(!quoted(&text).chars().any(is_unseen));
        let read: String = serde_json::from_str(&quoted(&text)).expect("JSON");
        prop_assert_eq!(&read, &text);
        let document = serde_json::to_string_pretty(&serde_json::json!({"a": [&text]})).expect("JSON");
        let read: serde_json::Value = serde_json::from_str(&json(&document)).expect("JSON");
        prop_assert_eq!(read["a"][0].as_str(), Some(text.as_str()));
    }
}
