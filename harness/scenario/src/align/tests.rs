use rstest::rstest;

use super::*;

fn rows(old: &str, new: &str) -> Vec<(Option<String>, Option<String>)> {
    let text = |line: Option<(usize, &str)>| line.map(|(_, line)| line.to_owned());
    let rows = align(old, new);
    rows.iter()
        .map(|row| (text(row.old), text(row.new)))
        .collect()
}

fn row(old: &str, new: &str) -> (Option<String>, Option<String>) {
    let some = |line: &str| (!line.is_empty()).then(|| line.to_owned());
    (some(old), some(new))
}

#[test]
fn related_lines_share_a_row_and_others_stand_alone() {
    let long = "- \"ulimit -n 65536; ray start --head\"";
    let changed = "- \"ulimit -n 65535; ray start --head\"";
    assert_eq!(
        rows(&format!("- \"-ce\"\n{long}"), changed),
        [row("- \"-ce\"", ""), row(long, changed)]
    );
    assert_eq!(
        rows("- \"-ce\"", long),
        [row("- \"-ce\"", ""), row("", long)]
    );
    assert_eq!(
        rows("- \"-ce\"", "- \"-c\""),
        [row("- \"-ce\"", "- \"-c\"")]
    );
}

#[test]
fn equal_texts_have_equal_rows() {
    let rows = align("a\nb", "a\nb");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(Row::is_equal), "{rows:?}");
}

#[test]
fn many_changed_lines_keep_all_of_their_lines() {
    let old: Vec<String> = (0..300).map(|line| format!("old {line}")).collect();
    let new: Vec<String> = (0..200).map(|line| format!("other {line}")).collect();
    let (old, new) = (old.join("\n"), new.join("\n"));
    let rows = align(&old, &new);
    assert_eq!(rows.iter().filter(|row| row.old.is_some()).count(), 300);
    assert_eq!(rows.iter().filter(|row| row.new.is_some()).count(), 200);
}

#[rstest]
#[case("a  b", "a b", &[("  ", " ")])]
#[case("ulimit -n 65536; x", "ulimit -n ${A}; x", &[("65536;", "${A};")])]
#[case("same", "same", &[])]
#[case("x 1\nx 1", "x 2\nx 2", &[("1", "2")])]
#[case("a", "a\nzzz", &[("", "zzz")])]
fn changes_are_words_each_once(
    #[case] old: &str,
    #[case] new: &str,
    #[case] expected: &[(&str, &str)],
) {
    let found = changes(old, new);
    let found: Vec<_> = found
        .iter()
        .map(|change| (change.old.as_str(), change.new.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn segments_hold_the_whole_line() {
    let (old, new) = segments(" a  größer b", " a größer c");
    let text = |segments: &[Segment]| -> String {
        segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect()
    };
    assert_eq!(text(&old), " a  größer b");
    assert_eq!(text(&new), " a größer c");
    let changed: Vec<_> = new.iter().filter(|segment| segment.changed).collect();
    assert_eq!(changed.len(), 2);
}
