//! The few lines of a file that a diagnostic quotes, cut to a width that a terminal shows.

use std::ops::Range;
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::visible;

/// Columns of a line that are quoted; longer lines are cut around the position.
const WIDTH: usize = 80;

/// Columns that are kept before the position in a line that is cut.
const BEFORE: usize = 30;

/// Most lines of a value that are quoted.
const LINES: usize = 8;

/// Lines of a file around a position, with the line number and the column that they have in the
/// file.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    name: String,
    text: String,
    /// Bytes of the value in `text`.
    span: Range<usize>,
    /// Lines of the file before the first one of `text`.
    lines_before: usize,
    /// Column of the value in the file, from 0.
    column: usize,
    /// The file's whole text, and the bytes of the value in it.
    file: (Arc<str>, Range<usize>),
}

impl Excerpt {
    /// Cuts the lines around the bytes `span` out of a file's text.
    pub(crate) fn new(name: String, file: &Arc<str>, span: &Range<usize>) -> Self {
        let text: &str = file;
        let boundary = |at: usize| {
            (0..=at.min(text.len()))
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let (start, end) = (boundary(span.start), boundary(span.end.max(span.start)));
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |at| at + 1);
        let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |len| at + len);
        let first = line_start(start);
        let from = if first == 0 { 0 } else { line_start(first - 1) };
        let mut last = line_end(start);
        let mut quoted = 1;
        while last < end && quoted < LINES {
            last = line_end(last + 1);
            quoted += 1;
        }
        let end = end.min(last);
        let to = if last < text.len() {
            line_end(last + 1)
        } else {
            last
        };

        let column = text[first..start].chars().count();
        let longest = text[from..to]
            .lines()
            .map(|line| line.chars().count())
            .max();
        let window = if longest.unwrap_or(0) <= WIDTH || column + BEFORE < WIDTH {
            0..WIDTH
        } else {
            column - BEFORE..column - BEFORE + WIDTH
        };
        let mut shown = String::new();
        let mut place = 0..0;
        let mut at = from;
        for line in text[from..to].split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if !shown.is_empty() || at > from {
                shown.push('\n');
            }
            let range = at..at + content.len();
            let cut = |at: usize| {
                cut(
                    &text[range.start..at.clamp(range.start, range.end)],
                    &window,
                )
            };
            let begin = shown.len();
            shown.push_str(&cut(range.end));
            if content.chars().count() > window.end {
                shown.push('…');
            }
            if (range.start..=range.end).contains(&start) {
                place.start = begin + cut(start).len();
            }
            if (range.start..=range.end).contains(&end) {
                place.end = begin + cut(end).len();
            }
            at += line.len();
        }
        place.end = place.end.max(place.start);
        Self {
            name,
            text: shown,
            span: place,
            lines_before: text[..from].matches('\n').count(),
            column,
            file: (Arc::clone(file), span.clone()),
        }
    }

    /// The file's whole text.
    pub(crate) fn file(&self) -> &str {
        &self.file.0
    }

    /// The same lines of another text of the file, in which every place is where it was.
    pub(crate) fn of(&self, file: &str) -> Self {
        Self::new(self.name.clone(), &file.into(), &self.file.1)
    }

    /// Returns the bytes of the value in the quoted text.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// The part of a line's beginning that lies in the window, as a terminal may be given it.
fn cut(text: &str, window: &Range<usize>) -> String {
    let part: String = text.chars().take(window.end).skip(window.start).collect();
    let mark = if window.start > 0 && text.chars().count() > window.start {
        "…"
    } else {
        ""
    };
    format!("{mark}{}", visible::lines(&part))
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.as_str().read_span(span, before, after)?;
        let column = if span.offset() == self.span.start {
            self.column
        } else {
            contents.column()
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + self.lines_before,
            column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use assertables::assert_le;

    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_position() {
        let text = format!(
            "a: 1\nb: {}HERE{}\nc: 2\n",
            "x".repeat(500),
            "y".repeat(500)
        );
        let at = text.find("HERE").unwrap();
        let excerpt = Excerpt::new("f".into(), &text.as_str().into(), &(at..at + 4));
        assert_eq!(&excerpt.text[excerpt.span()], "HERE");
        for line in excerpt.text.lines() {
            assert_le!(line.chars().count(), WIDTH + 2, "{line}");
        }
        let contents = excerpt.read_span(&excerpt.span().into(), 0, 0).unwrap();
        assert_eq!(contents.line(), 1);
        assert_eq!(contents.column(), 503);
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let text = "a: 1\nb: 2\nc: 3\nd: 4\n";
        let excerpt = Excerpt::new("f".into(), &text.into(), &(8..9));
        assert_eq!(excerpt.text, "a: 1\nb: 2\nc: 3");
        assert_eq!(&excerpt.text[excerpt.span()], "2");
    }
}
