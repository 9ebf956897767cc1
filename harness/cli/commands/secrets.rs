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
