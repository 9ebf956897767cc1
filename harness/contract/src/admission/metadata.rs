//! Kind, API version and metadata of an object, and the syntax of names and labels.

use semver::Version;
use serde_json::Value;

use super::table;
use super::view::View;
use super::{Clients, Reach, Refusal, Stage, api};
use crate::Quantity;

/// Fields of `ObjectMeta`.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Support of an object's kind and API version by a release of KubeRay.
///
/// ```
/// use kuberay_contract::{Served, served};
///
/// let job = serde_json::json!({"apiVersion": "ray.io/v1", "kind": "RayCronJob"});
/// assert_eq!(served(&"1.6.2".parse()?, &job), Served::Yes);
/// assert_ne!(served(&"1.5.2".parse()?, &job), Served::Yes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A release serves its kind in its API version.
    Yes,
    /// It is in KubeRay's group, but the release does not serve its kind or API version.
    NotByRelease,
    /// Its group is not KubeRay's; `cluster.ray.io` was that of an older operator.
    Foreign,
}

/// Returns whether a release serves the kind and API version of an object: `ray.io/v1`, and for
/// some kinds `ray.io/v1alpha1`.
///
/// An object without an `apiVersion` is taken for KubeRay's and is not served.
///
/// ```
/// use kuberay_contract::{Served, served};
///
/// let cron = serde_json::json!({"apiVersion": "ray.io/v1", "kind": "RayCronJob"});
/// assert_eq!(served(&"1.6.2".parse()?, &cron), Served::Yes);
/// assert_eq!(served(&"1.5.2".parse()?, &cron), Served::NotByRelease);
/// # Ok::<(), semver::Error>(())
/// ```
pub fn served(release: &Version, object: &Value) -> Served {
    let api_version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !api_version.is_empty() && api_version.split('/').next() != Some("ray.io") {
        return Served::Foreign;
    }
    if table::root(release, object).is_some() {
        Served::Yes
    } else {
        Served::NotByRelease
    }
}

/// Returns the refusals of kind, API version and metadata.
pub(super) fn refusals(release: &Version, object: &Value) -> Vec<Refusal> {
    let root = View::root(object);
    let (kind, version) = (root.get("kind").text(), root.get("apiVersion"));
    let mut found = Vec::new();
    if served(release, object) != Served::Yes {
        let message = if version.text().is_empty() {
            "error validating data: apiVersion not set".to_owned()
        } else {
            format!(
                "no matches for kind \"{kind}\" in version \"{}\"",
                version.text()
            )
        };
        found.push(Refusal {
            stage: Stage::Client,
            ..api("apiVersion", message)
        });
    }
    let metadata = root.get("metadata");
    let (name, start) = (metadata.get("name"), metadata.get("generateName"));
    for (field, value) in metadata.entries() {
        if !METADATA.contains(&field) {
            found.push(Refusal {
                stage: Stage::Client,
                clients: Clients::StrictOrServerSideApply,
                reach: Reach::Object,
                message: format!("strict decoding error: unknown field \"{}\"", value.path),
                path: value.path,
                check: None,
            });
        }
    }
    for text in ["name", "generateName", "namespace"] {
        found.extend(not_text(&metadata.get(text), text));
    }
    if !name.exists() && !start.exists() || name.value == "" && start.text().is_empty() {
        let message = "Required value: name or generateName is required";
        found.push(api("metadata.name", message));
    } else if !name.text().is_empty()
        && let Some(problem) = subdomain(name.text())
    {
        found.push(api(
            name.path,
            format!("Invalid value: {}: {problem}", name.value),
        ));
    }
    for map in ["labels", "annotations"] {
        let whole = metadata.get(map);
        let kind = match whole.value {
            Value::Null | Value::Object(_) => None,
            Value::Bool(_) => Some("bool"),
            Value::Number(_) => Some("number"),
            Value::String(_) => Some("string"),
            Value::Array(_) => Some("array"),
        };
        if let Some(kind) = kind {
            let message = format!(
                "json: cannot unmarshal {kind} into Go struct field ObjectMeta.{map} of type map[string]string"
            );
            found.push(api(whole.path, message));
        }
        for (key, value) in metadata.get(map).entries() {
            let problem = not_text(&value, map).or_else(|| {
                let problem = match (map, qualified_name(key)) {
                    (_, Some(problem)) => format!("Invalid value: {key:?}: {problem}"),
                    ("labels", None) => {
                        format!(
                            "Invalid value: {}: {}",
                            value.value,
                            label_value(value.text())?
                        )
                    }
                    _ => return None,
                };
                Some(api(format!("metadata.{map}"), problem))
            });
            found.extend(problem);
        }
    }
    found
}

fn not_text(value: &View, field: &str) -> Option<Refusal> {
    let kind = match value.value {
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null | Value::String(_) => return None,
    };
    let message = format!(
        "json: cannot unmarshal {kind} into Go struct field ObjectMeta.{field} of type string"
    );
    Some(api(value.path.clone(), message))
}

/// Returns whether a text matches one of the patterns of the definitions; `None` where the pattern
/// is not known.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    match pattern {
        QUANTITY => Some(quantity(text)),
        LABEL_KEY => Some(label_key(text)),
        REASON => Some(reason(text)),
        _ => None,
    }
}

const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";
const LABEL_KEY: &str = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
const REASON: &str = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

fn quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // The exponent may have a fraction in the pattern, which no quantity has.
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) if !exponent.is_empty() => (number, Some(exponent)),
        _ => (unsigned, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return decimal(number) && decimal(exponent);
    }
    !unsigned.starts_with('+') && Quantity::parse(unsigned).is_some() || {
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        decimal(number)
            && (suffix.is_empty()
                || suffix.len() == 1 && "numkMGTPE".contains(suffix)
                || ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].contains(&suffix))
    }
}

fn decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

fn label_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    prefix.is_none_or(|prefix| prefix.split('.').all(|part| is_label(part, false))) && is_name(name)
}

fn reason(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(word)
        && text.chars().all(|c| word(c) || c == ',' || c == ':')
}

/// Lower-case letters, digits and `-`, with no `-` at either end, and for DNS-1035 a letter first.
fn is_label(text: &str, letter_first: bool) -> bool {
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last))
        if edge(*last) && if letter_first { first.is_ascii_lowercase() } else { edge(*first) })
        && bytes.iter().all(|byte| edge(*byte) || *byte == b'-')
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at either end.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last))
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Returns the problem of a DNS subdomain, in the words of `IsDNS1123Subdomain`.
pub(super) fn subdomain(text: &str) -> Option<String> {
    if text.len() > 253 {
        return Some("must be no more than 253 bytes".into());
    }
    (!text.split('.').all(|part| is_label(part, false))).then(|| {
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
         start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            .into()
    })
}

/// Returns the problem of a DNS label, in the words of `IsDNS1123Label`.
pub(super) fn label(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 bytes".into());
    }
    (!is_label(text, false)).then(|| {
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
         end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            .into()
    })
}

/// Returns the problem of a DNS-1035 label, in the words of `IsDNS1035Label`.
pub(super) fn label_1035(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 bytes".into());
    }
    (!is_label(text, true)).then(|| {
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
         character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
         validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            .into()
    })
}

/// Returns the problem of a label's value, in the words of `IsValidLabelValue`.
pub(super) fn label_value(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 bytes".into());
    }
    (!text.is_empty() && !is_name(text)).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
         start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
         validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            .into()
    })
}

/// Returns the problem of a label's or annotation's key, in the words of `IsQualifiedName`.
pub(super) fn qualified_name(text: &str) -> Option<String> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    match prefix {
        Some("") => return Some("prefix part must be non-empty".into()),
        Some(prefix) => {
            if let Some(problem) = subdomain(prefix) {
                return Some(format!("prefix part {problem}"));
            }
        }
        None => {}
    }
    if name.is_empty() {
        return Some("name part must be non-empty".into());
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".into());
    }
    (!is_name(name)).then(|| {
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
         alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
         '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            .into()
    })
}
