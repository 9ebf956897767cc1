//! Keys, types and forms of values: a tree is compared with the JSON schema, and everything that
//! differs is found at once, where serde would stop at the first. Only what the schema of a
//! scenario file uses is understood.

use kuberay_manifest::yaml::{Node, Yaml};
use kuberay_manifest::{Diagnostic, Source, Span};
use regex::Regex;
use serde_json::Value;

/// Finds everything in which a tree differs from a schema.
pub fn check(schema: &Value, source: &Source, tree: &Node) -> Vec<Diagnostic> {
    let mut walk = Walk {
        definitions: &schema["definitions"],
        source,
        problems: Vec::new(),
    };
    walk.node(schema, tree, "the scenario file");
    walk.problems
}

/// No word that may be a misspelt one is longer, in bytes.
const LONGEST: usize = 200;

/// The word among those known that was probably meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Nobody misspells so much, and to compare it would take for ever.
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let best = known
        .iter()
        .copied()
        .min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= word.chars().count() / 3 + 1).then_some(best)
}

struct Walk<'a> {
    definitions: &'a Value,
    source: &'a Source,
    problems: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn error(&mut self, place: &Span, message: String, help: Option<String>) {
        let problem = self.source.error(place, message);
        self.problems.push(match help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }

    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let Some(reference) = schema["$ref"].as_str() else {
            return schema;
        };
        let name = reference.rsplit('/').next().unwrap_or_default();
        &self.definitions[name]
    }

    fn node(&mut self, schema: &Value, node: &Node, name: &str) {
        let schema = self.resolve(schema).clone();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.node(part, node, name);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            self.any_of(choices, node, name);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            if choices.iter().all(|choice| choice["const"].is_string()) {
                let words: Vec<&str> = choices
                    .iter()
                    .filter_map(|choice| choice["const"].as_str())
                    .collect();
                self.word(&words, node, name);
            } else {
                self.one_key_of(choices, node, name);
            }
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            self.word(&words, node, name);
            return;
        }
        if !schema["type"].is_null() && !types(&schema["type"]).iter().any(|kind| is(kind, node)) {
            self.wrong_type(&types(&schema["type"]), node, name);
            return;
        }
        match &node.value {
            Yaml::Text(text) => self.text(&schema, text, node, name),
            Yaml::Number(number) => {
                if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), number.as_f64())
                    && number < least
                {
                    self.error(
                        &node.place,
                        format!("{name} must be at least {least}, found {number}"),
                        None,
                    );
                }
            }
            Yaml::List(items) => self.list(&schema, items, node, name),
            Yaml::Map(_) => self.map(&schema, node, name),
            Yaml::Null | Yaml::Bool(_) => {}
        }
    }

    fn any_of(&mut self, choices: &[Value], node: &Node, name: &str) {
        let mut expected = Vec::new();
        for choice in choices {
            let kinds = self.kinds(choice);
            if kinds.iter().any(|kind| is(kind, node)) {
                self.node(choice, node, name);
                return;
            }
            expected.extend(kinds);
        }
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        self.wrong_type(&expected, node, name);
    }

    fn kinds(&self, schema: &Value) -> Vec<String> {
        let schema = self.resolve(schema);
        let schema = schema["allOf"]
            .get(0)
            .map_or(schema, |inner| self.resolve(inner));
        let words = schema["oneOf"].as_array().into_iter().flatten();
        let kinds = words
            .chain([schema])
            .flat_map(|schema| types(&schema["type"]));
        kinds.map(String::from).collect()
    }

    fn wrong_type(&mut self, expected: &[&str], node: &Node, name: &str) {
        let nouns: Vec<&str> = expected
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| noun(kind))
            .collect();
        let found = node.describe();
        let quote =
            nouns.contains(&"a text") && matches!(node.value, Yaml::Bool(_) | Yaml::Number(_));
        let help = quote.then(|| "put it between quotation marks".to_string());
        self.error(
            &node.place,
            format!("{name} must be {}, found {found}", nouns.join(" or ")),
            help,
        );
    }

    fn word(&mut self, known: &[&str], node: &Node, name: &str) {
        match node.text() {
            Some(text) if known.contains(&text) => {}
            Some(text) => {
                let message = format!("{name} can't be `{text}`");
                self.error(
                    &node.place,
                    message,
                    Some(suggestion(text, known, "it is one of")),
                );
            }
            None => {
                let message = format!("{name} must be a text, found {}", node.describe());
                self.error(
                    &node.place,
                    message,
                    Some(format!("it is one of {}", list_of(known))),
                );
            }
        }
    }

    /// Exactly one of several keys, each of which stands for one choice.
    fn one_key_of(&mut self, choices: &[Value], node: &Node, name: &str) {
        let known: Vec<&str> = choices
            .iter()
            .filter_map(|choice| choice["required"][0].as_str())
            .collect();
        let Yaml::Map(entries) = &node.value else {
            self.wrong_type(&["object"], node, name);
            return;
        };
        let is_union = choices
            .iter()
            .any(|choice| choice["properties"].is_object());
        let mut chosen = 0;
        for (key, value) in entries {
            if let Some(index) = known.iter().position(|word| *word == key.name) {
                chosen += 1;
                let inner = &choices[index]["properties"][&key.name];
                if inner.is_object() {
                    self.node(inner, value, &format!("`{}`", key.name));
                } else if value.value == Yaml::Null {
                    self.error(&value.place, format!("`{}` has no value", key.name), None);
                }
            } else if is_union {
                self.unknown_key(&key.name, &key.place, &known, name);
                chosen += 1;
            }
        }
        if chosen != 1 {
            let found = if chosen == 0 {
                "none of them"
            } else {
                "more than one"
            };
            let message = format!(
                "{name} has exactly one of the keys {}, found {found}",
                list_of(&known)
            );
            self.error(&node.place, message, None);
        }
    }

    fn text(&mut self, schema: &Value, text: &str, node: &Node, name: &str) {
        if let Some(only) = schema["const"].as_str()
            && text != only
        {
            self.error(
                &node.place,
                format!("{name} must be `{only}`, found `{text}`"),
                None,
            );
        }
        if schema["minLength"].as_u64().is_some_and(|least| least > 0) && text.trim().is_empty() {
            self.error(&node.place, format!("{name} is empty"), None);
        }
        let pattern = schema["pattern"]
            .as_str()
            .and_then(|pattern| Regex::new(pattern).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
            let help = schema["patternErrorMessage"].as_str().map(String::from);
            self.error(&node.place, format!("{name} can't be `{text}`"), help);
        }
    }

    fn list(&mut self, schema: &Value, items: &[Node], node: &Node, name: &str) {
        if schema["minItems"].as_u64().is_some_and(|least| least > 0) && items.is_empty() {
            self.error(&node.place, format!("{name} is empty"), None);
        }
        for (index, item) in items.iter().enumerate() {
            let before = items[..index].iter().any(|other| other.value == item.value);
            if schema["uniqueItems"] == true && before {
                let text = item.text().unwrap_or_default();
                self.error(
                    &item.place,
                    format!("`{text}` appears twice in {name}"),
                    None,
                );
            }
            self.node(
                &schema["items"],
                item,
                &format!("entry {} of {name}", index + 1),
            );
        }
    }

    fn map(&mut self, schema: &Value, node: &Node, name: &str) {
        let Yaml::Map(entries) = &node.value else {
            return;
        };
        let Some(properties) = schema["properties"].as_object() else {
            if schema["minProperties"]
                .as_u64()
                .is_some_and(|least| least > 0)
                && entries.is_empty()
            {
                self.error(&node.place, format!("{name} is empty"), None);
            }
            for (key, value) in entries {
                self.node(
                    &schema["additionalProperties"],
                    value,
                    &format!("`{}`", key.name),
                );
            }
            return;
        };
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        for (key, value) in entries {
            match properties.get(&key.name) {
                Some(property) => self.node(property, value, &format!("`{}`", key.name)),
                None => self.unknown_key(&key.name, &key.place, &known, name),
            }
        }
        let unknown = entries
            .iter()
            .filter(|(key, _)| !properties.contains_key(&key.name));
        let misspelt: Vec<&str> = unknown
            .filter_map(|(key, _)| nearest(&key.name, &known))
            .collect();
        for key in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if node.get(key).is_none() && !misspelt.contains(&key) {
                let help = properties[key]["description"]
                    .as_str()
                    .map(|text| format!("{key}: {text}"));
                self.error(&node.place, format!("{name} lacks the key `{key}`"), help);
            }
        }
    }

    fn unknown_key(&mut self, key: &str, place: &Span, known: &[&str], name: &str) {
        let help = suggestion(key, known, "known keys are");
        self.error(place, format!("unknown key `{key}` in {name}"), Some(help));
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is(kind: &str, node: &Node) -> bool {
    match (&node.value, kind) {
        (Yaml::Number(number), "integer") => number.is_i64() || number.is_u64(),
        (Yaml::Null, "null")
        | (Yaml::Bool(_), "boolean")
        | (Yaml::Number(_), "number")
        | (Yaml::Text(_), "string")
        | (Yaml::List(_), "array")
        | (Yaml::Map(_), "object") => true,
        _ => false,
    }
}

fn noun(kind: &str) -> &'static str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        _ => "a mapping",
    }
}

fn suggestion(word: &str, known: &[&str], introduction: &str) -> String {
    let all = format!("{introduction} {}", list_of(known));
    nearest(word, known).map_or(all.clone(), |nearest| {
        format!("did you mean `{nearest}`? {all}")
    })
}

fn list_of(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
