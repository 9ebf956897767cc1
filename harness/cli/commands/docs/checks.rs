//! docs/reference/checks.md: every kind of check with its keys, from the schema of scenario files.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;

use crate::report::cell;

/// The page.
pub(super) fn page(schema: &Value) -> String {
    let mut page = String::from(
        "# Checks\n\n<!-- Written by `kuberay-conformance docs checks`. -->\n\n\
         The keys of each check of a scenario file, from [its schema](schemas.md).\n\
         [Scenario files](../topics/scenarios.md#checks) describes verdicts and layers.\n",
    );
    let mut types = Types {
        definitions: &schema["definitions"],
        seen: BTreeSet::new(),
        left: VecDeque::new(),
    };
    for kind in items(&schema["definitions"]["Check"]["oneOf"]) {
        let Some((key, check)) = entries(&kind["properties"]).next() else {
            continue;
        };
        let definition = types.definition(check);
        _ = write!(page, "\n## `{key}`\n\n{}\n", text(&kind["description"]));
        keys(&mut page, definition, &mut types);
    }
    page.push_str("\n## Types\n");
    while let Some(name) = types.left.pop_front() {
        let definition = &schema["definitions"][&name];
        _ = write!(
            page,
            "\n### {name}\n\n{}\n",
            text(&definition["description"])
        );
        if definition["properties"].is_object() {
            keys(&mut page, definition, &mut types);
        } else {
            values(&mut page, definition);
        }
    }
    page
}

/// The types that checks use, each described once.
struct Types<'a> {
    definitions: &'a Value,
    seen: BTreeSet<String>,
    left: VecDeque<String>,
}

impl<'a> Types<'a> {
    fn definition(&self, of: &Value) -> &'a Value {
        let name = reference(of).unwrap_or_default();
        &self.definitions[name]
    }

    /// What a key takes, in words.
    fn words(&mut self, of: &Value) -> String {
        if let Some(name) = reference(of) {
            if self.seen.insert(name.into()) {
                self.left.push_back(name.into());
            }
            return format!("[{name}](#{})", name.to_lowercase());
        }
        for all in ["allOf", "anyOf"] {
            let some: Vec<&Value> = items(&of[all])
                .filter(|one| one["type"] != "null")
                .collect();
            if let [one] = some.as_slice() {
                return self.words(one);
            }
        }
        let fixed: Vec<String> = items(&of["enum"])
            .map(|value| format!("`{}`", text(value)))
            .collect();
        if !fixed.is_empty() {
            return fixed.join(", ");
        }
        let of_type = |name: &str| of["type"] == name || items(&of["type"]).any(|one| one == name);
        if of_type("array") {
            return format!("list of {}", self.words(&of["items"]));
        }
        if of_type("object") {
            return format!("map to {}", self.words(&of["additionalProperties"]));
        }
        let known = [
            ("string", "text"),
            ("integer", "whole number"),
            ("number", "number"),
            ("boolean", "`true` or `false`"),
        ];
        let known = known.into_iter().find(|(name, _)| of_type(name));
        known.map_or_else(String::new, |(_, words)| words.into())
    }
}

/// The table of the keys of a type.
fn keys(page: &mut String, definition: &Value, types: &mut Types<'_>) {
    page.push_str("\n| key | takes | meaning |\n|---|---|---|\n");
    for (key, value) in entries(&definition["properties"]) {
        let required = items(&definition["required"]).any(|one| one == key);
        let required = if required { ", required" } else { "" };
        _ = writeln!(
            page,
            "| `{key}` | {}{required} | {} |",
            types.words(value),
            cell(text(&value["description"]))
        );
    }
}

/// The values of a type that is no map.
fn values(page: &mut String, definition: &Value) {
    let all = items(&definition["oneOf"]).chain(items(&definition["anyOf"]));
    let rows: Vec<String> = all
        .map(|one| {
            let value = match (&one["const"], &one["type"]) {
                (Value::String(value), _) => format!("`{value}`"),
                (_, kind) => text(kind).replace("string", "text"),
            };
            format!("| {value} | {} |\n", cell(text(&one["description"])))
        })
        .collect();
    if !rows.is_empty() {
        page.push_str("\n| value | meaning |\n|---|---|\n");
        page.extend(rows);
    }
}

fn reference(of: &Value) -> Option<&str> {
    of["$ref"].as_str()?.strip_prefix("#/definitions/")
}

fn items(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

fn entries(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_default()
}
