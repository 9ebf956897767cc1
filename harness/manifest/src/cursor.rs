//! A value of a manifest together with its path and its location in the file.

use super::yaml::{MappingKey, Node, Yaml};

/// A value with its path in the document.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Cursor, Source, yaml};
///
/// let source = Source::new(Path::new("pod.yaml"), "kind: Pod\nmetadata:\n  name: main\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let name = Cursor::root(&documents[0]).find(&["metadata", "name"]).unwrap();
/// assert_eq!(name.text(), "main");
/// assert_eq!(name.path(), "metadata.name");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// The value.
    pub node: &'a Node,
    path: String,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at a whole document.
    pub fn root(node: &'a Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    /// Returns a cursor at a value, with the path that leads to it.
    pub fn at(node: &'a Node, path: impl Into<String>) -> Self {
        Self {
            node,
            path: path.into(),
        }
    }

    /// Returns the value under a key; `None` where it is absent.
    pub fn get(&self, key: &str) -> Option<Cursor<'a>> {
        self.node.get(key).map(|node| self.child(node, key))
    }

    /// Returns the value at the end of a path of keys; `None` where it is absent.
    pub fn find(&self, keys: &[&str]) -> Option<Cursor<'a>> {
        keys.iter()
            .try_fold(self.clone(), |cursor, key| cursor.get(key))
    }

    /// Returns the items of the list under a key; empty where it is absent or no list.
    pub fn items(&self, key: &str) -> Vec<Cursor<'a>> {
        let Some(list) = self.get(key) else {
            return Vec::new();
        };
        let items = list.node.items().iter().enumerate();
        items
            .map(|(index, node)| Cursor {
                node,
                path: format!("{}[{index}]", list.path),
            })
            .collect()
    }

    /// Returns the entries of the mapping under a key; empty where it is absent or no mapping.
    pub fn entries(&self, key: &str) -> Vec<(&'a str, Cursor<'a>)> {
        let Some(map) = self.get(key) else {
            return Vec::new();
        };
        let Yaml::Map(entries) = &map.node.value else {
            return Vec::new();
        };
        let entry =
            |(key, node): &'a (MappingKey, Node)| (key.name.as_str(), map.child(node, &key.name));
        entries.iter().map(entry).collect()
    }

    /// Returns the text; empty where the value is no text.
    pub fn text(&self) -> &'a str {
        self.node.text().unwrap_or_default()
    }

    /// Returns the path in the document, such as `spec.headGroupSpec.rayStartParams.block`.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn child(&self, node: &'a Node, key: &str) -> Cursor<'a> {
        Cursor {
            node,
            path: join(&self.path, key),
        }
    }
}

/// Returns the path of the value under a key, such as `spec.headGroupSpec` or
/// `metadata.labels["a/b"]`.
///
/// ```
/// use kuberay_manifest::join;
///
/// assert_eq!(join("spec", "headGroupSpec"), "spec.headGroupSpec");
/// assert_eq!(join("metadata.labels", "a/b"), r#"metadata.labels["a/b"]"#);
/// ```
pub fn join(path: &str, key: &str) -> String {
    let plain = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => [path, ".", key].concat(),
        (_, false) => format!("{path}[{key:?}]"),
    }
}
