//! The ends of the values that findings point at.

use std::collections::BTreeMap;

use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Location, Source};

/// Columns of a mapping or a list that a finding may cover.
const WIDTH: usize = 96;

/// Returns the beginning and the end of a value.
pub(super) fn region(source: &Source, node: &Node) -> (Location, Location) {
    (node.place.location, end(source, node))
}

/// Returns the end of a value; that of a mapping or a list is the end of its first line.
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
    // A file can be one line of megabytes.
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

    /// Returns the end of the value that begins at a position.
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
