//! Text from clusters is made safe to show: no terminal codes, no characters that XML forbids or
//! that hide others.

use serde_json::Value;

use super::Outcome;
use crate::manifest::Severity;
pub(super) use kuberay_conformance_engine::text::clean;

/// As [`clean`], on one line.
pub(super) fn one_line(text: &str) -> String {
    clean(text.trim_end()).replace(['\n', '\t'], " ")
}

/// The first line of a message, and the lines after it as they are (often a log's last ones), both
/// cleaned.
pub(super) fn headline(message: &str) -> (String, Option<String>) {
    let cleaned = clean(message.trim_end());
    match cleaned.split_once('\n') {
        Some((first, rest)) => (first.into(), Some(rest.into())),
        None => (cleaned, None),
    }
}

/// Cleans every string inside a JSON value, and every name of a field.
pub(super) fn clean_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_value),
        Value::Object(fields) => {
            let all = std::mem::take(fields).into_iter();
            fields.extend(all.map(|(name, mut value)| {
                clean_value(&mut value);
                (clean(&name), value)
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A number of things; all words that reports count form their plural with an `s`.
pub(super) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Lines of one object without `--verbose`, so that it fits on a screen.
pub(super) const SCREEN: usize = 24;

/// The lines of one object, as many as fit on a screen unless all are to be shown.
pub(super) fn screen(mut lines: Vec<String>, verbose: bool) -> Vec<String> {
    if !verbose && lines.len() > SCREEN {
        lines.truncate(SCREEN - 1);
        lines.push("  … more with --verbose".into());
    }
    lines
}

/// The escape codes of the few colours that reports use; empty ones when colour is off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn new(on: bool) -> Self {
        Self { on }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }

    pub(super) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// The marks around a quoted file.
    pub(super) fn blue(self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    /// A text in the colour of a severity.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        self.wrap(code, text)
    }

    /// The word of an outcome in its colour, padded to `width`.
    pub(super) fn outcome(self, outcome: Outcome, width: usize) -> String {
        let word = format!("{:<width$}", outcome.word());
        match outcome {
            Outcome::Passed => self.green(&word),
            Outcome::Failed | Outcome::Error => self.red(&word),
            Outcome::Skipped | Outcome::Flaky | Outcome::New => self.yellow(&word),
        }
    }
}

#[cfg(test)]
mod tests;
