use std::fs;

use super::*;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn evidence_of_cases_goes_and_everything_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("evidence/kind/1.6.2/a/logs/head.log"), "1");
    write(&at("evidence/kind/1.7.0/b/logs/head.log"), "2");
    write(&at("evidence/notes.txt"), "mine");
    write(&at("elsewhere/file"), "mine");
    let ids = [
        "kind::1.6.2::a",
        "kind::1.7.0::b",
        "never::there",
        "..::..::elsewhere",
        "",
    ];
    clear_evidence(folder.path(), ids).unwrap();
    assert!(!at("evidence/kind").exists());
    assert!(at("evidence/notes.txt").is_file());
    assert!(at("elsewhere/file").is_file());
    fs::remove_file(at("evidence/notes.txt")).unwrap();
    write(&at("evidence/kind/1.6.2/a/logs/head.log"), "1");
    clear_evidence(folder.path(), ids).unwrap();
    assert!(!at("evidence").exists());
}

#[test]
fn cases_of_before_are_those_of_our_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let of_before = || {
        cases_of_before(folder.path())
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(of_before(), [""; 0]);
    let results = r#"{"version": "kuberay-conformance.results/v1", "planned": ["a"], "cases": [{"id": "b"}]}"#;
    write(&folder.path().join("results.json"), results);
    let journal =
        "{\"version\": \"kuberay-conformance.journal/v1\", \"planned\": [\"c\"]}\n{\"torn";
    write(&folder.path().join("journal.jsonl"), journal);
    assert_eq!(of_before(), ["a", "b", "c"]);
    write(
        &folder.path().join("results.json"),
        &results.replace("kuberay-conformance", "other"),
    );
    write(&folder.path().join("journal.jsonl"), "not ours");
    assert_eq!(of_before(), [""; 0]);
}
