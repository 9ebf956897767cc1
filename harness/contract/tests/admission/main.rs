//! The committed admission tables against the definitions in the modules that the releases were
//! built from.

mod generate;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Go keeps the modules that it has downloaded.
fn module_cache() -> Option<PathBuf> {
    let output = Command::new("go")
        .args(["env", "GOMODCACHE"])
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(path.trim()))
}

/// Each release whose module is there says of its own definitions what the committed table says;
/// `go mod download github.com/ray-project/kuberay/ray-operator@vX.Y.Z` brings the others.
#[test]
#[ignore = "needs go and the operator's modules"]
fn tables_come_from_the_modules() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let committed = std::fs::read_to_string(data.join("admission.json")).unwrap();
    let committed: serde_json::Value = serde_json::from_str(&committed).unwrap();
    let lines = std::fs::read_to_string(data.join("admission.nodes")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let modules = module_cache()
        .expect("go is on the PATH")
        .join("github.com/ray-project/kuberay");
    let mut compared = 0;
    for (release, kinds) in committed.as_object().unwrap() {
        let folder = modules.join(format!("ray-operator@v{release}/config/crd/bases"));
        if !folder.is_dir() {
            continue;
        }
        let made = generate::tables(&[(release.clone(), &folder)]);
        let own: serde_json::Value = serde_json::from_str(&made.releases).unwrap();
        let own_lines: Vec<&str> = made.nodes.lines().collect();
        for (kind, definition) in kinds.as_object().unwrap() {
            let own = &own[release][kind];
            assert_eq!(own["sha256"], definition["sha256"], "{release} {kind}");
            for (version, root) in definition["versions"].as_object().unwrap() {
                let number =
                    |value: &serde_json::Value| usize::try_from(value.as_u64().unwrap()).unwrap();
                let theirs = expanded(&lines, number(root));
                let ours = expanded(&own_lines, number(&own["versions"][version]));
                assert!(theirs == ours, "{release} {kind} {version} differs");
            }
        }
        compared += 1;
    }
    assert!(
        compared > 0,
        "no module of the operator in {}",
        modules.display()
    );
    println!("{compared} releases compared");
}

/// A node with its children in the place of their numbers.
fn expanded(lines: &[&str], number: usize) -> serde_json::Value {
    let mut node: serde_json::Value = serde_json::from_str(lines[number]).unwrap();
    let child = |value: &serde_json::Value| {
        expanded(lines, usize::try_from(value.as_u64().unwrap()).unwrap())
    };
    for key in ["i", "a"] {
        if !node[key].is_null() {
            node[key] = child(&node[key]);
        } else if let Some(node) = node.as_object_mut() {
            node.remove(key);
        }
    }
    if let Some(properties) = node.get_mut("p").and_then(serde_json::Value::as_object_mut) {
        for value in properties.values_mut() {
            *value = child(value);
        }
    }
    node
}
