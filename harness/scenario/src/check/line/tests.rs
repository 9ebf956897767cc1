use assertables::assert_starts_with;
use rstest::rstest;

use super::super::Lines;
use super::{Pattern, excerpt, plain};

#[rstest]
#[case(
    "\u{1b}[37mLocal node IP\u{1b}[39m: \u{1b}[1m10.244.0.8\u{1b}[22m",
    "Local node IP: 10.244.0.8"
)]
#[case("\u{1b}]8;;http://a\u{7}link\u{1b}]8;;\u{7}", "link")]
#[case("no [37m colour", "no [37m colour")]
fn colours_are_removed(#[case] line: &str, #[case] expected: &str) {
    assert_eq!(plain(line), expected);
}

#[rstest]
#[case("a.c", "abc", false)]
#[case("a.c", "xa.cx", true)]
#[case("/a.c/", "abc", true)]
#[case("/^b/", "abc", false)]
#[case("/", "and/or", true)]
#[case("node:<pod-ip>", "'node:10.244.0.1'", true)]
#[case("node:<pod-ip>", "'node:10.244.0.18'", false)]
#[case("<pod-ip>:6379", "at 210.244.0.1:6379", false)]
#[case("/at <pod-ip>:\\d+/", "at 10.244.0.1:6379", true)]
#[case("/at <pod-ip>:\\d+/", "at 10a244.0.1:6379", false)]
fn patterns(#[case] pattern: &str, #[case] line: &str, #[case] expected: bool) {
    assert_eq!(
        Pattern::new(pattern, Some("10.244.0.1"))
            .unwrap()
            .matches(line),
        expected
    );
}

#[test]
fn a_wrong_regex_is_named() {
    assert_starts_with!(
        Pattern::new("/(/", None).unwrap_err(),
        "/(/ is not a valid regular expression"
    );
}

#[test]
fn an_excerpt_has_numbers_gaps_and_a_mark() {
    let lines: Lines = (1..=20).map(|n| format!("line {n}")).collect();
    let matched = [(0, "line 1".to_owned())];
    insta::assert_snapshot!(excerpt(&lines, &matched, Some(&(11, "line 12".to_owned()))), @r"
        1 | line 1
       …
        7 | line 7
        8 | line 8
        9 | line 9
       10 | line 10
       11 | line 11
    >  12 | line 12
       13 | line 13
       14 | line 14
       15 | line 15
       16 | line 16
    ");
}
