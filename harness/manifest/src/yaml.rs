//! YAML text becomes a tree whose every node knows its place; the only module that knows the YAML
//! library.
//!
//! Values are read as Kubernetes reads them (YAML 1.1 as `sigs.k8s.io/yaml` understands it): `0777`
//! is 511, `yes` and `on` are true, keys that are not strings become strings, and a whole number
//! with a fraction of zero is an integer. `tests/client` compares files with kubectl, and lists the
//! differences that stay.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};

use super::diagnostic::{Diagnostic, DiagnosticResult, Location, Source, Span};
use super::threads::{at_once, on_deep_stack};

mod entries;
mod go;
mod json;
mod parts;

use entries::Entries;
use parts::{TextPart, parts};

/// Characters of a text that [`Node::describe`] shows.
const SHOWN: usize = 60;

/// A value with its location.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, yaml};
///
/// let source = Source::new(Path::new("a.yaml"), "tty: yes\nmode: 0777\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// assert_eq!(documents[0].to_json(), serde_json::json!({"tty": true, "mode": 511}));
/// assert_eq!(documents[0].get("mode").unwrap().place.location.line, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Yaml,
    /// Place of the value in the text.
    pub place: Span,
}

/// A value of the kinds that JSON has.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::Source;
/// use kuberay_manifest::yaml::{self, Yaml};
///
/// let source = Source::new(Path::new("a.yaml"), "tty: 'yes'\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// assert_eq!(documents[0].get("tty").unwrap().value, Yaml::Text("yes".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(MappingKey, Node)>),
}

/// A key of a mapping with its location.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::Source;
/// use kuberay_manifest::yaml::{self, Yaml};
///
/// let source = Source::new(Path::new("a.yaml"), "name: a\n8080: b\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let Yaml::Map(entries) = &documents[0].value else {
///     panic!("the document is a mapping");
/// };
/// let (key, value) = &entries[1];
/// assert_eq!((key.name.as_str(), key.place.location.line), ("8080", 2));
/// assert_eq!(value.text(), Some("b"));
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MappingKey {
    /// The key, as a text.
    pub name: String,
    /// Place of the key in the text.
    pub place: Span,
}

impl Node {
    /// Returns the value under a key; `None` where this is no mapping or lacks the key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Yaml::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.name == name)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// Returns the text; `None` where this is no text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Yaml::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items; empty where this is no list.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Yaml::List(items) => items,
            _ => &[],
        }
    }

    /// Returns a description for people, such as `the number 5` or `a list`.
    pub fn describe(&self) -> String {
        match &self.value {
            Yaml::Null => "nothing".into(),
            Yaml::Bool(value) => format!("`{value}`"),
            Yaml::Number(number) => format!("the number {number}"),
            Yaml::Text(text) => match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("the text `{}…`", &text[..end]),
                None => format!("the text `{text}`"),
            },
            Yaml::List(_) => "a list".into(),
            Yaml::Map(_) => "a mapping".into(),
        }
    }

    /// Returns the value as JSON, without locations.
    pub fn to_json(&self) -> Value {
        match &self.value {
            Yaml::Null => Value::Null,
            Yaml::Bool(value) => Value::Bool(*value),
            Yaml::Number(number) => Value::Number(number.clone()),
            Yaml::Text(text) => Value::String(text.clone()),
            Yaml::List(items) => items.iter().map(Node::to_json).collect(),
            Yaml::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Reads all documents of a text; empty ones are left out. JSON objects may also follow each other
/// without `---`, as `jq` writes them.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, yaml};
///
/// let source = Source::new(Path::new("two.yaml"), "a: 1\n---\n---\nb: 2\n");
/// let documents = yaml::parse(&source).unwrap();
/// assert_eq!(documents.len(), 2);
/// assert_eq!(documents[1].to_json(), serde_json::json!({"b": 2}));
/// ```
///
/// # Errors
/// When the text is not YAML, or a mapping has a key twice.
pub fn parse(source: &Source) -> DiagnosticResult<Vec<Node>> {
    on_deep_stack(|| parse_here(source))
}

fn parse_here(source: &Source) -> DiagnosticResult<Vec<Node>> {
    if let Some(refused) = go::refused(source) {
        return Err(vec![refused]);
    }
    parse_stream(source).or_else(|problems| match json::documents(source) {
        Some(documents) => {
            let mut nodes = Vec::new();
            for (inner, at) in documents {
                let mut parsed = parse_stream(&inner)?;
                for node in &mut parsed {
                    json::shift(node, &at);
                }
                nodes.append(&mut parsed);
            }
            Ok(nodes)
        }
        None => Err(problems),
    })
}

fn parse_stream(source: &Source) -> DiagnosticResult<Vec<Node>> {
    let parts = parts(&source.text);
    if parts.len() > 1 {
        let read = at_once(parts, |part| parse_part(source, part));
        let read: DiagnosticResult<Vec<_>> = read.into_iter().collect();
        if let Ok(nodes) = read {
            return Ok(nodes.into_iter().flatten().collect());
        }
    }
    // What is wrong with a text that can't be read is said of all of it.
    parse_part(source, TextPart::whole(&source.text))
}

fn parse_part(source: &Source, part: TextPart) -> DiagnosticResult<Vec<Node>> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: budget(),
        legacy_octal_numbers: true,
        // Duplicates are found here, because only keys as Kubernetes reads them can be compared.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // So is what `<<` means, because its place among the keys counts.
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
    };
    let documents: Vec<Raw> = match serde_saphyr::from_multiple_with_options(part.text, options) {
        Ok(documents) => documents,
        Err(error) => return Err(vec![syntax_error(source, &error)]),
    };
    let mut reader = Reader {
        source,
        part,
        problems: Vec::new(),
    };
    let nodes = documents
        .into_iter()
        .map(|document| reader.node(document))
        .collect();
    if reader.problems.is_empty() {
        Ok(nodes)
    } else {
        Err(reader.problems)
    }
}

/// Room for the output of a whole cluster; the limits on aliases, which small texts can abuse,
/// stay.
fn budget() -> Option<serde_saphyr::Budget> {
    serde_saphyr::budget! {
        max_documents: 1_000_000,
        max_nodes: 20_000_000,
        max_events: 50_000_000,
        max_total_scalar_bytes: 1 << 30,
    }
}

fn syntax_error(source: &Source, error: &serde_saphyr::Error) -> Diagnostic {
    let text = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    // The library gives lines and columns of such errors, but no bytes.
    let location = error.location();
    let location = location.map(|location| place(location, TextPart::whole("")).location);
    let place = source.rest_of_line(location.unwrap_or(Location { line: 1, column: 1 }));
    source.error(&place, format!("not valid YAML: {message}"))
}

/// The place in a text of a place in a part of it.
fn place(location: serde_saphyr::Location, part: TextPart) -> Span {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let start = part.bytes + number(location.span().byte_offset().unwrap_or(0));
    let length = number(location.span().byte_len().unwrap_or(0));
    Span {
        location: Location {
            line: part.lines + number(location.line()),
            column: number(location.column()),
        },
        span: start..start + length,
    }
}

/// A node as the YAML library reads it.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(RawValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Map(entries))
    }
}

struct Reader<'a> {
    source: &'a Source,
    part: TextPart<'a>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn node(&mut self, Raw(spanned): Raw) -> Node {
        let written = place(spanned.defined, self.part).span;
        let value = match spanned.value {
            RawValue::Null => Yaml::Null,
            RawValue::Bool(value) => self.boolean(value, written),
            RawValue::Signed(value) => Yaml::Number(value.into()),
            RawValue::Unsigned(value) => Yaml::Number(unsigned(value)),
            RawValue::Float(value) => match float(value) {
                Some(number) => Yaml::Number(number),
                None => self.no_number(written, &place(spanned.referenced, self.part)),
            },
            RawValue::Text(text) => self.text(text, written),
            RawValue::List(items) => {
                Yaml::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawValue::Map(entries) => Yaml::Map(self.entries(entries)),
        };
        Node {
            value,
            place: place(spanned.referenced, self.part),
        }
    }

    /// Kubernetes knows `yes`, `Yes` and `YES` as booleans, but no other mixture of cases.
    fn boolean(&self, value: bool, written: std::ops::Range<usize>) -> Yaml {
        let text = self.source.text.get(written).unwrap_or_default();
        let mixed =
            text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
        if mixed {
            Yaml::Text(text.into())
        } else {
            Yaml::Bool(value)
        }
    }

    /// A text; a plain one with underscores may be a number.
    fn text(&mut self, text: String, written: std::ops::Range<usize>) -> Yaml {
        let start = written.start;
        if text.contains('_') && self.source.text.get(written) == Some(&text) {
            return go::number(&text).map_or(Yaml::Text(text), Yaml::Number);
        }
        if text.contains('\t')
            && let Some(tab) = go::tab_in_indentation(&self.source.text, start)
        {
            let line = self.source.text[..tab].matches('\n').count() + 1;
            let place = self.source.rest_of_line(Location { line, column: 1 });
            let message = "Kubernetes does not read this: a tab is in the indentation of the \
                           block's first line; indent it with blanks";
            self.problems.push(self.source.error(&place, message));
        }
        Yaml::Text(text)
    }

    /// A number that is too large is a text, and infinity has no JSON.
    fn no_number(&mut self, written: std::ops::Range<usize>, place: &Span) -> Yaml {
        let text = self.source.text.get(written).unwrap_or_default();
        if text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
            && text.contains(|c: char| c.is_ascii_digit())
        {
            return Yaml::Text(text.into());
        }
        let message = format!("not valid YAML: JSON has no number `{text}`");
        self.problems.push(self.source.error(place, message));
        Yaml::Null
    }

    /// Gives a mapping the keys of those that `<<` names. As in Kubernetes' library each replaces a
    /// key before it, and of several mappings the first one wins.
    fn merge(&mut self, value: Node, entries: &mut Entries) {
        let maps = match value.value {
            Yaml::List(items) => items.into_iter().rev().collect(),
            _ => vec![value],
        };
        for map in maps {
            let Yaml::Map(merged) = map.value else {
                let message = "`<<` needs a mapping, or a list of mappings";
                self.problems.push(self.source.error(&map.place, message));
                continue;
            };
            for (key, value) in merged {
                entries.merge(key, value);
            }
        }
    }

    fn entries(&mut self, raw: Vec<(Raw, Raw)>) -> Vec<(MappingKey, Node)> {
        let mut entries = Entries::new(raw.len());
        for (key, value) in raw {
            let key = self.node(key);
            let value = self.node(value);
            let written = self.source.text.get(key.place.span.clone());
            if written == Some("<<") {
                self.merge(value, &mut entries);
                continue;
            }
            let name = match key.value {
                Yaml::Text(text) => text,
                Yaml::Bool(value) => value.to_string(),
                Yaml::Number(number) => number.to_string(),
                Yaml::Null | Yaml::List(_) | Yaml::Map(_) => {
                    let problem = self.source.error(&key.place, "a key must be a text");
                    self.problems.push(problem);
                    continue;
                }
            };
            let key = MappingKey {
                name,
                place: key.place,
            };
            if let Some(first) = entries.written(&key.name) {
                let line = first.place.location.line;
                let message = format!(
                    "the key `{}` appears twice; it was already given on line {line}",
                    key.name
                );
                self.problems.push(self.source.error(&key.place, message));
                continue;
            }
            entries.write(key, value);
        }
        entries.all
    }
}

/// Kubernetes keeps integers in 64 bits with a sign; above that a number is a float.
fn unsigned(value: u64) -> Number {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Kubernetes loses it in the same way"
    )]
    i64::try_from(value).map_or_else(
        |_| float(value as f64).unwrap_or_else(|| value.into()),
        Number::from,
    )
}

/// A float that has no fraction goes through JSON as an integer, where 64 bits can hold it.
fn float(value: f64) -> Option<Number> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it has no fraction and is in range"
        )]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
