//! Puts the lines of two texts side by side, and finds the words in which two lines differ.

use std::collections::{HashMap, HashSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines that have less in common than this are not shown as one line that changed.
const RELATED: f64 = 0.4;
/// Blocks with more pairs of lines than this are paired by position.
const PAIRS: usize = 10_000;
/// Longer lines are not compared word by word.
const WORDS: usize = 4_000;

/// A line of each text, where it has a partner; alone where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The line of the old text, with its index.
    pub old: Option<(usize, &'a str)>,
    /// The line of the new text, with its index.
    pub new: Option<(usize, &'a str)>,
}

impl Row<'_> {
    /// Returns whether both texts have the line, unchanged.
    pub fn is_equal(&self) -> bool {
        matches!((self.old, self.new), (Some((_, old)), Some((_, new))) if old == new)
    }
}

/// A part of a line, and whether the other line lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Whether it differs.
    pub changed: bool,
    /// The part.
    pub text: String,
}

/// Returns the lines of two texts in order. Of lines that were replaced, related ones become one
/// row: a word that moved elsewhere is not compared with the sentence that stands in its place.
pub fn align<'a>(old: &'a str, new: &'a str) -> Vec<Row<'a>> {
    let old: Vec<&str> = old.split('\n').collect();
    let new: Vec<&str> = new.split('\n').collect();
    let mut rows = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (olds, news) = (op.old_range(), op.new_range());
        if matches!(op, DiffOp::Equal { .. }) {
            rows.extend(olds.zip(news).map(|(left, right)| Row {
                old: Some((left, old[left])),
                new: Some((right, new[right])),
            }));
            continue;
        }
        let pairs = related(&old[olds.clone()], &new[news.clone()]);
        let (mut left, mut right) = (olds.start, news.start);
        let alone = |left: usize, right: usize, to: (usize, usize), rows: &mut Vec<Row<'a>>| {
            rows.extend((left..to.0).map(|index| Row {
                old: Some((index, old[index])),
                new: None,
            }));
            rows.extend((right..to.1).map(|index| Row {
                old: None,
                new: Some((index, new[index])),
            }));
        };
        for (one, other) in pairs {
            let (one, other) = (one + olds.start, other + news.start);
            alone(left, right, (one, other), &mut rows);
            rows.push(Row {
                old: Some((one, old[one])),
                new: Some((other, new[other])),
            });
            (left, right) = (one + 1, other + 1);
        }
        alone(left, right, (olds.end, news.end), &mut rows);
    }
    rows
}

/// The pairs of related lines, in order, that have most in common together.
fn related(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.len() * new.len() > PAIRS {
        return (0..old.len().min(new.len()))
            .map(|index| (index, index))
            .collect();
    }
    let value: Vec<Vec<f64>> = old
        .iter()
        .map(|old| new.iter().map(|new| likeness(old, new)).collect())
        .collect();
    let mut best = vec![vec![0.0_f64; new.len() + 1]; old.len() + 1];
    for left in (0..old.len()).rev() {
        for right in (0..new.len()).rev() {
            let pair = match value[left][right] {
                like if like >= RELATED => like + best[left + 1][right + 1],
                _ => 0.0,
            };
            best[left][right] = pair.max(best[left + 1][right]).max(best[left][right + 1]);
        }
    }
    let (mut left, mut right) = (0, 0);
    let mut pairs = Vec::new();
    while left < old.len() && right < new.len() {
        let here = best[left][right];
        if value[left][right] >= RELATED && here <= value[left][right] + best[left + 1][right + 1] {
            pairs.push((left, right));
            (left, right) = (left + 1, right + 1);
        } else if here <= best[left + 1][right] {
            left += 1;
        } else {
            right += 1;
        }
    }
    pairs
}

/// How much two lines have in common, from 0 to 1: of their words, or of their characters at both
/// ends.
#[expect(
    clippy::cast_precision_loss,
    reason = "lines are shorter than what a float counts"
)]
fn likeness(old: &str, new: &str) -> f64 {
    let bare = |line: &str| line.trim_start().trim_start_matches("- ").to_owned();
    let (old, new) = (bare(old), bare(new));
    if old == new {
        return 1.0;
    }
    let mut words: HashMap<&str, usize> = HashMap::new();
    let (mut all, mut common) = (0, 0);
    for word in old.split_whitespace() {
        *words.entry(word).or_default() += 1;
        all += 1;
    }
    for word in new.split_whitespace() {
        all += 1;
        if let Some(count) = words.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 2;
        }
    }
    let shorter = old.len().min(new.len());
    let same = |(a, b): &(u8, u8)| a == b;
    let start = old.bytes().zip(new.bytes()).take_while(same).count();
    let end = old.bytes().rev().zip(new.bytes().rev());
    let end = end.take(shorter - start).take_while(same).count();
    let placed = old.bytes().zip(new.bytes()).filter(same).count();
    let longer = old.len().max(new.len()).max(1);
    let ends = (start + end).max(placed) as f64 / longer as f64;
    ends.max(f64::from(common) / f64::from(all.max(1)))
}

/// Returns the parts of two lines, cut where they differ.
pub fn segments(old: &str, new: &str) -> (Vec<Segment>, Vec<Segment>) {
    let whole = |text: &str| {
        vec![Segment {
            changed: true,
            text: text.into(),
        }]
    };
    if old.len().max(new.len()) > WORDS {
        return (whole(old), whole(new));
    }
    let (old, new) = (words(old), words(new));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let changed = !matches!(op, DiffOp::Equal { .. });
        push(&mut left, changed, &old[op.old_range()]);
        push(&mut right, changed, &new[op.new_range()]);
    }
    (left, right)
}

fn push(segments: &mut Vec<Segment>, changed: bool, words: &[&str]) {
    if !words.is_empty() {
        segments.push(Segment {
            changed,
            text: words.concat(),
        });
    }
}

/// A line as words and the white space between them.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let space = first.is_whitespace();
        let end = rest
            .find(|c: char| c.is_whitespace() != space)
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

/// A change of words between two texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WordChange {
    /// What the old text has; empty where something was added.
    pub old: String,
    /// What the new text has; empty where something was removed.
    pub new: String,
}

/// Returns the changes between two texts, each once, in order. Equal changes of different texts are
/// equal values, so that they can be grouped.
pub fn changes(old: &str, new: &str) -> Vec<WordChange> {
    let mut changes = Vec::new();
    for row in align(old, new).iter().filter(|row| !row.is_equal()) {
        let old = row.old.map_or("", |(_, line)| line);
        let new = row.new.map_or("", |(_, line)| line);
        if row.old.is_none() || row.new.is_none() || old.len().max(new.len()) > WORDS {
            changes.push(WordChange {
                old: old.trim().into(),
                new: new.trim().into(),
            });
            continue;
        }
        let (old, new) = (words(old), words(new));
        for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
            if !matches!(op, DiffOp::Equal { .. }) {
                changes.push(WordChange {
                    old: old[op.old_range()].concat(),
                    new: new[op.new_range()].concat(),
                });
            }
        }
    }
    let mut seen = HashSet::new();
    changes.retain(|change| seen.insert(change.clone()));
    changes
}

/// Returns the lines that only one of two texts has, old and new.
pub(crate) fn one_sided<'a>(old: &'a str, new: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for row in align(old, new) {
        match (row.old, row.new) {
            (Some((_, line)), None) => removed.push(line),
            (None, Some((_, line))) => added.push(line),
            _ => {}
        }
    }
    (removed, added)
}

#[cfg(test)]
#[path = "align/tests.rs"]
mod tests;
