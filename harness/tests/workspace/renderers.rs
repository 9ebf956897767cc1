//! Functions that turn a whole document into a form for people or for another program.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sources::{sources, without_tests};

/// The field by which a document names its own form.
const VERSION: &str = "    pub version: String,";

/// Returns the names of the public types below a folder that are documents: they have a JSON
/// schema.
pub fn documents(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in sources(folder) {
        let text = without_tests(&std::fs::read_to_string(file).unwrap());
        let (mut structure, mut has_schema) = (None, false);
        for line in text.lines() {
            if line.is_empty() {
                has_schema = false;
            }
            has_schema |= line.contains("JsonSchema");
            if let Some(rest) = line.strip_prefix("pub struct ") {
                structure = has_schema.then(|| name(rest));
            } else if line == VERSION {
                names.extend(structure.take());
            } else if line == "}" {
                structure = None;
            }
        }
    }
    names
}

/// Returns the functions below a folder that return one of these documents as text or as another
/// document's JSON, or write it as text.
pub fn renderers(folder: &Path, documents: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in sources(folder) {
        let text = without_tests(&std::fs::read_to_string(&file).unwrap());
        let file = file.strip_prefix(folder).unwrap().display().to_string();
        for (owner, signature) in signatures(&text) {
            if is_renderer(&owner, &signature, documents) {
                let function = signature.split_once("fn ").map_or("", |(_, rest)| rest);
                found.insert(format!("{file}: {}", name(function)));
            }
        }
    }
    found
}

fn is_renderer(owner: &str, signature: &str, documents: &BTreeSet<String>) -> bool {
    let (parameters, result) = signature.rsplit_once("->").unwrap_or((signature, ""));
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.map(str::to_owned).collect()
    };
    let given = words(parameters);
    let takes_document =
        !given.is_disjoint(documents) || given.contains("self") && documents.contains(owner);
    let writes_text = ["&mut String", "Formatter<", "dyn Write", "impl Write"];
    // Several texts are names of parts rather than a form of the whole.
    let result = result.replace("Vec<String>", "");
    let forms = ["String", "Cow", "Value", "Display", "u8"].map(str::to_owned);
    takes_document
        && (!words(&result).is_disjoint(&BTreeSet::from(forms))
            || writes_text.iter().any(|one| parameters.contains(one)))
}

/// The signatures of a file's functions, each with the type whose `impl` block it stands in.
fn signatures(text: &str) -> Vec<(String, String)> {
    let (mut owner, mut signature) = (String::new(), None::<String>);
    let mut all = Vec::new();
    for line in text.lines() {
        if line.starts_with("impl") {
            let of = line.split_once(" for ").map(|(_, of)| of);
            let of = of.or_else(|| line.trim_end_matches(" {").rsplit(' ').next());
            owner = of.map(name).unwrap_or_default();
        } else if line.starts_with('}') {
            owner.clear();
        }
        let is_begin = ["fn ", "pub fn ", "async fn "].iter().any(|begin| {
            let line = line.trim_start();
            line.starts_with(begin)
                || line.starts_with("pub") && line.contains(&format!(" {begin}"))
        });
        if is_begin {
            signature = Some(String::new());
        }
        let Some(so_far) = &mut signature else {
            continue;
        };
        so_far.push_str(line.trim());
        so_far.push(' ');
        if line.ends_with(['{', ';', '}']) {
            all.extend(signature.take().map(|whole| (owner.clone(), whole)));
        }
    }
    all
}

/// The name at the start of a text.
fn name(text: &str) -> String {
    let name = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_');
    name.collect()
}

#[test]
fn functions_that_render_a_document_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\
#[derive(Serialize, JsonSchema)]
pub struct Report {
    /// Its form.
    pub version: String,
}

pub struct Program {
    pub version: String,
}
impl Report {
    pub fn text(
        &self,
        width: usize,
    ) -> String {
    }
    pub fn count(&self) -> usize {
    }
}
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    }
}
impl Program {
    pub fn name(&self) -> String {
    }
}
pub(crate) fn sarif(report: &Report) -> Value {
}
fn add(report: &Report, text: &mut String) {
}
fn ids(report: &Report) -> Vec<String> {
}
fn html(report: &Report) -> Option<String> {
}
fn page(report: &Report) -> io::Result<String> {
}
pub async fn read(file: &Path) -> Report {
}
#[cfg(test)]
mod tests {
    fn shown(report: &Report) -> String {
    }
}
";
    std::fs::write(folder.path().join("a.rs"), text).unwrap();
    let documents = documents(folder.path());
    assert_eq!(documents, BTreeSet::from(["Report".to_owned()]));
    let expected =
        ["add", "fmt", "html", "page", "sarif", "text"].map(|name| format!("a.rs: {name}"));
    assert_eq!(renderers(folder.path(), &documents), expected.into());
}
