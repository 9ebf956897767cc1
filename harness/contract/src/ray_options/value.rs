//! Checks values of options as Ray does: click converts numbers, Python's `json` reads JSON.

use serde_json::Value;

use super::{OptionKind, RayOption};

/// The reason why Ray refuses the value of an option.
///
/// ```
/// use kuberay_contract::{OptionKind, OptionProblem, RayOption};
///
/// let cpus = RayOption {
///     since: semver::Version::new(2, 7, 0),
///     until: None,
///     kind: OptionKind::Integer,
/// };
/// assert_eq!(cpus.refuses("2"), None);
/// let problem = OptionProblem::Type("takes a whole number".into());
/// assert_eq!(cpus.refuses("500m"), Some(problem));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionProblem {
    /// The value has another type; the text says so, such as `takes a whole number`.
    Type(String),
    /// The value is no JSON, or not of the form that Ray expects; the text says which.
    Json(String),
}

impl RayOption {
    /// Returns the reason why Ray refuses a value, as it receives it; `None` where Ray takes the
    /// value or may take it.
    pub fn refuses(&self, value: &str) -> Option<OptionProblem> {
        let wrong = |what: &str| Some(OptionProblem::Type(what.to_owned()));
        match &self.kind {
            OptionKind::Flag => wrong("takes no value"),
            OptionKind::Integer if !is_integer(value) => wrong("takes a whole number"),
            OptionKind::Float if !is_float(value) => wrong("takes a number"),
            OptionKind::Bool if !is_bool(value) => wrong("takes true or false"),
            OptionKind::Choice(words) => {
                let known = words.iter().any(|word| word.eq_ignore_ascii_case(value));
                (!known).then(|| OptionProblem::Type(format!("takes {}", listed(words))))
            }
            OptionKind::Object => object(value).err().map(OptionProblem::Json),
            OptionKind::Json => read(value).err().map(OptionProblem::Json),
            OptionKind::LabelsJson if !value.is_empty() => {
                labels_json(value).err().map(OptionProblem::Json)
            }
            OptionKind::Labels => labels(value).err().map(OptionProblem::Type),
            OptionKind::LabelsOrJson => {
                let problem = labels(value).err()?;
                labels_json(value)
                    .err()
                    .map(|_| OptionProblem::Type(problem))
            }
            _ => None,
        }
    }
}

fn listed(words: &[String]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => words.join(""),
    }
}

/// Digits as Python's `int` and `float` take them: with `_` between two of them.
fn digits(text: &str) -> bool {
    let mut parts = text.split('_');
    parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unsigned(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_integer(text: &str) -> bool {
    // Python takes digits of every script, too.
    !text.is_ascii() || digits(unsigned(text))
}

fn is_float(text: &str) -> bool {
    let plain = unsigned(text);
    let special = ["inf", "infinity", "nan"];
    !text.is_ascii()
        || special.iter().any(|word| plain.eq_ignore_ascii_case(word))
        || plain.replace('_', "").parse::<f64>().is_ok()
}

fn is_bool(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "1", "0", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off",
    ];
    // Some releases of click take an empty text for false.
    let plain = text.trim();
    plain.is_empty() || WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word))
}

/// Reads a JSON text as Python's `json.loads` does; `Ok(None)` where Python may read more than
/// `serde_json`.
fn read(text: &str) -> Result<Option<Value>, String> {
    const PYTHON_ONLY: [&str; 3] = ["NaN", "Infinity", "\\u"];
    match serde_json::from_str(text) {
        Ok(value) => Ok(Some(value)),
        Err(_) if PYTHON_ONLY.iter().any(|only| text.contains(only)) => Ok(None),
        Err(error) if error.to_string().contains("recursion") => Ok(None),
        Err(error) if error.to_string().contains("out of range") => Ok(None),
        Err(error) => Err(format!("is no JSON ({error})")),
    }
}

fn object(text: &str) -> Result<(), String> {
    match read(text)? {
        Some(Value::Object(_)) | None => Ok(()),
        Some(_) => Err("is no JSON object".into()),
    }
}

fn labels_json(text: &str) -> Result<(), String> {
    match read(text)? {
        None => Ok(()),
        Some(Value::Object(labels)) => match labels.iter().find(|(_, value)| !value.is_string()) {
            Some((name, _)) => Err(format!("gives the label {name} no text")),
            None => Ok(()),
        },
        Some(_) => Err("is no JSON object".into()),
    }
}

/// Labels as `parse_node_labels_string` of `ray/_private/label_utils.py` reads them.
fn labels(text: &str) -> Result<(), String> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let text = quoted.unwrap_or(text);
    if text.is_empty() {
        return Ok(());
    }
    for pair in text.split(',') {
        let Some((key, value)) = pair
            .split_once('=')
            .filter(|(_, value)| !value.contains('='))
        else {
            return Err(format!("takes key=value, not {pair:?}"));
        };
        let (key, value) = (key.trim(), value.trim());
        let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
        if !is_label(name) || !value.is_empty() && !is_label(value) {
            return Err(format!("takes labels as Kubernetes has them, not {pair:?}"));
        }
    }
    Ok(())
}

/// Letters and digits, with `-`, `_` and `.` between them, at most 63.
fn is_label(text: &str) -> bool {
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let bytes = text.as_bytes();
    let inner = |c: &u8| c.is_ascii_alphanumeric() || b"-_.".contains(c);
    (1..=63).contains(&bytes.len())
        && ends(bytes.first().copied())
        && ends(bytes.last().copied())
        && bytes.iter().all(inner)
}
