//! Files are quoted without the secrets that they hold.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::manifest::{Diagnostic, Source};
use crate::report::Redactor;

/// Fields of documents whose texts are words of this program, never of a file.
const OWN: [&str; 18] = [
    "at",
    "class",
    "from",
    "id",
    "impact",
    "kind",
    "operator",
    "operators",
    "page",
    "release",
    "releases",
    "role",
    "rule",
    "severity",
    "since",
    "stage",
    "to",
    "version",
];

/// What knows the secrets of files.
pub(super) fn redactor(sources: &[Source]) -> Redactor {
    let redactor = Redactor::default();
    for source in sources {
        redactor.learn_file(&source.text);
    }
    redactor
}

/// The files with their secrets covered; every place stays where it is.
pub(super) fn covered(sources: &[Source], redactor: &Redactor) -> Vec<Source> {
    let covered = |source: &Source| Source::new(&source.path, &redactor.cover(&source.text));
    sources.iter().map(covered).collect()
}

/// A document about files without their secrets.
pub(super) fn redacted<T: Serialize + DeserializeOwned>(document: T, redactor: &Redactor) -> T {
    let mut value = serde_json::to_value(&document).unwrap_or_default();
    redact(&mut value, redactor);
    serde_json::from_value(value).unwrap_or(document)
}

fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact_known(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(fields) => {
            let others = fields
                .iter_mut()
                .filter(|(name, _)| !OWN.contains(&&***name));
            others.for_each(|(_, field)| redact(field, redactor));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A problem without the secrets of its file.
pub(super) fn without_secrets(diagnostic: &Diagnostic) -> Diagnostic {
    let redactor = Redactor::default();
    let mut shown = diagnostic.clone();
    if let Some(file) = diagnostic.file() {
        redactor.learn_file(file);
        shown = shown.quoting(&redactor.cover(file));
    }
    shown.message = redactor.redact_text(&shown.message).0;
    shown.help = shown.help.map(|help| redactor.redact_text(&help).0);
    shown
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SECRET: &str = "kind: Secret\napiVersion: v1\nstringData: {token: c4n4ry-V4lue}\n";

    fn sources() -> [Source; 1] {
        [Source::new(Path::new("s.yaml"), SECRET)]
    }

    #[test]
    fn a_secret_of_a_file_is_covered_and_places_stay() {
        let sources = sources();
        let covered = covered(&sources, &redactor(&sources));
        let text = &covered[0].text;
        assert!(!text.contains("c4n4ry-V4lue"), "{text}");
        let widths = |text: &str| -> Vec<usize> { text.lines().map(str::len).collect() };
        assert_eq!(widths(text), widths(SECRET));
    }

    #[test]
    fn fields_of_this_program_are_no_text_of_a_file() {
        let redactor = redactor(&sources());
        let document = serde_json::json!({"message": "c4n4ry-V4lue", "id": "c4n4ry-V4lue"});
        let shown = redacted(document, &redactor);
        assert_ne!(shown["message"], "c4n4ry-V4lue");
        assert_eq!(shown["id"], "c4n4ry-V4lue");
    }
}
