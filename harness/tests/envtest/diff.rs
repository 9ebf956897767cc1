//! Two operators against each other: a release is equal to itself, and each change is reported once.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{program, scenarios, turn};

/// The release whose source gets faults.
pub const RELEASE: &str = "1.6.2";

/// What `diff` wrote, and its exit code.
pub fn diff(arguments: &[&str], head: Option<&Path>) -> (Option<i32>, Value) {
    let mut command = program();
    command.args(["diff", "--format", "json"]).args(arguments);
    if let Some(head) = head {
        command.arg("--head-source").arg(head);
    }
    command.arg("--scenarios").arg(scenarios());
    let output = command.output().expect("the harness runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|reason| panic!("{reason}: {error}"));
    (output.status.code(), document)
}

/// Rules and titles of the entries.
pub fn entries(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = document["entries"].as_array().expect("entries");
    entries
        .iter()
        .map(|one| (text(&one["rule"]), text(&one["title"])))
        .collect()
}

/// A copy of a release's source in which one text is another.
pub fn faulty(folder: &Path, file: &str, find: &str, replace: &str) {
    let module = format!("github.com/ray-project/kuberay/ray-operator@v{RELEASE}");
    let output = Command::new("go")
        .args(["mod", "download", "-json", &module])
        .output();
    let answer: Value = serde_json::from_slice(&output.expect("Go is installed").stdout).unwrap();
    let source = answer["Dir"].as_str().expect("the module's folder");
    let copied = Command::new("cp")
        .args(["-R", "--no-preserve=mode"])
        .arg(format!("{source}/."))
        .arg(folder)
        .status();
    assert!(copied.expect("cp runs").success());
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(find).count(), 1, "`{find}` in {file}");
    std::fs::write(&path, text.replacen(find, replace, 1)).unwrap();
}

#[test]
#[ignore = "needs envtest and Go"]
fn a_release_is_equal_to_itself_and_a_change_is_one_entry() {
    let _turn = turn();
    let (code, document) = diff(&[RELEASE, RELEASE], None);
    assert_eq!((code, entries(&document)), (Some(0), Vec::new()));
    assert_eq!(document["equal"], true);

    // The two differ in what they call themselves.
    let (code, document) = diff(&["1.6.1", RELEASE, "--objects", "5"], None);
    let found = entries(&document);
    assert_eq!((code, found.len()), (Some(1), 1), "{found:?}");
    assert!(
        found[0].1.contains("RAY_USAGE_STATS_EXTRA_TAGS"),
        "{found:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = "controllers/ray/common/pod.go";
    let (find, replace) = (
        "ulimitCmd := \"ulimit -n 65536\"",
        "ulimitCmd := \"ulimit -n 65535\"",
    );
    faulty(folder.path(), file, find, replace);
    let (code, document) = diff(&[RELEASE, "--objects", "5"], Some(folder.path()));
    let found = entries(&document);
    assert_eq!((code, found.len()), (Some(1), 1), "{found:?}");
    let (rule, title) = &found[0];
    assert_eq!(rule, "C11");
    assert!(
        title.starts_with("`ulimit -n 65536` → `ulimit -n 65535` in "),
        "{title}"
    );
}
