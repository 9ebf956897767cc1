use std::path::Path;

use assertables::{assert_contains, assert_not_contains};

use super::*;

/// Compares a file of docs/ with what the code says; with `UPDATE_DOCS` or `UPDATE_SCHEMAS` it is
/// written.
fn is_current(file: &str, current: &str, update: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(file);
    if std::env::var_os(update).is_some() {
        std::fs::write(&path, current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/{file} is not what the code says; run the tests once with {update}=1 and commit it"
    );
}

#[test]
fn every_page_of_the_reference_but_support_is_generated_and_says_how() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let mut by_hand = Vec::new();
    let pages = std::fs::read_dir(&folder)
        .unwrap()
        .chain(std::fs::read_dir(folder.join("traps")).unwrap());
    for page in pages {
        let path = page.unwrap().path();
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        // The page of a trap is also what `check --explain` prints.
        let is_trap = name.starts_with("traps/") && name != "traps/README.md";
        if is_trap || path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("\n<!-- Written by `") {
            by_hand.push(name);
        }
    }
    assert_eq!(by_hand, ["support.md"]);
}

#[test]
fn the_page_of_checks_is_current_and_has_every_kind() {
    let page = checks::page(&scenario::json_schema());
    for kind in ["pod", "logs", "job", "status"] {
        assert!(page.contains(&format!("\n## `{kind}`\n")), "no {kind}");
    }
    assert!(!page.contains("|  |"), "a key without its type or meaning");
    is_current("reference/checks.md", &page, "UPDATE_DOCS");
}

#[test]
fn the_page_of_the_command_line_is_current_and_has_no_group() {
    let page = reference::commands();
    assert_contains!(page, "\n## `kuberay-conformance scenario init`\n");
    assert_not_contains!(page, "\n## `kuberay-conformance scenario`\n");
    assert!(!page.contains("daemon"), "a hidden command is shown");
    is_current("reference/cli.md", &page, "UPDATE_DOCS");
}

#[test]
fn the_schema_of_every_document_is_committed_and_has_an_id() {
    let page = reference::schemas().unwrap();
    for document in Document::value_variants() {
        let word = word(*document);
        let schema = schema_of(*document).unwrap();
        is_current(
            &format!("schema/{word}.schema.json"),
            &schema,
            "UPDATE_SCHEMAS",
        );
        let row = page
            .lines()
            .find(|line| line.contains(&format!("[`{word}`]")));
        let row = row.unwrap_or_else(|| panic!("no row for {word}"));
        assert!(!row.contains("``"), "{word} has no $id: {row}");
    }
    is_current("reference/schemas.md", &page, "UPDATE_DOCS");
}
