//! Tests of `text`.

use rstest::rstest;

use super::{clean, one_line};

#[rstest]
#[case::colour("\x1b[36m(raylet)\x1b[0m started", "(raylet) started")]
#[case::link("\x1b]8;;http://x\x07text\x1b]8;;\x1b\\", "text")]
#[case::lone_escape("a\x1bb", "a␛b")]
#[case::progress_bar("10%\r20%", "10%␍20%")]
#[case::zero("a\0b", "a␀b")]
#[case::not_xml("a\u{fffe}\u{ffff}", "a\u{fffd}\u{fffd}")]
#[case::direction("a\u{202e}b", "a\u{fffd}b")]
#[case::white_space_stays(" a\tb \n", " a\tb \n")]
fn clean_text(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(clean(text), expected);
}

#[test]
fn one_line_has_no_line_ends() {
    assert_eq!(one_line("a\nb\n"), "a b");
}
