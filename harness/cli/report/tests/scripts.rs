//! What the scripts in `ci/` share: what passed is not run again, unless anything that decides it has changed.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A checkout with a file in each folder that counts, and a cache.
fn checkout() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["harness", "fixtures", "scenarios", "ci"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("file"), "as it was").unwrap();
    }
    for name in ["Cargo.toml", "Cargo.lock"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    folder
}

/// Runs a script there, after the functions of `ci/lib.sh`.
fn bash(folder: &Path, script: &str) -> Output {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/lib.sh");
    let mut bash = Command::new("bash");
    bash.arg("-c")
        .arg(format!(
            "set -euo pipefail\n. \"$1\"\nagain=false\n{script}"
        ))
        .arg("bash")
        .arg(functions)
        .current_dir(folder)
        .env("KUBERAY_CONFORMANCE_CACHE", folder.join("cache"));
    bash.output().unwrap()
}

/// Whether the phase ran, and whether the script succeeded.
fn phase(folder: &Path, before: &str, command: &str) -> (bool, bool) {
    let script = format!("{before}\nonce slow \"${{CONDITIONS:-}}\" {command}");
    let output = bash(folder, &script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("== slow"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (text.contains("it runs"), output.status.success())
}

const WORKS: &str = "echo it runs";
const RAN: (bool, bool) = (true, true);
const LEFT_OUT: (bool, bool) = (false, true);

#[test]
fn what_passed_with_the_same_files_is_left_out() {
    let folder = checkout();
    let folder = folder.path();
    assert_eq!(phase(folder, "", WORKS), RAN);
    assert_eq!(phase(folder, "", WORKS), LEFT_OUT);
    assert_eq!(phase(folder, "CONDITIONS='--nodes 3'", WORKS), RAN);
    assert_eq!(
        phase(folder, "export KUBERAY_CONFORMANCE_ANY=setting", WORKS),
        RAN
    );
    for name in ["harness", "fixtures", "scenarios", "ci"] {
        std::fs::write(folder.join(name).join("another"), "").unwrap();
        assert_eq!(phase(folder, "", WORKS), RAN, "{name}");
        assert_eq!(phase(folder, "", WORKS), LEFT_OUT, "{name}");
    }
    std::fs::write(folder.join("Cargo.lock"), "another").unwrap();
    assert_eq!(phase(folder, "", WORKS), RAN);
    let yesterday = "find cache/passed -type f -exec touch -d '25 hours ago' {} +";
    assert_eq!(phase(folder, yesterday, WORKS), RAN);
}

#[test]
fn what_failed_since_is_not_left_out() {
    let folder = checkout();
    let folder = folder.path();
    let fails = "eval 'echo it runs; false'";
    assert_eq!(phase(folder, "", fails), (true, false));
    assert_eq!(phase(folder, "", WORKS), RAN, "a failure is no success");
    assert_eq!(phase(folder, "again=true", fails), (true, false));
    assert_eq!(
        phase(folder, "", WORKS),
        RAN,
        "the older success counts no more"
    );
}

#[test]
fn what_was_changed_meanwhile_is_not_what_passed() {
    let folder = checkout();
    let changes = "eval 'echo it runs; echo new > scenarios/file'";
    assert_eq!(phase(folder.path(), "", changes), RAN);
    assert_eq!(phase(folder.path(), "", WORKS), RAN);
}
