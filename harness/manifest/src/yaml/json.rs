//! JSON objects that follow each other, which is no YAML.

use serde::de::IgnoredAny;

use super::{Node, Yaml};
use crate::diagnostic::{Location, Source, Span};

/// Start of an object in the file.
pub(super) struct Start {
    at: usize,
    location: Location,
}

/// The objects of a text that holds two or more, each as a text of its own; none where it holds
/// something else.
pub(super) fn documents(source: &Source) -> Option<Vec<(Source, Start)>> {
    let text = &source.text;
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut found = Vec::new();
    let mut location = Location { line: 1, column: 1 };
    let mut read = 0;
    loop {
        let before = stream.byte_offset();
        match stream.next() {
            Some(Ok(_)) => {}
            Some(Err(_)) => return None,
            None => break,
        }
        let part = text.get(before..stream.byte_offset())?;
        let start = before + (part.len() - part.trim_start().len());
        for c in text.get(read..start)?.chars() {
            if c == '\n' {
                location.line += 1;
                location.column = 1;
            } else {
                location.column += 1;
            }
        }
        read = start;
        let inner = Source::new(&source.path, part.trim_start());
        found.push((
            inner,
            Start {
                at: start,
                location,
            },
        ));
    }
    (found.len() > 1).then_some(found)
}

/// Gives the values of an object the places that they have in the file.
pub(super) fn shift(node: &mut Node, start: &Start) {
    let shift_place = |place: &mut Span| {
        if place.location.line == 1 {
            place.location.column += start.location.column - 1;
        }
        place.location.line += start.location.line - 1;
        place.span = place.span.start + start.at..place.span.end + start.at;
    };
    shift_place(&mut node.place);
    match &mut node.value {
        Yaml::Map(entries) => {
            for (key, value) in entries {
                shift_place(&mut key.place);
                shift(value, start);
            }
        }
        Yaml::List(items) => items.iter_mut().for_each(|item| shift(item, start)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) => {}
    }
}
