//! Tests of `text`.

use rstest::rstest;

use super::{clean, one_line};

#[rstest]
#[case::colour("\x1b[36m(raylet)\x1b[0m started", "(raylet) started")]
#[case::link("\x1b]8;;http://x\x07text\x1b]8;;\x1b\\", "text")]
#[case::lone_escape("a\x1bb", r"a\u{1b}b")]
#[case::progress_bar("10%\r20%", r"10%\r20%")]
#[case::zero("a\0b", r"a\u{0}b")]
#[case::not_xml("a\u{fffe}\u{ffff}", r"a\u{fffe}\u{ffff}")]
#[case::direction("a\u{202e}b", r"a\u{202e}b")]
#[case::no_break_space("a\u{a0}b\u{200b}", r"a\u{a0}b\u{200b}")]
#[case::white_space_stays(" a\tb \n", " a\tb \n")]
fn clean_text(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(clean(text), expected);
}

#[test]
fn one_line_has_no_line_ends() {
    assert_eq!(one_line("a\nb\n"), "a b");
}
