use assertables::assert_ends_with;
use rstest::rstest;

use super::{CUT, cut, property, relative};

#[test]
fn properties_are_escaped() {
    assert_eq!(property("100%: a,b\nc"), "100%25%3A a%2Cb%0Ac");
}

#[rstest]
#[case::absolute(
    "/checkout/scenarios/a/scenario.yaml",
    Some("/checkout"),
    "scenarios/a/scenario.yaml"
)]
#[case::other_place(
    "/elsewhere/scenario.yaml",
    Some("/checkout"),
    "/elsewhere/scenario.yaml"
)]
#[case::relative("./scenarios/a/scenario.yaml", None, "scenarios/a/scenario.yaml")]
fn files_are_relative_to_the_checkout(
    #[case] file: &str,
    #[case] workspace: Option<&str>,
    #[case] expected: &str,
) {
    assert_eq!(relative(file, workspace), expected);
}

#[rstest]
fn a_cut_summary_says_so_and_fits(#[values(0, 5, 150, 200, 400, 900)] room: usize) {
    let text = format!(
        "# Title\n\n```diff\n{}```\n\nend\n",
        "+ änd so on\n".repeat(100)
    );
    let short = cut(&text, room);
    assert!(short.len() <= room, "{} bytes in {room}", short.len());
    if room >= CUT.len() {
        assert_ends_with!(short, CUT);
    }
    assert_eq!(short.matches("```").count() % 2, 0, "the fence is closed");
}

#[test]
fn what_fits_is_not_cut() {
    assert_eq!(cut("# Title\n", 8), "# Title\n");
}
