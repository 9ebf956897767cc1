//! Two operators against each other: a release is equal to itself, and each change is reported
//! once.

use std::path::Path;
use std::process::Command;

use assertables::assert_contains;
use serde_json::Value;

use crate::support::{exclusive, program, scenarios};

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
fn a_new_release_is_written_into_the_checkout() {
    let _exclusive = exclusive();
    let (source, checkout) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let contract = Path::new("harness/contract/src");
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(checkout.path().join(contract)).unwrap();
    for file in ["classes.rs", "features.rs"] {
        let file = contract.join(file);
        std::fs::copy(own.join(&file), checkout.path().join(&file)).unwrap();
    }
    let copied = Command::new("cp")
        .arg("-R")
        .arg(scenarios())
        .arg(checkout.path())
        .status();
    assert!(copied.expect("cp runs").success());
    let (find, replace) = ("%s; %s", "%s ; %s");
    faulty(
        source.path(),
        "controllers/ray/common/pod.go",
        find,
        replace,
    );
    let reports = ["comment.md", "junit.xml", "diff.json"].map(|file| checkout.path().join(file));
    let mut command = program();
    command.args(["diff", RELEASE, "--accept-as", "99.0.0", "--objects", "0"]);
    command.args(["--scenario", "default-command", "--scenario", "solution-1"]);
    for report in &reports {
        command.arg("--report").arg(report);
    }
    command.arg("--head-source").arg(source.path());
    command
        .arg("--scenarios")
        .arg(checkout.path().join("scenarios"));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let read = |file: &str| {
        let path = checkout.path().join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|reason| panic!("{file}: {reason}: {error}"))
    };
    // Those of a scenario that needs a kubelet, too.
    for scenario in ["default-command", "solution-1-background-command"] {
        let snapshot = read(&format!("scenarios/{scenario}/head.args@ge-99.0.0.snap"));
        assert!(
            snapshot.contains("ulimit -n 65536 ; ray start"),
            "{snapshot}"
        );
    }
    let classes = read("harness/contract/src/classes.rs");
    assert!(
        classes.contains("since: Version::new(99, 0, 0)"),
        "{classes}"
    );
    let features = read("harness/contract/src/features.rs");
    let feature = "TodoD01 \"todo-d01\" C11, (99, 0, 0)..now";
    assert!(features.contains(feature), "{features}");
    assert_contains!(read("comment.md"), "### Command contract: changed");
    assert_contains!(read("junit.xml"), "failures=\"1\"");
    assert_contains!(read("diff.json"), "\"equal\": false");
}

/// Left out of `ci/test`, which has a limit of time.
mod slow {
    use super::*;

    #[test]
    #[ignore = "needs envtest and Go, takes minutes"]
    fn a_release_is_equal_to_itself_and_a_change_is_one_entry() {
        let _exclusive = exclusive();
        let (code, document) = diff(&[RELEASE, RELEASE], None);
        assert_eq!(code, Some(0));
        assert_eq!(entries(&document), Vec::new());
        assert_eq!(document["equal"], true);

        // As text, nothing is nothing.
        let mut silent = program();
        silent.args([
            "diff",
            RELEASE,
            RELEASE,
            "--scenario",
            "default-command",
            "--objects",
            "0",
        ]);
        let output = silent.arg("--scenarios").arg(scenarios()).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");

        // The two differ in what they call themselves.
        let (code, document) = diff(&["1.6.1", RELEASE, "--objects", "5"], None);
        let found = entries(&document);
        assert_eq!(code, Some(1), "{found:?}");
        assert_eq!(found.len(), 1, "{found:?}");
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
        assert_eq!(code, Some(1), "{found:?}");
        assert_eq!(found.len(), 1, "{found:?}");
        let (rule, title) = &found[0];
        assert_eq!(rule, "C11");
        assert!(
            title.starts_with("`ulimit -n 65536` → `ulimit -n 65535` in "),
            "{title}"
        );
    }
}
