//! The lines of a file that a finding quotes, with carets under the value.

use std::collections::{BTreeMap, HashMap};

use kuberay_manifest::visible::line as safe;
use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Location, Source};

use super::document::CheckFinding;
use super::text::{Look, Paint};

/// Columns of a line that are shown; longer ones are cut around the position.
const WIDTH: usize = 96;

/// Columns that are kept before the position in a line that is cut.
const BEFORE: usize = 24;

/// Lines of a longer value that are shown without `--full`: the first ones and the last one.
const FOLDED: usize = 3;

/// Where a value begins and ends.
pub(super) fn region(source: &Source, node: &Node) -> (Location, Location) {
    (node.place.location, end(source, node))
}

/// Where a value ends: a mapping or a list at the end of its first line.
fn end(source: &Source, node: &Node) -> Location {
    let (start, span) = (node.place.location, &node.place.span);
    let scalar = !matches!(node.value, Yaml::Map(_) | Yaml::List(_));
    let text = source.text.get(span.clone()).unwrap_or_default().trim_end();
    if scalar && !text.is_empty() {
        let (before, last) = text
            .rsplit_once('\n')
            .map_or(("", text), |(before, last)| (before, last));
        let breaks = if before.is_empty() && !text.contains('\n') {
            0
        } else {
            text.matches('\n').count()
        };
        let width = last.trim_end_matches('\r').chars().count();
        let column = if breaks == 0 {
            start.column + width
        } else {
            width + 1
        };
        return Location {
            line: start.line + breaks,
            column,
        };
    }
    // A file can be one line of megabytes, so that only what a frame shows is looked at.
    let rest = source.text.get(span.start..).unwrap_or_default().chars();
    let rest: String = rest.take(WIDTH).take_while(|c| *c != '\n').collect();
    let rest = rest.split(" #").next().unwrap_or_default().trim_end();
    Location {
        line: start.line,
        column: start.column + rest.chars().count().max(1),
    }
}

/// The ends of those of an object's values that begin at some positions.
pub(super) struct Regions(BTreeMap<(usize, usize), (usize, usize)>);

impl Regions {
    /// Finds the values at these positions; one column is what ends where none begins.
    pub(super) fn of(
        source: &Source,
        node: &Node,
        positions: impl Iterator<Item = (usize, usize)>,
    ) -> Self {
        let column = |(line, column)| ((line, column), (line, column + 1));
        let mut ends: BTreeMap<_, _> = positions.map(column).collect();
        if !ends.is_empty() {
            find(source, node, &mut ends);
        }
        Self(ends)
    }

    /// Where the value that begins at a position ends.
    pub(super) fn end(&self, line: usize, column: usize) -> (usize, usize) {
        self.0
            .get(&(line, column))
            .copied()
            .unwrap_or((line, column + 1))
    }
}

/// A value inside of another replaces it, since it names the position more exactly.
fn find(source: &Source, node: &Node, ends: &mut BTreeMap<(usize, usize), (usize, usize)>) {
    let start = node.place.location;
    if let Some(found) = ends.get_mut(&(start.line, start.column)) {
        let end = end(source, node);
        *found = (end.line, end.column);
    }
    match &node.value {
        Yaml::Map(entries) => entries
            .iter()
            .for_each(|(_, value)| find(source, value, ends)),
        Yaml::List(items) => items.iter().for_each(|item| find(source, item, ends)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) => {}
    }
}

/// The lines of each file, found once.
pub(super) struct Files<'a>(HashMap<String, Vec<&'a str>>);

impl<'a> Files<'a> {
    pub(super) fn new(sources: &'a [Source], findings: &[CheckFinding]) -> Self {
        let wanted = |name: &str| findings.iter().any(|finding| finding.file == name);
        let named = sources
            .iter()
            .map(|source| (source.path.display().to_string(), source));
        let lines = |source: &'a Source| source.text.lines().collect();
        Self(
            named
                .filter(|(name, _)| wanted(name))
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
                let carets = paint.of(finding.severity, &"^".repeat(width));
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
