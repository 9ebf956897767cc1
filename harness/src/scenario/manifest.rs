//! Manifests: plain YAML files become the objects that are sent to the cluster.

use std::path::Path;

use serde_json::Value;

use super::diagnostic::{Diagnostic, ScenarioErrors, Source};
use super::yaml::{self, Node, Yaml};
use super::{Manifest, Scenario};

/// Reads the objects of a manifest as Kubernetes reads them; empty documents are left out. `origin` is the name that
/// errors give the text.
///
/// # Errors
/// When the text is not YAML, or a document is not an object with `apiVersion`, `kind` and `metadata.name`.
pub fn parse_manifest(text: &str, origin: &str) -> Result<Vec<Value>, ScenarioErrors> {
    objects(&Source::new(Path::new(origin), text)).map_err(ScenarioErrors::new)
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
        let source = match (manifest, samples) {
            (Manifest::File(name), _) => Source::read(&scenario.dir.join(name)),
            (Manifest::Sample(sample), Some(folder)) => Source::read(&folder.join(&sample.sample))
                .map_err(|problem| problem.with_help("does this release of the operator carry that sample?")),
            (Manifest::Sample(sample), None) => Err(Diagnostic::of_file(
                &scenario.path,
                format!("the sample {} is read only with a release of the operator", sample.sample),
            )),
        };
        match source.map_err(|problem| vec![problem]).and_then(|source| objects(&source)) {
            Ok(objects) => all.extend(objects),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(ScenarioErrors::new(problems))
    }
}

/// Reads the objects of a file and says everything that is wrong with them.
pub(super) fn objects(source: &Source) -> Result<Vec<Value>, Vec<Diagnostic>> {
    let documents = yaml::parse(source)?;
    let problems: Vec<Diagnostic> = documents.iter().flat_map(|document| identity(source, document)).collect();
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
            Some(node) if node.text().is_none_or(str::is_empty) => {
                problems.push(source.error(&node.place, format!("`{field}` must be a text that is not empty")));
            }
            Some(_) => {}
        }
    }
    problems
}
