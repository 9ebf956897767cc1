//! The documents: every link leads somewhere, and the README stays short.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of the repository: those at the top, and all below `docs`.
fn documents() -> Vec<PathBuf> {
    fn collect(folder: &Path, deep: bool, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && deep {
                collect(&path, deep, into);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(root(), false, &mut found);
    collect(&root().join("docs"), true, &mut found);
    found.sort();
    found
}

/// The text without blocks of code, where brackets mean something else.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_fence && !is_code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors that a reader can jump to: headings as GitHub names them, and explicit ids.
fn anchors(text: &str) -> BTreeSet<String> {
    let text = prose(text);
    let headings = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().replace(' ', "-")
        });
    let ids = Regex::new("<a id=\"([^\"]+)\">").unwrap();
    let ids = ids.captures_iter(&text).map(|id| id[1].to_owned());
    headings.chain(ids).collect()
}

/// Links of a document that lead nowhere.
fn broken(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let prose = prose(&text);
    let link = Regex::new(r"\]\(([^()\s]+)\)").unwrap();
    let targets = link
        .captures_iter(&prose)
        .map(|link| link.get(1).unwrap().as_str());
    let leads_nowhere = |target: &&str| {
        if target.contains("://") {
            return false;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((*target, ""));
        let path = match path {
            "" => document.to_owned(),
            path => document.parent().unwrap().join(path),
        };
        let has_anchor =
            || std::fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(anchor));
        !path.exists() || !anchor.is_empty() && !has_anchor()
    };
    targets.filter(leads_nowhere).map(str::to_owned).collect()
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let documents = documents();
    assert!(
        documents.iter().any(|path| path.ends_with("README.md")),
        "{documents:?}"
    );
    let all = documents.iter().flat_map(|path| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        broken(path)
            .into_iter()
            .map(move |link| format!("{name}: {link}"))
    });
    assert_eq!(all.collect::<Vec<_>>(), [""; 0], "links that lead nowhere");
}

/// Pages below `docs` that a summary of mdBook leaves out, and those that it lists twice or that do
/// not exist.
fn misplaced(summary: &str, pages: &BTreeSet<String>) -> Vec<String> {
    let link = Regex::new(r"\]\(([^()\s]+)\)").unwrap();
    let mut missing = pages.clone();
    let mut wrong = Vec::new();
    for chapter in link.captures_iter(summary) {
        if !missing.remove(&chapter[1]) {
            wrong.push(format!("{}: listed twice, or no page", &chapter[1]));
        }
    }
    wrong.extend(missing.iter().map(|page| format!("{page}: not listed")));
    wrong
}

#[test]
fn every_page_of_docs_is_a_chapter_of_the_site() {
    let docs = root().join("docs");
    let pages = documents().into_iter().filter_map(|path| {
        let name = path.strip_prefix(&docs).ok()?.to_str().unwrap().to_owned();
        (name != "SUMMARY.md").then_some(name)
    });
    let pages: BTreeSet<String> = pages.collect();
    assert!(pages.contains("guide/first-run.md"), "{pages:?}");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    assert_eq!(misplaced(&summary, &pages), [""; 0], "docs/SUMMARY.md");

    let without = summary.replace("guide/first-run.md", "guide/gone.md");
    assert_eq!(
        misplaced(&without, &pages),
        [
            "guide/gone.md: listed twice, or no page",
            "guide/first-run.md: not listed"
        ]
    );
}

#[test]
fn every_schema_has_an_id_with_the_version_of_its_documents() {
    let version = Regex::new(r"kuberay-conformance(?:\.[a-z]+)?/(v\w+)").unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("docs/schema")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".schema.json").unwrap().to_owned();
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let fields = &schema["properties"];
        let field = fields.get("version").unwrap_or(&fields["apiVersion"]);
        let field = field.to_string();
        let found = version.captures(&field);
        let found = found.unwrap_or_else(|| panic!("{name}: no version in {field}"));
        let id = format!("urn:kuberay-conformance:{name}:{}", &found[1]);
        assert_eq!(schema["$id"], id, "{name}");
        names.push(name);
    }
    assert!(names.len() >= 7, "{names:?}");
}

#[test]
fn the_readme_has_at_most_450_words() {
    let words = std::fs::read_to_string(root().join("README.md"))
        .unwrap()
        .split_whitespace()
        .count();
    assert!(words <= 450, "README.md has {words} words");
}
