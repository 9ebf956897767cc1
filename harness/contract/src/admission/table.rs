//! The admission tables: what the custom resource definitions of each release say about fields.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::classes::plain;

/// For each release and kind the root node of every API version.
static RELEASES: &str = include_str!("../../data/admission.json");
/// One schema node a line.
static NODES: &str = include_str!("../../data/admission.nodes");

/// The schema of a value in a definition.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    /// Its type, or `int-or-string`; none where anything goes.
    #[serde(rename = "t")]
    pub kind: Option<String>,
    /// The fields of an object.
    #[serde(rename = "p")]
    pub properties: BTreeMap<String, usize>,
    /// The schema of every element of a list.
    #[serde(rename = "i")]
    pub items: Option<usize>,
    /// The schema of every value of a map.
    #[serde(rename = "a")]
    pub values: Option<usize>,
    /// The fields that must be there.
    #[serde(rename = "r")]
    pub required: Vec<String>,
    /// The value that replaces an absent one.
    #[serde(rename = "d")]
    pub default: Option<Value>,
    /// The values that are allowed.
    #[serde(rename = "e")]
    pub allowed: Vec<Value>,
    /// `true` where `null` is a value.
    #[serde(rename = "n")]
    pub nullable: bool,
    /// `true` where fields that are not listed are kept.
    pub open: bool,
    /// A regular expression that a text matches.
    pub pattern: Option<String>,
    /// `map` or `set` where the elements of a list must differ.
    pub list: Option<String>,
    /// The fields by which the elements of such a list differ.
    pub keys: Vec<String>,
    /// Rules of the Common Expression Language.
    pub cel: Vec<Rule>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    #[serde(rename = "minLength")]
    pub min_length: Option<usize>,
    #[serde(rename = "maxLength")]
    pub max_length: Option<usize>,
    #[serde(rename = "minItems")]
    pub min_items: Option<usize>,
    #[serde(rename = "maxItems")]
    pub max_items: Option<usize>,
}

/// A rule of the Common Expression Language.
#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    pub rule: String,
    #[serde(default)]
    pub message: Option<String>,
    /// `true` where it compares with the old object and so holds for updates only.
    #[serde(default)]
    pub update: bool,
}

#[derive(Deserialize)]
struct Definition {
    versions: BTreeMap<String, usize>,
}

type Releases = Vec<(Version, BTreeMap<String, Definition>)>;

fn releases() -> &'static Releases {
    static PARSED: OnceLock<Releases> = OnceLock::new();
    PARSED.get_or_init(|| {
        let table: BTreeMap<Version, BTreeMap<String, Definition>> =
            serde_json::from_str(RELEASES).expect("the admission tables are generated");
        table.into_iter().collect()
    })
}

/// The node with a number; parsed when it is first asked for.
pub(super) fn node(number: usize) -> &'static Node {
    static PARSED: OnceLock<Vec<(&'static str, OnceLock<Node>)>> = OnceLock::new();
    let nodes = PARSED.get_or_init(|| NODES.lines().map(|line| (line, OnceLock::new())).collect());
    let (line, node) = &nodes[number];
    node.get_or_init(|| serde_json::from_str(line).expect("the admission tables are generated"))
}

/// The API versions in which a release serves a kind, with the node of the whole object.
pub(super) fn versions(release: &Version, kind: &str) -> Option<&'static BTreeMap<String, usize>> {
    let plain = plain(release);
    let releases = releases();
    let (_, kinds) = releases
        .iter()
        .rev()
        .find(|(known, _)| *known <= plain)
        .unwrap_or(&releases[0]);
    kinds.get(kind).map(|definition| &definition.versions)
}

/// The node of an object's kind and API version, where the release serves it.
pub(super) fn root(release: &Version, object: &Value) -> Option<&'static Node> {
    let kind = object.get("kind")?.as_str()?;
    let version = object
        .get("apiVersion")?
        .as_str()?
        .strip_prefix("ray.io/")?;
    versions(release, kind)?
        .get(version)
        .map(|number| node(*number))
}

#[cfg(test)]
pub(super) fn every_node() -> impl Iterator<Item = &'static Node> {
    (0..NODES.lines().count()).map(node)
}

#[cfg(test)]
pub(super) fn every_release() -> impl Iterator<Item = &'static Version> {
    releases().iter().map(|(release, _)| release)
}
