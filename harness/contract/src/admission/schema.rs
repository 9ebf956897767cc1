//! Treats a custom resource as the API server does: drops unknown fields and nulls, fills in
//! defaults, validates.
//!
//! The order and the messages are those of k8s.io/apiextensions-apiserver
//! (`customresource_handler.go`, `schema/defaulting`, `validation`), as kube-apiserver 1.34 gives
//! them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::{Node, node};
use super::view::{Path, unquoted};
use super::{Clients, Reach, Refusal, Stage, api, cel};

/// Fields of the root that its node does not describe.
const ROOT: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// Turns an object into what is stored, and says what is wrong with it.
pub(super) fn admit(root: &Node, object: &mut Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    let Some(fields) = object.as_object_mut() else {
        return vec![api("", "an object must be a mapping")];
    };
    // What the root's node does not describe stays out of the way.
    let mut aside = Vec::new();
    for name in ROOT {
        if let Some(value) = fields.shift_remove(name) {
            aside.push((name, value));
        }
    }
    prune(root, &Path::Root, object, &mut found);
    default(root, object);
    let mut problems = Vec::new();
    validate(root, &Path::Root, object, &mut problems);
    if problems.is_empty() {
        cel::rules(root, &Path::Root, object, &mut problems);
    }
    found.append(&mut problems);
    if let Some(fields) = object.as_object_mut() {
        for (index, (name, value)) in aside.into_iter().enumerate() {
            fields.shift_insert(index, name.into(), value);
        }
    }
    found
}

/// Drops unknown fields, and nulls that are neither allowed nor have a default.
fn prune(node: &Node, path: &Path, value: &mut Value, found: &mut Vec<Refusal>) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let path = Path::Field(path, name);
            let Some(schema) = node.field(name) else {
                if !node.is_open() {
                    found.push(unknown(path.text()));
                }
                return node.is_open();
            };
            if value.is_null() && !schema.nullable && schema.default.is_none() {
                found.push(null(schema, path.text()));
                return false;
            }
            prune(schema, &path, value, found);
            true
        }),
        Value::Array(items) => {
            if let Some(schema) = node.element() {
                for (index, value) in items.iter_mut().enumerate() {
                    prune(schema, &Path::Element(path, index), value, found);
                }
            }
        }
        _ => {}
    }
}

fn unknown(path: String) -> Refusal {
    Refusal {
        stage: Stage::Client,
        clients: Clients::StrictOrServerSideApply,
        reach: Reach::Object,
        message: format!(
            "strict decoding error: unknown field \"{}\"",
            unquoted(&path)
        ),
        path,
        check: None,
    }
}

fn null(schema: &Node, path: String) -> Refusal {
    let kind = schema.type_names();
    let shown = unquoted(&path);
    let message =
        format!("Invalid value: \"null\": {shown} in body must be of type {kind}: \"null\"");
    Refusal {
        clients: Clients::ServerSideApply,
        ..api(path, message)
    }
}

fn default(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, schema) in node.children() {
                let Some(default) = &schema.default else {
                    continue;
                };
                let absent = fields
                    .get(name)
                    .is_none_or(|value| value.is_null() && !schema.nullable);
                if absent {
                    fields.insert(name.into(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(schema) = node.field(name) {
                    default(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.element() {
                for value in items {
                    default(schema, value);
                }
            }
        }
        _ => {}
    }
}

/// Everything that is wrong with a value, in the words of the API server.
fn validate(node: &Node, path: &Path, value: &Value, found: &mut Vec<Refusal>) {
    let kind = kind_of(value);
    let shown = || unquoted(&path.text());
    if value.is_null() && node.nullable {
        return;
    }
    if !node.accepts(kind) {
        let wanted = node.type_names();
        let message = format!(
            "Invalid value: \"{kind}\": {} in body must be of type {wanted}: \"{kind}\"",
            shown()
        );
        found.push(api(path.text(), message));
        return;
    }
    if !node.allowed.is_empty() && !node.allowed.contains(value) {
        let allowed: Vec<String> = node.allowed.iter().map(Value::to_string).collect();
        let message = format!(
            "Unsupported value: {value}: supported values: {}",
            allowed.join(", ")
        );
        found.push(api(path.text(), message));
    }
    match value {
        Value::Object(fields) => {
            for name in node
                .required
                .iter()
                .filter(|name| !fields.contains_key(*name))
            {
                found.push(api(Path::Field(path, name).text(), "Required value"));
            }
            for (name, value) in fields {
                if let Some(schema) = node.field(name) {
                    validate(schema, &Path::Field(path, name), value, found);
                }
            }
        }
        Value::Array(items) => {
            lengths(
                path,
                items.len(),
                "items",
                (node.min_items, node.max_items),
                found,
            );
            if let Some(schema) = node.element() {
                for (index, value) in items.iter().enumerate() {
                    validate(schema, &Path::Element(path, index), value, found);
                }
            }
            duplicates(node, path, items, found);
        }
        Value::String(text) => {
            let length = text.chars().count();
            lengths(
                path,
                length,
                "chars long",
                (node.min_length, node.max_length),
                found,
            );
            if let Some(pattern) = &node.pattern
                && super::metadata::matches(pattern, text) == Some(false)
            {
                let message = format!(
                    "Invalid value: {value}: {} in body should match '{pattern}'",
                    shown()
                );
                found.push(api(path.text(), message));
            }
        }
        Value::Number(number) => bounds(node, path, number.as_f64().unwrap_or_default(), found),
        _ => {}
    }
}

fn lengths(
    path: &Path,
    length: usize,
    unit: &str,
    (least, most): (Option<usize>, Option<usize>),
    found: &mut Vec<Refusal>,
) {
    if let Some(least) = least.filter(|least| length < *least) {
        let message = if unit == "items" {
            format!(
                "Invalid value: {length}: {} in body should have at least {least} items",
                path.text()
            )
        } else {
            format!(
                "Invalid value: \"\": {} in body should be at least {least} {unit}",
                path.text()
            )
        };
        found.push(api(path.text(), message));
    }
    if let Some(most) = most.filter(|most| length > *most) {
        let message = if unit == "items" {
            format!("Too many: {length}: must have at most {most} items")
        } else {
            format!("Too long: may not be more than {most} bytes")
        };
        found.push(api(path.text(), message));
    }
}

fn bounds(node: &Node, path: &Path, number: f64, found: &mut Vec<Refusal>) {
    if let Some(least) = node.minimum.filter(|least| number < *least) {
        let message = format!(
            "Invalid value: {number}: {} in body should be greater than or equal to {least}",
            path.text()
        );
        found.push(api(path.text(), message));
    }
    if let Some(most) = node.maximum.filter(|most| number > *most) {
        let message = format!(
            "Invalid value: {number}: {} in body should be less than or equal to {most}",
            path.text()
        );
        found.push(api(path.text(), message));
    }
}

/// Elements of a list that is a map or a set must differ.
fn duplicates(node: &Node, path: &Path, items: &[Value], found: &mut Vec<Refusal>) {
    if node.list.is_none() || items.len() < 2 {
        return;
    }
    let key = |value: &Value| -> String {
        if node.keys.is_empty() {
            return value.to_string();
        }
        let keys = node
            .keys
            .iter()
            .filter_map(|key| value.get(key).map(|value| (key, value)));
        serde_json::to_string(&keys.collect::<BTreeMap<_, _>>()).unwrap_or_default()
    };
    let keys: Vec<String> = items.iter().map(key).collect();
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            found.push(api(
                Path::Element(path, index).text(),
                format!("Duplicate value: {key}"),
            ));
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        // A float without a fraction counts as an integer.
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Node {
    pub(super) fn children(&self) -> impl Iterator<Item = (&str, &'static Node)> {
        self.properties
            .iter()
            .map(|(name, number)| (name.as_str(), node(*number)))
    }

    pub(super) fn field(&self, name: &str) -> Option<&'static Node> {
        self.properties.get(name).copied().or(self.values).map(node)
    }

    pub(super) fn element(&self) -> Option<&'static Node> {
        self.items.map(node)
    }

    /// Returns whether fields without a description are kept.
    fn is_open(&self) -> bool {
        self.open || self.kind.is_none()
    }

    fn accepts(&self, kind: &str) -> bool {
        match self.kind.as_deref() {
            None => true,
            Some("int-or-string") => matches!(kind, "integer" | "string"),
            Some("number") => matches!(kind, "integer" | "number"),
            Some(own) => own == kind,
        }
    }

    fn type_names(&self) -> &str {
        match self.kind.as_deref() {
            Some("int-or-string") => "integer,string",
            kind => kind.unwrap_or("object"),
        }
    }
}
