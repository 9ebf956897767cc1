//! The objects of a manifest.

use std::path::Path;

use serde_json::Value;

use super::diagnostic::{Diagnostic, DiagnosticResult, Diagnostics, Source};
use super::template::template_action;
use super::yaml::{self, Node, Yaml};

/// The annotation in which `kubectl apply` keeps the object that it sent.
///
/// ```
/// use kuberay_manifest::LAST_APPLIED;
///
/// assert_eq!(LAST_APPLIED.split_once('/').unwrap().0, "kubectl.kubernetes.io");
/// ```
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Reads the objects of a manifest as Kubernetes reads them: empty documents are left out, and the
/// items of a List are objects of their own. `origin` is the name that errors give the text.
///
/// ```
/// use kuberay_manifest::parse_manifest;
///
/// let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n";
/// let objects = parse_manifest(text, "pod.yaml")?;
/// assert_eq!(objects[0]["kind"], "Pod");
/// let error = parse_manifest("kind: Pod\n", "pod.yaml").unwrap_err();
/// assert!(error.to_string().contains("pod.yaml"), "{error}");
/// # Ok::<(), kuberay_manifest::Diagnostics>(())
/// ```
///
/// # Errors
/// When the text is not YAML or holds no object, or a document is not an object with `apiVersion`,
/// `kind` and `metadata.name`.
pub fn parse_manifest(text: &str, origin: &str) -> Result<Vec<Value>, Diagnostics> {
    Ok(objects(&Source::new(Path::new(origin), text))?)
}

/// Reads the objects of a file as [`parse_manifest`] does.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, objects};
///
/// let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: main}\n";
/// let found = objects(&Source::new(Path::new("pod.yaml"), text)).unwrap();
/// assert_eq!(found[0]["metadata"]["name"], "main");
///
/// // It lacks `apiVersion` and `metadata.name`.
/// let problems = objects(&Source::new(Path::new("pod.yaml"), "kind: Pod\n")).unwrap_err();
/// assert_eq!(problems.len(), 2);
/// ```
///
/// # Errors
/// Every problem of the text, where it is not YAML or holds no object, or where a document is not
/// an object with `apiVersion`, `kind` and `metadata.name`.
pub fn objects(source: &Source) -> DiagnosticResult<Vec<Value>> {
    each_object(source, Node::to_json)
}

/// Reads the objects of a file as [`objects`] does, and returns the result of `read` for each of
/// them. The node that `read` gets has the location of every value.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, each_object};
///
/// let text = "kind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n\
///             - {apiVersion: v1, kind: Pod, metadata: {name: b}}\n";
/// let source = Source::new(Path::new("list.yaml"), text);
/// let lines = each_object(&source, |node| node.place.location.line).unwrap();
/// assert_eq!(lines, [3, 4]);
/// ```
///
/// # Errors
/// Those of [`objects`].
pub fn each_object<T>(source: &Source, read: impl Fn(&Node) -> T) -> DiagnosticResult<Vec<T>> {
    let documents = match yaml::parse(source) {
        Ok(documents) => documents,
        Err(problems) => return Err(unrendered(source).unwrap_or(problems)),
    };
    let documents: Vec<&Node> = documents.iter().flat_map(unlisted).collect();
    let problems: Vec<Diagnostic> = documents
        .iter()
        .flat_map(|document| identity(source, document))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    if documents.is_empty() {
        return Err(vec![Diagnostic::of_file(
            &source.path,
            "the manifest contains no object",
        )]);
    }
    Ok(documents.into_iter().map(read).collect())
}

/// Returns one error in place of those of the parser, where the text is a template.
fn unrendered(source: &Source) -> Option<Vec<Diagnostic>> {
    let at = template_action(source)?;
    let message = "this is an unrendered template";
    let problem = source.error(&source.rest_of_line(at), message);
    Some(vec![problem.with_help(
        "render it first, such as with `helm template CHART`",
    )])
}

/// The objects of a document: the items of a List, such as `kubectl get … -o yaml` prints, or the
/// document itself.
fn unlisted(document: &Node) -> Vec<&Node> {
    let kind = document.get("kind").and_then(Node::text);
    match document.get("items") {
        Some(items)
            if kind.is_some_and(|kind| kind.ends_with("List"))
                && matches!(items.value, Yaml::List(_)) =>
        {
            items.items().iter().flat_map(unlisted).collect()
        }
        _ => vec![document],
    }
}

/// Every object says what it is and how it is called.
fn identity(source: &Source, document: &Node) -> Vec<Diagnostic> {
    if !matches!(document.value, Yaml::Map(_)) {
        return vec![source.error(
            &document.place,
            "a document of a manifest must be a mapping",
        )];
    }
    let name = document
        .get("metadata")
        .and_then(|metadata| metadata.get("name"));
    let fields = [
        ("apiVersion", document.get("apiVersion")),
        ("kind", document.get("kind")),
        ("metadata.name", name),
    ];
    let mut problems = Vec::new();
    for (field, node) in fields {
        match node {
            None => {
                problems.push(source.error(&document.place, format!("the object lacks `{field}`")));
            }
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
