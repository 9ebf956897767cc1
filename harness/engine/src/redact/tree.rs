//! Secrets in the tree of an object, found by their keys before anything is serialised.

use serde_json::{Map, Value};

use super::forms::{is_flag, is_no_secret, user_and_password};
use super::names::is_secret;

/// What a tree consists of.
pub(super) enum Leaf<'a> {
    /// A value of a Secret, under its key, in base64 or as it is.
    Data {
        key: &'a str,
        encoded: bool,
        value: &'a mut Value,
    },
    /// A value whose name says that it is a secret.
    Secret(&'a mut Value),
    /// Any other number or text.
    Other(&'a mut Value),
}

/// Visits every leaf of a tree.
pub(super) fn walk(value: &mut Value, visit: &mut impl FnMut(Leaf<'_>)) {
    match value {
        Value::Object(fields) => {
            match fields.get("kind").and_then(Value::as_str) {
                Some("Secret") => walk_data(fields, visit),
                // Its items have no kind of their own.
                Some("SecretList") => {
                    let items = fields.get_mut("items").and_then(Value::as_array_mut);
                    let items = items.into_iter().flatten().filter_map(Value::as_object_mut);
                    items.for_each(|item| _ = item.insert("kind".into(), "Secret".into()));
                }
                _ => {}
            }
            // An environment variable, a header.
            let name = fields.get("name").and_then(Value::as_str);
            let is_named = name.is_some_and(is_secret);
            let is_a_secret = fields.get("kind").is_some_and(|kind| kind == "Secret");
            for (key, child) in fields.iter_mut() {
                if is_a_secret && DATA.iter().any(|(part, _)| key == *part) {
                    continue;
                }
                if is_secret(key) || (is_named && key == "value") {
                    walk_secret(child, visit);
                } else {
                    walk(child, visit);
                }
            }
        }
        Value::Array(items) => walk_list(items, visit),
        Value::String(_) | Value::Number(_) => visit(Leaf::Other(value)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The parts of a Secret with values, and whether they are in base64.
const DATA: [(&str, bool); 2] = [("data", true), ("stringData", false)];

fn walk_data(secret: &mut Map<String, Value>, visit: &mut impl FnMut(Leaf<'_>)) {
    for (part, encoded) in DATA {
        match secret.get_mut(part) {
            Some(Value::Object(values)) => {
                for (key, value) in values.iter_mut().filter(|(_, value)| !value.is_null()) {
                    visit(Leaf::Data {
                        key,
                        encoded,
                        value,
                    });
                }
            }
            None | Some(Value::Null) => {}
            // The API server refuses it, and may quote it.
            Some(value) => visit(Leaf::Data {
                key: "",
                encoded,
                value,
            }),
        }
    }
}

/// What stands under the name of a secret. A mapping there has names of its own (`secret:
/// {secretName: …}`), or holds the secret as its `value` (`redisPassword: {value: …}`).
fn walk_secret(value: &mut Value, visit: &mut impl FnMut(Leaf<'_>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk_secret(item, visit)),
        Value::Object(fields) => {
            if let Some(value) = fields.get_mut("value") {
                walk_secret(value, visit);
            }
            walk(value, visit);
        }
        Value::String(text) if is_no_secret(text) => visit(Leaf::Other(value)),
        Value::String(_) | Value::Number(_) => visit(Leaf::Secret(value)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A list, in which an argument may be the value of the flag before it.
fn walk_list(items: &mut [Value], visit: &mut impl FnMut(Leaf<'_>)) {
    let mut before = String::new();
    for item in items {
        let text = item.as_str().unwrap_or_default();
        let is_value = !text.starts_with('-') && !is_no_secret(text);
        let is_flags = is_flag(&before) && is_value;
        let is_users = user_and_password(&before, text);
        text.clone_into(&mut before);
        if is_flags || is_users {
            visit(Leaf::Secret(item));
        } else {
            walk(item, visit);
        }
    }
}
