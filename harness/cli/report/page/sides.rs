//! Two texts side by side, with visible white space where they differ.

use serde::Serialize;

use crate::expect::{Row, Segment, align, segments};

/// Equal lines around a change that are shown.
const CONTEXT: usize = 3;
/// Rows that are shown at most.
const ROWS: usize = 400;
/// Characters of a line that are shown at most.
const LONGEST: usize = 4_000;

/// A row of both texts.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(super) enum Side {
    /// Lines that both have.
    Same {
        /// The line's number in each text.
        old: usize,
        new: usize,
        text: String,
    },
    /// Equal lines that are left out.
    Skipped { count: usize },
    /// A line of one text, or of both with differences.
    Changed {
        old: Option<Line>,
        new: Option<Line>,
    },
}

/// A line that differs.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Line {
    number: usize,
    parts: Vec<LinePart>,
}

/// A part of a line.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct LinePart {
    changed: bool,
    text: String,
}

/// Puts two texts side by side.
pub(super) fn sides(expected: &str, found: &str) -> Vec<Side> {
    let rows = align(expected, found);
    let is_near = |index: usize| {
        let from = index.saturating_sub(CONTEXT);
        let to = (index + CONTEXT + 1).min(rows.len());
        rows[from..to].iter().any(|row| !row.is_equal())
    };
    let mut sides = Vec::new();
    let mut skipped = 0;
    for (index, row) in rows.iter().enumerate() {
        if sides.len() == ROWS {
            skipped += rows.len() - index;
            break;
        }
        if !is_near(index) {
            skipped += 1;
            continue;
        }
        if skipped > 0 {
            sides.push(Side::Skipped { count: skipped });
            skipped = 0;
        }
        sides.push(side(row));
    }
    if skipped > 0 {
        sides.push(Side::Skipped { count: skipped });
    }
    sides
}

fn side(row: &Row<'_>) -> Side {
    match (row.old, row.new) {
        (Some((old, text)), Some((new, _))) if row.is_equal() => Side::Same {
            old: old + 1,
            new: new + 1,
            text: cut(text),
        },
        (Some((old, old_text)), Some((new, new_text))) => {
            let (left, right) = segments(&cut(old_text), &cut(new_text));
            Side::Changed {
                old: Some(line(old, left)),
                new: Some(line(new, right)),
            }
        }
        (old, new) => {
            let alone = |line_: Option<(usize, &str)>| {
                let (number, text) = line_?;
                let all = Segment {
                    changed: true,
                    text: cut(text),
                };
                Some(line(number, vec![all]))
            };
            Side::Changed {
                old: alone(old),
                new: alone(new),
            }
        }
    }
}

fn line(number: usize, segments: Vec<Segment>) -> Line {
    let part = |segment: Segment| LinePart {
        changed: segment.changed,
        text: segment.text,
    };
    Line {
        number: number + 1,
        parts: segments.into_iter().map(part).collect(),
    }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_equal_lines_are_left_out_and_changed_lines_keep_their_numbers() {
        let old: Vec<String> = (1..=20).map(|line| format!("line {line}")).collect();
        let mut new = old.clone();
        new[9] = "line ten".into();
        let sides = sides(&old.join("\n"), &new.join("\n"));
        assert_eq!(sides.first(), Some(&Side::Skipped { count: 6 }));
        assert_eq!(sides.last(), Some(&Side::Skipped { count: 7 }));
        assert_eq!(sides.len(), 9);
        let Side::Changed {
            old: Some(old),
            new: Some(_),
        } = &sides[4]
        else {
            panic!("{sides:?}");
        };
        assert_eq!(old.number, 10);
    }
}
