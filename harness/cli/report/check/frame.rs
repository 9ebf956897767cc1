//! The lines of a file that a finding quotes, with carets under the value.

use std::collections::{HashMap, HashSet};

use super::super::text::Paint;
use crate::explain::check::CheckFinding;
use crate::manifest::Source;
use crate::manifest::visible::line as safe;

/// Columns of a line that are shown; longer ones are cut around the position.
const WIDTH: usize = 96;

/// Columns that are kept before the position in a line that is cut.
const BEFORE: usize = 24;

/// Lines of a longer value that are shown without `--full`: the first ones and the last one.
const FOLDED: usize = 3;

/// How a report is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Whether it may have colours.
    pub colour: bool,
    /// Whether values of many lines are shown in whole.
    pub full: bool,
}

/// The lines of each file, found once.
pub(super) struct Files<'a>(HashMap<String, Vec<&'a str>>);

impl<'a> Files<'a> {
    pub(super) fn new(sources: &'a [Source], findings: &[CheckFinding]) -> Self {
        let wanted: HashSet<&str> = findings
            .iter()
            .map(|finding| finding.file.as_str())
            .collect();
        let named = sources
            .iter()
            .map(|source| (source.path.display().to_string(), source));
        let lines = |source: &'a Source| source.text.lines().collect();
        Self(
            named
                .filter(|(name, _)| wanted.contains(name.as_str()))
                .map(|(name, source)| (name, lines(source)))
                .collect(),
        )
    }

    /// The code frame of a finding; empty where its file is not among those that were read.
    pub(super) fn frame(&self, finding: &CheckFinding, look: Look, paint: Paint) -> String {
        let Some(lines) = self.0.get(&finding.file) else {
            return String::new();
        };
        let last = finding
            .end_line
            .clamp(finding.line, lines.len().max(finding.line));
        let gutter = last.to_string().len();
        let bar = paint.blue("|");
        let mut text = format!("{} {bar}\n", " ".repeat(gutter));
        let on_one = last == finding.line;
        let first = lines.get(finding.line - 1).copied().unwrap_or_default();
        let from = if is_longer(first, WIDTH) && on_one && finding.column > BEFORE + 1 {
            finding.column - 1 - BEFORE
        } else {
            0
        };
        for number in finding.line..=last {
            let shown = number - finding.line;
            if !look.full && shown >= FOLDED && number < last {
                if shown == FOLDED {
                    text.push_str(&format!(
                        "{} {}\n",
                        paint.blue("..."),
                        paint.dim(&folded(last - number))
                    ));
                }
                continue;
            }
            let content = lines.get(number - 1).copied().unwrap_or_default();
            let (cut, before) = cut(content, from);
            let number_text = paint.blue(&format!("{number:>gutter$}"));
            text.push_str(format!("{number_text} {bar} {cut}").trim_end());
            text.push('\n');
            if number == last {
                let indent = content.chars().count() - content.trim_start().chars().count();
                let (start, end) = if on_one {
                    (finding.column - 1, finding.end_column.saturating_sub(1))
                } else {
                    (indent, content.trim_end().chars().count())
                };
                let start_shown = start.saturating_sub(from) + before;
                let width = end
                    .saturating_sub(start)
                    .clamp(1, (from + WIDTH).saturating_sub(start).max(1));
                let carets = paint.severity(finding.severity, &"^".repeat(width));
                text.push_str(&format!(
                    "{} {bar} {}{carets}\n",
                    " ".repeat(gutter),
                    " ".repeat(start_shown)
                ));
            }
        }
        text
    }
}

fn folded(lines: usize) -> String {
    format!("{lines} more line{}", if lines == 1 { "" } else { "s" })
}

/// Whether a line has more columns; looks at no more of it than it must.
fn is_longer(line: &str, width: usize) -> bool {
    line.len() > width && line.chars().nth(width).is_some()
}

/// The part of a line that is shown, and the columns that a mark adds before it.
fn cut(line: &str, from: usize) -> (String, usize) {
    let start = if line.is_ascii() {
        from.min(line.len())
    } else {
        line.char_indices()
            .nth(from)
            .map_or(line.len(), |(at, _)| at)
    };
    let part: String = line[start..].chars().take(WIDTH).collect();
    let mut shown = safe(&part.replace('\t', " "));
    if is_longer(&line[start..], WIDTH) {
        shown.push('…');
    }
    if from > 0 {
        (format!("…{shown}"), 1)
    } else {
        (shown, 0)
    }
}
