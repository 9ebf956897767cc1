//! Differences in which a single space can be seen.

use std::fmt::Write;
use std::ops::Range;

use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

use crate::align::{self, align};

/// Longer lines are cut in the middle.
const LINE: usize = 800;
/// Characters shown on each side of a difference within a line.
const MARGIN: usize = 24;
/// Characters of a difference that are shown at most.
const SHOWN: usize = 72;
/// Changes this near to each other are shown together.
const NEAR: usize = 16;
/// Longer differing parts are not compared character by character.
const COMPARED: usize = 4000;
/// Pairs of lines that are shown in detail.
const PAIRS: usize = 3;
/// Changes of more characters are not marked from below; they are named.
const MARKED: usize = 8;
/// Changes that a line names at most.
const NAMED: usize = 4;
/// Characters of a change that are shown when it is named.
const NAME: usize = 60;

/// The unified difference of two bodies, then for the lines that were changed the place of the
/// first change with visible spaces (`·`), and the change itself: marks below it where it is short,
/// its words where it is long.
pub fn diff(expected: &str, found: &str, file: &str) -> String {
    let mut text = format!("--- expected: {file}\n+++ found\n");
    let (expected_end, found_end) = (format!("{expected}\n"), format!("{found}\n"));
    let lines = TextDiff::from_lines(&expected_end, &found_end);
    for hunk in lines.unified_diff().iter_hunks() {
        _ = writeln!(text, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            _ = writeln!(text, "{}{}", change.tag(), shorten(line));
        }
    }
    if let Some(sentence) = only_spaces(expected, found) {
        _ = writeln!(text, "{sentence}");
    }
    let changed = align(expected, found)
        .into_iter()
        .filter(|row| !row.is_equal());
    let pairs = changed.filter_map(|row| Some((row.old?.1, row.new?)));
    for (old, (index, new)) in pairs.take(PAIRS) {
        text.push_str(&detail(old, new, index + 1));
    }
    text.truncate(text.trim_end().len());
    text
}

fn only_spaces(expected: &str, found: &str) -> Option<String> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    if bare(expected) != bare(found) {
        return None;
    }
    let spaces = |text: &str| text.matches(' ').count();
    let (expected, found) = (spaces(expected), spaces(found));
    Some(match found.abs_diff(expected) {
        0 => "Only white space differs: as many spaces, in other places.".into(),
        count => format!(
            "Only white space differs: {count} space{} too {}.",
            if count == 1 { "" } else { "s" },
            if found > expected { "many" } else { "few" },
        ),
    })
}

/// The first change between two lines, with its surroundings.
fn detail(expected: &str, found: &str, line: usize) -> String {
    let (old, new): (Vec<char>, Vec<char>) = (expected.chars().collect(), found.chars().collect());
    let mut changes = changes(&old, &new);
    if changes.is_empty() {
        return String::new();
    }
    let all = changes.len();
    let mut near = 1;
    while near < all
        && changes[near]
            .1
            .start
            .saturating_sub(changes[near - 1].1.end)
            <= NEAR
    {
        near += 1;
    }
    changes.truncate(near);
    let (first, last) = (&changes[0], &changes[near - 1]);
    let mut text = format!(
        "line {line}, from character {} (`·` is a space):\n",
        first.1.start + 1
    );
    let is_short = |(old, new): &(Range<usize>, Range<usize>)| old.len().max(new.len()) <= MARKED;
    let marked = changes.iter().all(is_short);
    let (old_marks, new_marks): (Vec<_>, Vec<_>) = if marked {
        changes.iter().cloned().unzip()
    } else {
        (Vec::new(), Vec::new())
    };
    if !marked {
        let changes = align::changes(expected, found);
        let named = changes.iter().take(NAMED).map(named);
        _ = writeln!(text, "  changed   {}", named.collect::<Vec<_>>().join(", "));
    }
    excerpt(
        &mut text,
        "expected",
        &old,
        first.0.start..last.0.end,
        &old_marks,
    );
    excerpt(
        &mut text,
        "found   ",
        &new,
        first.1.start..last.1.end,
        &new_marks,
    );
    if near < all {
        _ = writeln!(text, "  and {} more further on in this line", all - near);
    }
    text
}

/// Ranges of characters, expected and found, that differ.
fn changes(old: &[char], new: &[char]) -> Vec<(Range<usize>, Range<usize>)> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old_middle, new_middle) = (
        &old_rest[..old_rest.len() - end],
        &new_rest[..new_rest.len() - end],
    );
    if old_middle.is_empty() && new_middle.is_empty() {
        return Vec::new();
    }
    let whole = DiffOp::Replace {
        old_index: 0,
        old_len: old_middle.len(),
        new_index: 0,
        new_len: new_middle.len(),
    };
    let ops = if old_middle.len().max(new_middle.len()) > COMPARED {
        vec![whole]
    } else {
        capture_diff_slices(Algorithm::Myers, old_middle, new_middle)
    };
    let shift = |range: Range<usize>| range.start + start..range.end + start;
    ops.iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| (shift(op.old_range()), shift(op.new_range())))
        .collect()
}

fn excerpt(
    text: &mut String,
    title: &str,
    line: &[char],
    focus: Range<usize>,
    marks: &[Range<usize>],
) {
    let from = focus.start.saturating_sub(MARGIN);
    let to = (focus.end.min(focus.start + SHOWN) + MARGIN).min(line.len());
    let before = if from > 0 { "…" } else { "" };
    let shown: String = line[from..to].iter().map(|c| visible_space(*c)).collect();
    let after = if to < line.len() { "…" } else { "" };
    _ = writeln!(text, "  {title}  {before}{shown}{after}");
    let marked = |at: usize| marks.iter().any(|mark| mark.contains(&at));
    let marks: String = (from..to)
        .map(|at| if marked(at) { '^' } else { ' ' })
        .collect();
    if marks.contains('^') {
        let indent = " ".repeat(title.len() + 4 + before.chars().count());
        _ = writeln!(text, "{indent}{}", marks.trim_end());
    }
}

/// A change in words, with visible spaces.
fn named(change: &align::WordChange) -> String {
    let name = |text: &str| {
        let visible: String = text.chars().map(visible_space).take(NAME).collect();
        let cut = if text.chars().count() > NAME {
            "…"
        } else {
            ""
        };
        format!("`{visible}{cut}`")
    };
    match (change.old.as_str(), change.new.as_str()) {
        ("", new) => format!("added {}", name(new)),
        (old, "") => format!("removed {}", name(old)),
        (old, new) => format!("{} → {}", name(old), name(new)),
    }
}

fn visible_space(c: char) -> char {
    if c == ' ' { '·' } else { c }
}

fn shorten(line: &str) -> String {
    let length = line.chars().count();
    if length <= LINE {
        return line.to_owned();
    }
    let half = LINE / 2;
    let start: String = line.chars().take(half).collect();
    let end: String = line.chars().skip(length - half).collect();
    format!("{start} […{} characters…] {end}", length - 2 * half)
}

#[cfg(test)]
mod tests {
    use assertables::{assert_contains, assert_lt};

    use super::*;

    const FILE: &str = "head.args@ge-1.6.0.snap";

    #[test]
    fn one_space_fewer_at_the_end_is_seen() {
        let text = diff(r#"- " echo 123  456 ""#, r#"- " echo 123  456""#, FILE);
        assert_eq!(
            text,
            r#"--- expected: head.args@ge-1.6.0.snap
+++ found
@@ -1 +1 @@
-- " echo 123  456 "
+- " echo 123  456"
Only white space differs: 1 space too few.
line 1, from character 18 (`·` is a space):
  expected  -·"·echo·123··456·"
                             ^
  found     -·"·echo·123··456""#
        );
    }

    #[test]
    fn one_space_more_in_a_long_line_is_seen() {
        let flags = "  --block  --dashboard-host=0.0.0.0  --metrics-export-port=8080".repeat(6);
        let expected =
            format!("- \" echo 123  456  && ulimit -n 65536; ray start --head{flags} \"");
        let found = expected.replace("65536; ray", "65536;  ray");
        let text = diff(&expected, &found, FILE);
        let detail = text
            .split_once("Only white space differs: 1 space too many.\n")
            .unwrap()
            .1;
        assert_eq!(
            detail,
            "line 1, from character 40 (`·` is a space):\n  \
             expected  …56··&&·ulimit·-n·65536;·ray·start·--head··--bloc…\n  \
             found     …56··&&·ulimit·-n·65536;··ray·start·--head··--bloc…\n\
             \x20                                    ^"
        );
    }

    #[test]
    fn spaces_in_other_places_are_said_to_be() {
        let text = diff(r#"- "a  b c""#, r#"- "a b  c""#, FILE);
        assert!(text.contains("as many spaces, in other places"), "{text}");
    }

    #[test]
    fn another_word_is_marked_where_it_differs() {
        let text = diff(r#"- "echo 123""#, r#"- "echo 124""#, FILE);
        assert!(!text.contains("Only white space"), "{text}");
        let marked = "expected  -·\"echo·123\"\n                      ^\n  found     -·\"echo·124\"\n                      ^";
        assert!(text.contains(marked), "{text}");
    }

    #[test]
    fn distant_changes_in_a_line_are_counted() {
        let middle = "-".repeat(60);
        let text = diff(&format!("a{middle}b"), &format!("x{middle}y"), FILE);
        assert!(
            text.ends_with("and 1 more further on in this line"),
            "{text}"
        );
    }

    #[test]
    fn near_changes_in_a_line_are_shown_together() {
        let text = diff("- \"a--b\"", "- \"x--y\"", FILE);
        assert!(!text.contains("further on"), "{text}");
        assert_contains!(text, "^  ^");
    }

    #[test]
    fn long_words_and_lines_are_cut_at_their_limits() {
        let added = |length: usize| {
            named(&align::WordChange {
                old: String::new(),
                new: "x".repeat(length),
            })
        };
        let whole = "x".repeat(NAME);
        assert_eq!(added(NAME), format!("added `{whole}`"));
        assert_eq!(added(NAME + 1), format!("added `{whole}…`"));
        assert_eq!(shorten(&"x".repeat(LINE)), "x".repeat(LINE));
        let long = format!("{}{}", "a".repeat(LINE), "b".repeat(LINE));
        let half = LINE / 2;
        let expected = format!(
            "{} […{LINE} characters…] {}",
            "a".repeat(half),
            "b".repeat(half)
        );
        assert_eq!(shorten(&long), expected);
    }

    #[test]
    fn added_and_removed_lines_are_shown_with_their_surroundings() {
        let text = diff("- \"a\"\n- \"b\"", "- \"a\"\n- \"b\"\n- \"c\"", FILE);
        assert_eq!(
            text,
            "--- expected: head.args@ge-1.6.0.snap\n+++ found\n@@ -1,2 +1,3 @@\n - \"a\"\n - \"b\"\n+- \"c\""
        );
        let text = diff("- \"a\"", "absent", FILE);
        assert!(text.ends_with("-- \"a\"\n+absent"), "{text}");
    }

    #[test]
    fn long_lines_are_cut_and_their_difference_still_shown() {
        let expected = format!("- \"{} {}\"", "x".repeat(50_000), "y".repeat(50_000));
        let found = expected.replace("x y", "x  y");
        let text = diff(&expected, &found, FILE);
        assert!(text.len() < 4000, "{} bytes", text.len());
        assert_contains!(text, "characters…]");
        assert!(text.contains("x··y"), "{text}");
        let other = format!("- \"{}\"", "z".repeat(100_000));
        assert_lt!(diff(&expected, &other, FILE).len(), 4000);
    }

    #[test]
    fn a_word_that_moved_is_not_compared_with_the_long_line_in_its_place() {
        let long = format!("- \"ulimit -n 65536; ray start {}\"", "--flag ".repeat(60));
        let text = diff(&format!("- \"-ce\"\n{long}"), &long, FILE);
        assert!(text.contains("\n-- \"-ce\"\n"), "{text}");
        assert!(!text.contains("expected  "), "{text}");
        // Where the long line changes, too, it is compared with itself.
        let changed = long.replace("65536", "65535");
        let text = diff(&format!("- \"-ce\"\n{long}"), &changed, FILE);
        assert!(text.contains("n·65536;"), "{text}");
        assert!(!text.contains("·\"-ce"), "{text}");
    }

    #[test]
    fn a_long_change_is_named_and_has_no_row_of_carets() {
        let new = "ulimit -n ${RAY_START_ULIMIT_OPEN_FILES:-65536}; ray start";
        let text = diff("ulimit -n 65536; ray start", new, FILE);
        assert!(!text.contains("^^"), "{text}");
        let named = "  changed   `65536;` → `${RAY_START_ULIMIT_OPEN_FILES:-65536};`";
        let (before, after) = text.split_once(named).expect("the change is named");
        // What changed comes before the places in which to look for it.
        assert!(before.ends_with("(`·` is a space):\n"), "{text}");
        assert!(after.starts_with("\n  expected  "), "{text}");
    }

    #[test]
    fn unicode_is_counted_in_characters() {
        let text = diff("- \"größer  値\"", "- \"größer 値\"", FILE);
        assert!(text.contains("from character 11"), "{text}");
        assert!(text.contains("größer··値"), "{text}");
    }
}
