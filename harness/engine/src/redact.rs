//! Secrets are masked in everything that is printed, written or reported: the only place that knows
//! what a secret is.
//!
//! A [`Redactor`] learns the values of Secrets, and of fields, variables and flags with the name of
//! a secret, from objects before they are sent. It masks them in two ways.
//! [`Redactor::redact_value`] masks in the tree of an object, before it is serialised, so that what
//! is written stays well-formed and a value's indentation or quotes hide nothing.
//! [`Redactor::redact_text`] masks in logs, messages and progress.
//!
//! - `names`: which names are those of secrets.
//! - `forms`: how secrets are written in text (`name=value`, tokens, private keys).
//! - `file`: secrets of a file, whether it is well-formed or not.
//! - `known`: values that were learned, in every encoding.
//! - `tree`: where secrets are in an object.
//! - `progress`: progress without secrets.

mod file;
mod forms;
mod known;
mod names;
mod progress;
mod tree;

use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kuberay_manifest::LAST_APPLIED;
use serde_json::Value;

use self::known::{Known, SHORTEST};
use self::tree::{Leaf, walk};
use crate::results::{CaseResult, RunResult};
use crate::text::clean;

pub use progress::Redacted;

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

/// How deep values are looked into that hold YAML or JSON, such as a kubeconfig with a certificate
/// in base64.
const DEPTH: usize = 4;

/// Masks secrets in text and in objects: those that it knows, and what is written in a form that
/// secrets have.
///
/// A clone shares what the original knows.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Masks these values wherever they stand; those shorter than four bytes are left out.
    pub fn new(literals: impl IntoIterator<Item = String>) -> Self {
        let redactor = Self::default();
        redactor.add(literals);
        redactor
    }

    /// Returns the one that knows what the runs of this process have learned, for what is written
    /// beside them: the log, and errors.
    pub fn of_process() -> Self {
        static OF_PROCESS: LazyLock<Redactor> = LazyLock::new(Redactor::default);
        OF_PROCESS.clone()
    }

    /// Masks these values, too.
    pub fn add(&self, literals: impl IntoIterator<Item = String>) {
        let mut known = self.write();
        for literal in literals {
            known.add(literal.as_bytes(), true);
        }
    }

    /// Learns the secrets of an object: the values of a Secret, and in any object the values of
    /// fields, environment variables and flags with the name of a secret.
    pub fn learn(&self, object: &Value) {
        let mut known = self.write();
        walk(&mut object.clone(), &mut |leaf| match leaf {
            Leaf::Data {
                key,
                encoded,
                value,
            } => {
                let text = plain(value);
                let decoded = STANDARD.decode(text.split_ascii_whitespace().collect::<String>());
                let bytes = decoded
                    .ok()
                    .filter(|_| encoded)
                    .unwrap_or_else(|| text.into_bytes());
                learn_value(&mut known, &bytes, names::is_secret(key), DEPTH);
            }
            Leaf::Secret(value) => learn_value(&mut known, plain(value).as_bytes(), true, DEPTH),
            Leaf::Other(value) => {
                if let Some(text) = value.as_str() {
                    forms::mask(text, &mut |secret| {
                        // A URL holds a user and a password.
                        let password = secret.split_once(':').map(|(_, password)| password);
                        for secret in [secret]
                            .into_iter()
                            .chain(password)
                            .filter(|one| one.len() >= SHORTEST)
                        {
                            learn_value(&mut known, secret.as_bytes(), true, DEPTH);
                        }
                    });
                }
            }
        });
    }

    /// Masks secrets in text; returns it, and how many masks were set. Masking twice changes
    /// nothing more.
    pub fn redact_text(&self, text: &str) -> (String, usize) {
        let known = self.read();
        let found = known.mask(text);
        // A code inside of a value hides it here, and is gone where it is shown.
        let codes = text
            .contains('\x1b')
            .then(|| known.mask(&clean(text)))
            .flatten();
        let masks = |found: &Option<(String, usize)>| found.as_ref().map_or(0, |(_, masks)| *masks);
        let found = if masks(&codes) > masks(&found) {
            codes
        } else {
            found
        };
        let (text, mut count) = found.unwrap_or_else(|| (text.to_owned(), 0));
        drop(known);
        let masked = forms::mask(&text, &mut |_| count += 1);
        (masked, count)
    }

    /// Masks the values that it knows, and nothing that only looks like a secret.
    pub fn redact_known(&self, text: &str) -> String {
        let masked = self.read().mask(text);
        masked.map_or_else(|| text.to_owned(), |(masked, _)| masked)
    }

    /// Masks secrets in text by as many bytes and characters as they have, and keeps white space:
    /// every place of the text stays where it is.
    pub fn cover(&self, text: &str) -> String {
        let known = self.read().mask_as(text, covered);
        let text = known.map_or_else(|| text.to_owned(), |(text, _)| text);
        forms::mask_as(&text, covered, &mut |_| {})
    }

    /// Learns the secrets of a file with manifests, whether it is well-formed or not.
    pub fn learn_file(&self, text: &str) {
        for document in file::documents(text) {
            if let Ok(object) = serde_saphyr::from_str::<Value>(document) {
                self.learn(&object);
            }
            // A value that goes over several lines is another text in the file than in the object.
            self.add(file::secrets(document));
        }
    }

    /// Masks secrets in an object (or a list of them), and drops what nobody reads:
    /// `managedFields`, and the last applied configuration, which repeats the object. Returns how
    /// many masks were set.
    pub fn redact_value(&self, object: &mut Value) -> usize {
        let mut count = self.drop_noise(object);
        walk(object, &mut |leaf| match leaf {
            Leaf::Data { value, .. } | Leaf::Secret(value) => {
                if *value != MASK {
                    *value = MASK.into();
                    count += 1;
                }
            }
            Leaf::Other(value) => {
                let (text, masks) = self.redact_text(&plain(value));
                if masks > 0 {
                    *value = text.into();
                    count += masks;
                }
            }
        });
        count
    }

    /// Drops what nobody reads, and masks known values in keys.
    fn drop_noise(&self, value: &mut Value) -> usize {
        match value {
            Value::Array(items) => items.iter_mut().map(|item| self.drop_noise(item)).sum(),
            Value::Object(fields) => {
                fields.shift_remove("managedFields");
                if let Some(annotations) =
                    fields.get_mut("annotations").and_then(Value::as_object_mut)
                {
                    annotations.shift_remove(LAST_APPLIED);
                }
                let masked = |key: &String| {
                    self.read()
                        .mask(key)
                        .map(|(masked, count)| (key.clone(), masked, count))
                };
                let keys: Vec<_> = fields.keys().filter_map(masked).collect();
                let mut count = 0;
                for (key, masked, masks) in keys {
                    let value = fields.shift_remove(&key).unwrap_or_default();
                    fields.insert(masked, value);
                    count += masks;
                }
                count
                    + fields
                        .values_mut()
                        .map(|field| self.drop_noise(field))
                        .sum::<usize>()
            }
            _ => 0,
        }
    }

    /// Masks what a run's result quotes from the cluster; returns how many places were masked.
    pub fn redact_run(&self, run: &mut RunResult) -> usize {
        let interrupted = run.interrupted.as_mut().map_or(0, |text| self.mask(text));
        interrupted
            + run.command.as_mut().map_or(0, |text| self.mask(text))
            + run
                .cases
                .iter_mut()
                .map(|case| self.redact_case(case))
                .sum::<usize>()
    }

    /// Masks what a case's result quotes from the cluster; returns how many places were masked.
    pub fn redact_case(&self, case: &mut CaseResult) -> usize {
        let texts = case.checks.iter_mut().flat_map(|check| {
            let quotes = [
                &mut check.source,
                &mut check.expected,
                &mut check.found,
                &mut check.diff,
            ];
            std::iter::once(&mut check.message).chain(quotes.into_iter().flatten())
        });
        let texts = case.reason.iter_mut().chain(texts);
        let count: usize = texts.map(|text| self.mask(text)).sum();
        let settings = case.operator_settings.iter_mut();
        let settings = settings.map(|(name, value)| {
            if names::is_secret(name) && !forms::is_no_secret(value) {
                MASK.clone_into(value);
                1
            } else {
                self.mask(value)
            }
        });
        count + settings.sum::<usize>()
    }

    fn mask(&self, text: &mut String) -> usize {
        let (masked, count) = self.redact_text(text);
        *text = masked;
        count
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        // What it guards is whole after every statement, so a panic elsewhere does no harm.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands in the place of a secret where every place stays.
fn covered(secret: &str) -> String {
    let cover = |c: char| match (c.is_whitespace(), c.len_utf8()) {
        (true, _) => c,
        (_, 1) => '*',
        (_, 2) => '\u{b7}',
        (_, 3) => '\u{2022}',
        _ => '\u{1f7b6}',
    };
    secret.chars().map(cover).collect()
}

/// Learns a value and what it is made of: the lines of a text, or the leaves with the name of a
/// secret of YAML and JSON, whose other lines, such as `apiVersion: v1` of a kubeconfig, are no
/// secrets.
fn learn_value(known: &mut Known, value: &[u8], named: bool, depth: usize) {
    if value.trim_ascii() == MASK.as_bytes()
        || std::str::from_utf8(value).is_ok_and(forms::is_no_secret)
    {
        return;
    }
    known.add(value, named);
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let Ok(text) = std::str::from_utf8(value) else {
        return;
    };
    let documents = structure(text);
    if documents.is_empty() {
        if text.trim().lines().nth(1).is_some() {
            known.add_lines(text);
        }
        return;
    }
    for mut document in documents {
        walk(&mut document, &mut |leaf| {
            let (Leaf::Data { value, .. } | Leaf::Secret(value)) = leaf else {
                return;
            };
            let text = plain(value);
            learn_value(known, text.as_bytes(), true, depth);
            if let Ok(decoded) = STANDARD.decode(text.trim()) {
                // `auth` of a docker config is a user and a password.
                let parts = decoded.splitn(2, |byte| *byte == b':').skip(1);
                parts.for_each(|password| known.add(password, true));
                learn_value(known, &decoded, true, depth);
            }
        });
    }
}

/// The mappings and lists that a text is, where it is YAML or JSON; a scalar is but a text.
fn structure(text: &str) -> Vec<Value> {
    let text = text.trim();
    let may_be = text.starts_with(['{', '[']) || text.contains(": ") || text.contains(":\n");
    if !may_be || text.starts_with("-----") {
        return Vec::new();
    }
    let json = serde_json::from_str::<Value>(text).map(|value| vec![value]);
    let documents = json.or_else(|_| serde_saphyr::from_multiple::<Value>(text));
    let documents = documents.unwrap_or_default();
    let is_structure = documents
        .iter()
        .all(|document| document.is_object() || document.is_array() || document.is_null());
    if is_structure { documents } else { Vec::new() }
}

/// A scalar as text.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
