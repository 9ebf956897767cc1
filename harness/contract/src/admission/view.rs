//! Reading an object that the API server has accepted, and paths into it.

use serde_json::Value;

/// The path of a field.
pub(super) fn child(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => [path, ".", name].concat(),
        (_, false) => format!("{path}[{name:?}]"),
    }
}

/// The path of a value. Only refusals need it as text, and most values have none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Element(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub fn text(&self) -> String {
        match self {
            Path::Root => String::new(),
            Path::Field(parent, name) => child(&parent.text(), name),
            Path::Element(parent, index) => item(&parent.text(), *index),
        }
    }
}

/// A path as the API server writes it: names that need quotes have none there.
pub(super) fn unquoted(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, quoted)) = rest.split_once("[\"") {
        let Some((name, after)) = quoted.split_once("\"]") else {
            break;
        };
        text.push_str(before);
        text.push('.');
        text.push_str(name);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The path of an element.
pub(super) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// A value that may be absent, with its path.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    /// The value; `null` where it is absent.
    pub value: &'a Value,
    /// Its path.
    pub path: String,
}

impl<'a> View<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// The value under a name.
    pub fn get(&self, name: &str) -> View<'a> {
        static NULL: Value = Value::Null;
        View {
            value: self.value.get(name).unwrap_or(&NULL),
            path: child(&self.path, name),
        }
    }

    /// The value at the end of a path of names.
    pub fn find(&self, names: &[&str]) -> View<'a> {
        names.iter().fold(self.clone(), |view, name| view.get(name))
    }

    pub fn exists(&self) -> bool {
        !self.value.is_null()
    }

    /// The text; empty where it is none.
    pub fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    pub fn is_true(&self) -> bool {
        self.value.as_bool() == Some(true)
    }

    pub fn number(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// The elements of a list.
    pub fn items(&self) -> Vec<View<'a>> {
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        let items = items.iter().enumerate();
        items
            .map(|(index, value)| View {
                value,
                path: item(&self.path, index),
            })
            .collect()
    }

    /// The entries of a map.
    pub fn entries(&self) -> Vec<(&'a str, View<'a>)> {
        let Some(entries) = self.value.as_object() else {
            return Vec::new();
        };
        let entry = |(name, value): (&'a String, &'a Value)| {
            (
                name.as_str(),
                View {
                    value,
                    path: child(&self.path, name),
                },
            )
        };
        entries.iter().map(entry).collect()
    }

    /// Returns the number of its elements or entries.
    pub fn len(&self) -> usize {
        match self.value {
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        }
    }

    /// The element of a list of variables, ports or volumes with a name.
    pub fn named(&self, name: &str) -> Option<View<'a>> {
        self.items()
            .into_iter()
            .find(|item| item.get("name").text() == name)
    }
}
