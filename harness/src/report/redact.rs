//! Secrets are masked before anything is kept as evidence.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use k8s_openapi::api::core::v1::Secret;
use regex::{Captures, Regex};
use serde_json::Value;

use super::{CellResult, RunResult};

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

/// Literals that are shorter would mask ordinary text.
const SHORTEST: usize = 4;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The end of a name whose value is a secret, as in `redis_password`, `--token` or `AWS_SECRET_ACCESS_KEY`.
const NAME: &str = r"[\w.-]*?(?:password|passwd|passphrase|token|secret|access[_-]?key(?:[_-]?id)?|api[_-]?key|private[_-]?key|client-key-data|credentials?)";

/// Forms in which secrets are written. Groups that are named `keep` and `end` stay, the rest is masked.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    // In quotes, in quotes of JSON within JSON, or bare up to what ends it.
    let value = r#"(?:"(?:[^"\\\r\n]|\\.)+"|'[^'\r\n]+'|\\"[^"\\]+\\"|[^\s,;&"'\\\[\]{}()][^\s,;&"'\\\]})]*)"#;
    [
        // A private key, also one that was cut off.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)".to_owned(),
        r#"(?i)(?P<keep>\bauthorization["']?\s*[:=]\s*["']?)[^\s"'\[][^"'\r\n]*"#.into(),
        r"(?i)(?P<keep>\bbearer\s+)[A-Za-z0-9._~+/-]{8,}=*".into(),
        // The user and password of a URL.
        r#"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'<>@\[][^/\s"'<>]*(?P<end>@)"#.into(),
        // Forms that are secrets wherever they stand: JSON web tokens, GitHub's tokens, AWS key identifiers.
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*".into(),
        r"\bgh[pousr]_[A-Za-z0-9]{20,}".into(),
        r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b".into(),
        // An environment variable as Kubernetes writes it, in YAML or JSON, with its value on the next line or field.
        format!(r#"(?i)(?P<keep>\bname["']?:\s*["']?{NAME}\w*["']?,?\s+["']?value["']?:[ \t]*){value}"#),
        format!(r#"(?i)(?P<keep>"name":"{NAME}\w*","value":){value}"#),
        // `name=value`, `name: value`, `"name":"value"`.
        format!(r#"(?i)(?P<keep>\b{NAME}\\?["']?[ \t]*[:=][ \t]*){value}"#),
        // `--name value`
        format!(r"(?i)(?P<keep>(?:^|\s)--?{NAME}[ \t]+){value}"),
    ]
    .iter()
    .map(|form| Regex::new(form).expect("a constant expression"))
    .collect()
});

/// Values that tell nothing: the mask, switches, and references to variables.
static NO_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\\?["']?(?:\[redacted\]|(?i:true|false|null|none)|\$[({]?[A-Z_][A-Z0-9_]*[)}]?)\\?["']?$"#)
        .expect("a constant expression")
});

/// Names of environment variables whose values are masked, wherever the word stands in them.
static SECRET_ENV: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)PASSWORD|TOKEN|SECRET|ACCESS_KEY|PRIVATE_KEY|API_KEY").expect("a constant expression")
});

/// Masks secrets in text and in objects: those that it knows, and what is written in a form that secrets have.
///
/// A clone shares what the original knows.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first: of two that begin alike, the longer is masked.
    known: Arc<RwLock<Vec<String>>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Masks these values wherever they stand, such as the values of the cluster's Secrets; those shorter than four
    /// bytes are left out.
    pub fn new(literals: impl IntoIterator<Item = String>) -> Self {
        let redactor = Self::default();
        redactor.add(literals);
        redactor
    }

    /// Learns the values of a Secret; other objects hold none.
    pub fn learn(&self, object: &Value) {
        if object["kind"] == "Secret"
            && let Ok(secret) = serde_json::from_value::<Secret>(object.clone())
        {
            let data = secret.data.into_iter().flatten();
            let decoded = data.filter_map(|(_, value)| String::from_utf8(value.0).ok());
            let plain = secret.string_data.into_iter().flatten().map(|(_, value)| value);
            self.add(decoded.chain(plain));
        }
    }

    /// Masks these values, too.
    pub fn add(&self, literals: impl IntoIterator<Item = String>) {
        let forms = literals.into_iter().flat_map(|literal| {
            // Evidence in JSON holds a value in its escaped form.
            let escaped = Value::from(literal.as_str()).to_string();
            let trimmed = literal.trim().to_owned();
            [escaped[1..escaped.len() - 1].to_owned(), literal, trimmed]
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms.filter(|literal| literal.len() >= SHORTEST && !MASK.contains(literal.as_str())));
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
    }

    /// The text without its secrets, and how many masks were set. Masking twice changes nothing more.
    pub fn redact_text(&self, text: &str) -> (String, usize) {
        let mut masked = text.to_owned();
        let mut count = 0;
        for literal in self.known.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let found = masked.matches(literal.as_str()).count();
            if found > 0 {
                masked = masked.replace(literal.as_str(), MASK);
                count += found;
            }
        }
        for form in FORMS.iter() {
            let replaced = form.replace_all(&masked, |found: &Captures| replacement(found, &mut count));
            if let Cow::Owned(replaced) = replaced {
                masked = replaced;
            }
        }
        (masked, count)
    }

    /// Drops from a Kubernetes object (or a list of them) what evidence must not hold: values of Secrets and of
    /// environment variables with telling names, and what nobody reads (`managedFields`, the last applied
    /// configuration, which repeats them). Returns how many values were masked.
    #[expect(clippy::unused_self, reason = "what it knows is masked in the serialised text")]
    pub fn redact_value(&self, object: &mut Value) -> usize {
        scrub_object(object)
    }

    /// Masks what a run's result quotes from the cluster; returns how many places were masked.
    pub fn redact_run(&self, run: &mut RunResult) -> usize {
        let interrupted = run.interrupted.as_mut().map_or(0, |text| self.mask(text));
        interrupted + run.cells.iter_mut().map(|cell| self.redact_cell(cell)).sum::<usize>()
    }

    /// Masks what a cell's result quotes from the cluster; returns how many places were masked.
    pub fn redact_cell(&self, cell: &mut CellResult) -> usize {
        let texts = cell.checks.iter_mut().flat_map(|check| {
            let quotes = [&mut check.expected, &mut check.found, &mut check.diff];
            std::iter::once(&mut check.message).chain(quotes.into_iter().flatten())
        });
        let settings = cell.operator_settings.values_mut();
        let texts = cell.reason.iter_mut().chain(texts).chain(settings);
        texts.map(|text| self.mask(text)).sum()
    }

    fn mask(&self, text: &mut String) -> usize {
        let (masked, count) = self.redact_text(text);
        *text = masked;
        count
    }
}

fn replacement(found: &Captures, count: &mut usize) -> String {
    let group = |name| found.name(name).map_or("", |group| group.as_str());
    let (keep, end) = (group("keep"), group("end"));
    let secret = &found[0][keep.len()..found[0].len() - end.len()];
    let quote = ["\\\"", "\"", "'"]
        .into_iter()
        .find(|quote| secret.starts_with(quote))
        .unwrap_or_default();
    if NO_SECRET.is_match(secret) {
        return found[0].to_owned();
    }
    *count += 1;
    format!("{keep}{quote}{MASK}{quote}{end}")
}

fn scrub_object(object: &mut Value) -> usize {
    match object {
        Value::Array(items) => items.iter_mut().map(scrub_object).sum(),
        Value::Object(fields) => {
            let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
            let mut count = 0;
            match kind {
                "Secret" => count += mask_data(fields),
                "SecretList" => {
                    let items = fields.get_mut("items").and_then(Value::as_array_mut);
                    let items = items.into_iter().flatten().filter_map(Value::as_object_mut);
                    count += items.map(mask_data).sum::<usize>();
                }
                _ => {}
            }
            fields.shift_remove("managedFields");
            if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.shift_remove(LAST_APPLIED);
            }
            for (name, value) in fields.iter_mut() {
                if name == "env" {
                    count += mask_env(value);
                }
                count += scrub_object(value);
            }
            count
        }
        _ => 0,
    }
}

fn mask_data(secret: &mut serde_json::Map<String, Value>) -> usize {
    let parts = ["data", "stringData"].map(|part| secret.get_mut(part).and_then(Value::as_object_mut).map(mask_values));
    parts.into_iter().flatten().sum()
}

fn mask_values(values: &mut serde_json::Map<String, Value>) -> usize {
    values.values_mut().map(mask_value).sum()
}

fn mask_value(value: &mut Value) -> usize {
    let masked = Value::from(MASK);
    let changes = *value != masked;
    *value = masked;
    usize::from(changes)
}

fn mask_env(env: &mut Value) -> usize {
    let variables = env.as_array_mut().into_iter().flatten();
    let secret = variables.filter(|variable| {
        let name = variable.get("name").and_then(Value::as_str);
        name.is_some_and(|name| SECRET_ENV.is_match(name))
    });
    secret
        .filter_map(|variable| variable.get_mut("value"))
        .map(mask_value)
        .sum()
}

#[cfg(test)]
mod tests;
