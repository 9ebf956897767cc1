//! Finds the place in the file of a character of the joined text.

use kuberay_manifest::{Cursor, Location};

/// The elements of `command` and `args`, joined as the operator joins them.
pub(in super::super) struct Joined<'a> {
    words: &'a [Cursor<'a>],
    source: &'a str,
}

impl<'a> Joined<'a> {
    pub fn new(words: &'a [Cursor<'a>], source: &'a str) -> Self {
        Self { words, source }
    }

    /// The text that precedes the generated part: each element with a space before and one after
    /// it.
    pub fn text(&self) -> String {
        self.words
            .iter()
            .map(|word| format!(" {} ", word.text()))
            .collect()
    }

    /// The element that holds a byte of the text, and the place of that byte in the file.
    pub fn place(&self, offset: usize) -> Option<(&'a Cursor<'a>, Location)> {
        let mut start = 0;
        for word in self.words {
            let length = word.text().len();
            if offset < start + length + 2 {
                let inside = offset.saturating_sub(start + 1).min(length);
                return Some((word, location(self.source, word, inside)));
            }
            start += length + 2;
        }
        let last = self.words.last()?;
        Some((last, location(self.source, last, last.text().len())))
    }
}

/// The place in the file of a byte of a value; the place of the value where its form hides it.
pub(in super::super) fn location(source: &str, cursor: &Cursor, offset: usize) -> Location {
    let start = cursor.node.place.location;
    let text = cursor.text();
    let Some(raw) = source.get(cursor.node.place.span.start..) else {
        return start;
    };
    let before = text.get(..offset).unwrap_or(text);
    let columns = match raw.chars().next() {
        Some('\'') => single_quoted(raw, before),
        Some('"') => double_quoted(raw, before),
        _ => return lines(raw, start, text, before).unwrap_or(start),
    };
    match columns {
        Some(columns) => Location {
            line: start.line,
            column: start.column + columns,
        },
        None => start,
    }
}

/// The place in a plain value or a block, whose place is that of its first line.
fn lines(raw: &str, start: Location, text: &str, before: &str) -> Option<Location> {
    let number = before.matches('\n').count();
    let column = before.rsplit('\n').next()?.chars().count();
    let line = text.split('\n').nth(number)?;
    let written = raw.split('\n').nth(number)?;
    let indent = if number == 0 { 0 } else { start.column - 1 };
    // A folded block, or a value over several lines, hides the place.
    written
        .get(indent..)?
        .starts_with(line)
        .then_some(Location {
            line: start.line + number,
            column: start.column + column,
        })
}

fn single_quoted(raw: &str, before: &str) -> Option<usize> {
    let mut columns = 1;
    let mut raw = raw.chars().skip(1);
    for c in before.chars() {
        let next = raw.next()?;
        columns += 1;
        if next == '\'' && c == '\'' {
            raw.next();
            columns += 1;
        } else if next != c {
            return None;
        }
    }
    Some(columns)
}

fn double_quoted(raw: &str, before: &str) -> Option<usize> {
    let mut columns = 1;
    let mut raw = raw.chars().skip(1);
    for c in before.chars() {
        let next = raw.next()?;
        columns += 1;
        if next == '\\' {
            let skipped = match raw.next()? {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                '\n' => return None,
                _ => 0,
            };
            columns += 1 + skipped;
            if skipped > 0 {
                raw.nth(skipped - 1)?;
            }
        } else if next != c {
            return None;
        }
    }
    Some(columns)
}
