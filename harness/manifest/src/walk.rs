//! Finds objects wherever they lie in a file: as documents, in Lists and arrays, inside of other
//! objects, and in texts.

use super::cursor::join;
use super::diagnostic::{Location, Source, Span};
use super::yaml::{self, MappingKey, Node, Yaml};

/// An object of a file.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let text = "kind: AppWrapper\nspec:\n  \
///             template: {apiVersion: ray.io/v1, kind: RayJob, spec: {}}\n";
/// let source = Source::new(Path::new("wrapper.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let item = &items(&source, documents, &sought).items[0];
/// assert_eq!(item.path, "spec.template");
/// assert_eq!(item.node.get("kind").unwrap().text(), Some("RayJob"));
/// assert!(item.owner.is_some());
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The object.
    pub node: Node,
    /// Its path in the document, such as `items[2]`; empty for a document of its own.
    pub path: String,
    /// The object of another kind that holds it; `None` where it stands by itself.
    pub owner: Option<Owner>,
    /// `true` where another object holds it and may fill in parts of its text: `{{…}}` in a text
    /// that holds YAML, which [`HOLE`] replaces, and `${…}` or `{{…}}` in values.
    pub holes: bool,
}

/// Replacement for text that is filled in later, repeated up to its length.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{HOLE, Sought, Source, items, yaml};
///
/// let text = "kind: Workflow\nspec:\n  resource:\n    manifest: |\n      \
///             apiVersion: ray.io/v1\n      kind: {{kind}}\n";
/// let source = Source::new(Path::new("workflow.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let item = &items(&source, documents, &sought).items[0];
/// let kind = item.node.get("kind").unwrap().text();
/// assert_eq!(kind, Some(HOLE.repeat("{{kind}}".len()).as_str()));
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
pub const HOLE: &str = "x";

/// An object that holds others.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let text = "kind: AppWrapper\nmetadata: {name: wrapper}\nspec:\n  \
///             template: {apiVersion: ray.io/v1, kind: RayJob, spec: {}}\n";
/// let source = Source::new(Path::new("wrapper.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let found = items(&source, documents, &sought);
/// let owner = found.items[0].owner.as_ref().unwrap();
/// assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("AppWrapper", "wrapper"));
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its kind; empty where it has none.
    pub kind: String,
    /// Its name; empty where it has none.
    pub name: String,
}

/// A text that looks like a manifest and can't be read.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let text = "kind: Workflow\nspec:\n  resource:\n    manifest: |\n      \
///             apiVersion: ray.io/v1\n      kind: [\n";
/// let source = Source::new(Path::new("workflow.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let found = items(&source, documents, &sought);
/// assert_eq!(found.unread[0].path, "spec.resource.manifest");
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Path of the text in the document.
    pub path: String,
    /// Location of the text in the file.
    pub location: Location,
}

/// The objects to look for in a file.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let text = "kind: Fleet\nspec:\n  template:\n    spec: {headGroupSpec: {}}\n";
/// let source = Source::new(Path::new("fleet.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought {
///     group: "ray.io",
///     api_version: "ray.io/v1",
///     templates: &[("headGroupSpec", "RayCluster")],
/// };
/// let item = &items(&source, documents, &sought).items[0];
/// assert_eq!(item.node.get("kind").unwrap().text(), Some("RayCluster"));
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Their API group.
    pub group: &'a str,
    /// API version that templates without a kind get, such as `ray.io/v1`.
    pub api_version: &'a str,
    /// Fields of `spec` that identify templates without a kind, each with that kind.
    pub templates: &'a [(&'a str, &'a str)],
}

/// The result of [`items`].
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let source = Source::new(Path::new("job.yaml"), "apiVersion: ray.io/v1\nkind: RayJob\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let walk = items(&source, documents, &sought);
/// assert_eq!(walk.items.len(), 1);
/// assert!(walk.unread.is_empty());
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Walk {
    /// The objects in the order of the file.
    pub items: Vec<Item>,
    /// Texts that look like a manifest and can't be read.
    pub unread: Vec<Unread>,
}

/// Returns the objects of a file's documents.
///
/// The items of a List (`kind: List`, `kind: PodList`) and of an array are objects of their own. An
/// object of another API group is searched for objects of the group: mappings with `apiVersion`,
/// `kind` and `spec`, templates without a kind, and the text of `resource.manifest`, in which Argo
/// workflows hold YAML. One that holds any is left out itself.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Sought, Source, items, yaml};
///
/// let text = "kind: List\nitems:\n- {apiVersion: ray.io/v1, kind: RayCluster}\n\
///             - {apiVersion: v1, kind: Pod}\n";
/// let source = Source::new(Path::new("list.yaml"), text);
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let sought = Sought { group: "ray.io", api_version: "ray.io/v1", templates: &[] };
/// let found = items(&source, documents, &sought);
/// assert_eq!(found.items.len(), 2);
/// assert_eq!(found.items[1].path.as_str(), "items[1]");
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
pub fn items(source: &Source, documents: Vec<Node>, sought: &Sought) -> Walk {
    let mut walker = Walker {
        source,
        sought,
        prefix: format!("{}/", sought.group),
        found: Walk::default(),
    };
    for document in documents {
        walker.object(document, String::new(), None);
    }
    walker.found
}

struct Walker<'a> {
    source: &'a Source,
    sought: &'a Sought<'a>,
    prefix: String,
    found: Walk,
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

impl<'a> Walker<'a> {
    /// A document, an item of a List, or an object inside of another.
    fn object(&mut self, mut node: Node, path: String, owner: Option<&Owner>) {
        let of_group = text(&node, "apiVersion").starts_with(&self.prefix);
        let kind = text(&node, "kind").to_owned();
        if let Yaml::List(items) = node.value {
            for (index, item) in items.into_iter().enumerate() {
                self.object(item, format!("{path}[{index}]"), owner);
            }
            return;
        }
        if let Some(of) = kind.strip_suffix("List")
            && let Yaml::Map(entries) = &mut node.value
            && let Some((_, items)) = entries.iter_mut().find(|(key, _)| key.name == "items")
            && let Yaml::List(items) = &mut items.value
        {
            let items = std::mem::take(items);
            let api = node.get("apiVersion").cloned();
            let base = join(&path, "items");
            for (index, mut item) in items.into_iter().enumerate() {
                inherit(&mut item, of, api.as_ref());
                self.object(item, format!("{base}[{index}]"), owner);
            }
            return;
        }
        if !of_group {
            let own = Owner {
                kind,
                name: node
                    .get("metadata")
                    .map_or("", |metadata| text(metadata, "name"))
                    .into(),
            };
            let before = (self.found.items.len(), self.found.unread.len());
            self.inside(&mut node, &path, &own);
            if (self.found.items.len(), self.found.unread.len()) != before {
                return;
            }
        }
        if let Some(owner) = owner {
            name(&mut node, owner);
        }
        self.found.items.push(Item {
            node,
            path,
            owner: owner.cloned(),
            holes: owner.is_some(),
        });
    }

    /// Takes the objects of the group out of a value of another object.
    fn inside(&mut self, node: &mut Node, path: &str, owner: &Owner) {
        match &mut node.value {
            Yaml::Map(entries) => {
                for (key, value) in entries {
                    let path = join(path, &key.name);
                    if let Some(kind) = self.template(value) {
                        let mut value = take(value);
                        self.complete(&mut value, kind);
                        self.object(value, path, Some(owner));
                    } else if self.is_object(value) {
                        let value = take(value);
                        self.object(value, path, Some(owner));
                    } else if key.name == "resource" && value.get("manifest").is_some() {
                        self.text(value, &join(&path, "manifest"), owner);
                    } else {
                        self.inside(value, &path, owner);
                    }
                }
            }
            Yaml::List(items) => {
                for (index, value) in items.iter_mut().enumerate() {
                    let path = format!("{path}[{index}]");
                    if self.is_object(value) {
                        let value = take(value);
                        self.object(value, path, Some(owner));
                    } else {
                        self.inside(value, &path, owner);
                    }
                }
            }
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) => {}
        }
    }

    fn is_object(&self, node: &Node) -> bool {
        text(node, "apiVersion").starts_with(&self.prefix)
            && !text(node, "kind").is_empty()
            && node.get("spec").is_some()
    }

    /// The kind of a template: a mapping without one whose `spec` has the field of that kind.
    fn template(&self, node: &Node) -> Option<&'a str> {
        if !text(node, "kind").is_empty() || !text(node, "apiVersion").is_empty() {
            return None;
        }
        let spec = node.get("spec")?;
        let known = self.sought.templates.iter();
        known
            .filter(|(field, _)| spec.get(field).is_some())
            .map(|(_, kind)| *kind)
            .next()
    }

    /// Gives a template the kind.
    fn complete(&self, node: &mut Node, kind: &str) {
        let place = node.place.clone();
        let of_text = |text: String| Node {
            value: Yaml::Text(text),
            place: place.clone(),
        };
        let key = |name: &str| MappingKey {
            name: name.into(),
            place: place.clone(),
        };
        let Yaml::Map(entries) = &mut node.value else {
            return;
        };
        let api = self.sought.api_version.to_owned();
        entries.push((key("apiVersion"), of_text(api)));
        entries.push((key("kind"), of_text(kind.to_owned())));
    }

    /// Reads the YAML in `resource.manifest`, where it names the group.
    fn text(&mut self, resource: &Node, path: &str, owner: &Owner) {
        let Some((node, manifest)) = resource
            .get("manifest")
            .and_then(|node| node.text().map(|text| (node, text)))
        else {
            return;
        };
        if !manifest.contains(&self.prefix) {
            return;
        }
        let filled = filled(manifest);
        let inner = Source::new(&self.source.path, &filled);
        let Ok(documents) = yaml::parse(&inner) else {
            self.found.unread.push(Unread {
                path: path.into(),
                location: node.place.location,
            });
            return;
        };
        let lines = Lines::of(self.source, &node.place, manifest);
        for (index, mut document) in documents.into_iter().enumerate() {
            relocate(&mut document, &node.place, lines.as_ref());
            let path = if index == 0 {
                path.to_owned()
            } else {
                format!("{path}[{index}]")
            };
            self.object(document, path, Some(owner));
        }
    }
}

/// A text with [`HOLE`] in the place of each `{{…}}`.
fn filled(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{")
        && let Some(end) = rest[start..].find("}}").map(|end| start + end + 2)
        && !rest[start..end].contains('\n')
    {
        filled.push_str(&rest[..start]);
        filled.push_str(&HOLE.repeat(end - start));
        rest = &rest[end..];
    }
    filled.push_str(rest);
    filled
}

/// Gives an object without a name one that its owner could give it: templates have none, and some
/// owners, such as Crossplane's, give their own.
fn name(node: &mut Node, owner: &Owner) {
    let place = node.place.clone();
    let key = |name: &str| MappingKey {
        name: name.into(),
        place: place.clone(),
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = owner.name.starts_with(|c: char| c.is_ascii_lowercase());
    // What is random may be longer than what this owner would add.
    let begin = if begins && owner.name.chars().all(fits) && owner.name.len() < LONGEST {
        format!("{}-", owner.name)
    } else {
        "x-".to_owned()
    };
    let begin = Node {
        value: Yaml::Text(begin),
        place: place.clone(),
    };
    let Yaml::Map(entries) = &mut node.value else {
        return;
    };
    let metadata = entries.iter().position(|(key, _)| key.name == "metadata");
    let named = |metadata: &Node| {
        ["name", "generateName"]
            .iter()
            .any(|name| metadata.get(name).is_some())
    };
    match metadata.map(|at| &mut entries[at].1) {
        Some(metadata) if named(metadata) => {}
        Some(Node {
            value: Yaml::Map(own),
            ..
        }) => own.push((key("generateName"), begin)),
        Some(Node {
            value: Yaml::Null, ..
        })
        | None => {
            let own = Node {
                value: Yaml::Map(vec![(key("generateName"), begin)]),
                place: place.clone(),
            };
            entries.retain(|(key, _)| key.name != "metadata");
            entries.push((key("metadata"), own));
        }
        Some(_) => {}
    }
}

/// From this length on the name of an owner is not the beginning of one of its objects.
const LONGEST: usize = 30;

fn take(node: &mut Node) -> Node {
    Node {
        value: std::mem::replace(&mut node.value, Yaml::Null),
        place: node.place.clone(),
    }
}

/// The items of a typed list may lack `kind` and `apiVersion`, which the list then gives.
fn inherit(item: &mut Node, kind: &str, api: Option<&Node>) {
    let place = item.place.clone();
    let missing = |item: &Node, key: &str| text(item, key).is_empty();
    let (no_kind, no_api) = (missing(item, "kind"), missing(item, "apiVersion"));
    let Yaml::Map(entries) = &mut item.value else {
        return;
    };
    let mut add = |name: &str, value: Node| {
        let key = MappingKey {
            name: name.into(),
            place: place.clone(),
        };
        entries.insert(0, (key, value));
    };
    if kind.is_empty() || !no_kind {
        return;
    }
    let value = Yaml::Text(kind.into());
    add(
        "kind",
        Node {
            value,
            place: place.clone(),
        },
    );
    if let Some(api) = api.filter(|_| no_api) {
        add("apiVersion", api.clone());
    }
}

/// Positions of the lines of a literal block in its file.
struct Lines {
    /// Spaces that the file puts before each line.
    indent: usize,
    /// The line of the file on which the block begins.
    first: usize,
    /// Start of each line in bytes: in the block, and in the file.
    starts: Vec<(usize, usize)>,
}

impl Lines {
    /// Returns nothing where the text is no literal block, so that its lines are not those of the
    /// file.
    fn of(source: &Source, place: &Span, text: &str) -> Option<Self> {
        let mut lines = Vec::new();
        let mut at = 0;
        for line in source.text.split_inclusive('\n') {
            lines.push((at, line.trim_end_matches(['\n', '\r'])));
            at += line.len();
        }
        // The place of a block is that of its first line with text.
        let blank = text.chars().take_while(|c| *c == '\n').count();
        let first = place.location.line.checked_sub(1 + blank)?;
        let indent = place.location.column.saturating_sub(1);
        let mut starts = Vec::new();
        let mut inner = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let (start, outer) = lines.get(first + index)?;
            if outer.get(indent..).unwrap_or_default() != line.trim_end_matches('\n') {
                return None;
            }
            starts.push((inner, *start));
            inner += line.len();
        }
        Some(Self {
            indent,
            first: first + 1,
            starts,
        })
    }

    fn offset(&self, at: usize) -> usize {
        let index = self
            .starts
            .partition_point(|(inner, _)| *inner <= at)
            .saturating_sub(1);
        let (inner, outer) = self.starts.get(index).copied().unwrap_or_default();
        outer + self.indent + at.saturating_sub(inner)
    }
}

/// Gives the values of a text the places that they have in its file.
fn relocate(node: &mut Node, whole: &Span, lines: Option<&Lines>) {
    let move_place = |place: &mut Span| match lines {
        None => *place = whole.clone(),
        Some(lines) => {
            place.location.line += lines.first - 1;
            place.location.column += lines.indent;
            place.span = lines.offset(place.span.start)..lines.offset(place.span.end);
        }
    };
    move_place(&mut node.place);
    match &mut node.value {
        Yaml::Map(entries) => {
            for (key, value) in entries {
                move_place(&mut key.place);
                relocate(value, whole, lines);
            }
        }
        Yaml::List(items) => items
            .iter_mut()
            .for_each(|item| relocate(item, whole, lines)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) => {}
    }
}

#[cfg(test)]
mod tests;
