//! Manifests: plain YAML files become the objects that are sent to the cluster.

use std::path::Path;

use serde_json::Value;

use super::diagnostic::{Diagnostic, Found, ScenarioErrors, Source};
use super::yaml::{self, Node, Yaml};
use super::{Manifest, Scenario};

/// Reads the objects of a manifest as Kubernetes reads them; empty documents are left out. `origin` is the name that
/// errors give the text.
///
/// # Errors
/// When the text is not YAML, or a document is not an object with `apiVersion`, `kind` and `metadata.name`.
pub fn parse_manifest(text: &str, origin: &str) -> Result<Vec<Value>, ScenarioErrors> {
    Ok(objects(&Source::new(Path::new(origin), text))?)
}

/// The objects of a scenario's manifests, in order. `samples` is the folder `config/samples` of the operator's release,
/// which is needed where the scenario names a sample.
///
/// # Errors
/// When a file can't be read or is no manifest.
pub fn manifests(scenario: &Scenario, samples: Option<&Path>) -> Result<Vec<Value>, ScenarioErrors> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for manifest in &scenario.file.spec.manifests {
        match read(scenario, manifest, samples).and_then(|source| objects(&source)) {
            Ok(objects) => all.extend(objects),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems.into())
    }
}

/// The objects that the scenario's stimulus applies, in order; none where it applies nothing.
///
/// # Errors
/// When the file can't be read or is no manifest.
pub fn later_objects(scenario: &Scenario) -> Result<Vec<Value>, ScenarioErrors> {
    match &scenario.file.spec.stimulus.apply {
        Some(name) => Ok(Source::read(&scenario.dir.join(name)).and_then(|source| objects(&source))?),
        None => Ok(Vec::new()),
    }
}

fn read(scenario: &Scenario, manifest: &Manifest, samples: Option<&Path>) -> Found<Source> {
    match (manifest, samples) {
        (Manifest::File(name), _) => Source::read(&scenario.dir.join(name)),
        (Manifest::Sample(sample), Some(folder)) => Source::read(&folder.join(&sample.sample)).map_err(|problems| {
            let help = "does this release of the operator carry that sample?";
            problems.into_iter().map(|problem| problem.with_help(help)).collect()
        }),
        (Manifest::Sample(sample), None) => {
            let message = format!(
                "the sample {} is read only with a release of the operator",
                sample.sample
            );
            Err(vec![Diagnostic::of_file(&scenario.path, message)])
        }
    }
}

/// Reads the objects of a file and says everything that is wrong with them.
pub(super) fn objects(source: &Source) -> Found<Vec<Value>> {
    let documents = yaml::parse(source)?;
    let problems: Vec<Diagnostic> = documents
        .iter()
        .flat_map(|document| identity(source, document))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    if documents.is_empty() {
        return Err(vec![Diagnostic::of_file(&source.path, "the manifest holds no object")]);
    }
    Ok(documents.iter().map(Node::to_json).collect())
}

/// Every object says what it is and how it is called.
fn identity(source: &Source, document: &Node) -> Vec<Diagnostic> {
    if !matches!(document.value, Yaml::Map(_)) {
        return vec![source.error(&document.place, "a document of a manifest must be a mapping")];
    }
    let name = document.get("metadata").and_then(|metadata| metadata.get("name"));
    let fields = [
        ("apiVersion", document.get("apiVersion")),
        ("kind", document.get("kind")),
        ("metadata.name", name),
    ];
    let mut problems = Vec::new();
    for (field, node) in fields {
        match node {
            None => problems.push(source.error(&document.place, format!("the object lacks `{field}`"))),
            Some(node) if node.text() == Some("") => {
                problems.push(source.error(&node.place, format!("`{field}` is empty")));
            }
            Some(node) if node.text().is_none() => {
                let message = format!("`{field}` must be a text, found {}", node.describe());
                problems.push(source.error(&node.place, message));
            }
            Some(_) => {}
        }
    }
    problems
}
