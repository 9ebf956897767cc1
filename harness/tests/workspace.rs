//! `cargo test` at the root runs the tests of every crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo at the root and returns its standard output.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {arguments:?} failed:\n{errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the workspace, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let metadata = cargo(&[
        "metadata",
        "--locked",
        "--offline",
        "--no-deps",
        "--format-version",
        "1",
    ]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// A path of `cargo metadata`, relative to the root.
fn relative(path: &Value) -> String {
    let path = Path::new(path.as_str().unwrap());
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn cargo_test_lists_the_unit_tests_of_every_package() {
    let mut libraries = BTreeSet::new();
    for package in packages() {
        let targets = package["targets"].as_array().unwrap();
        let library = targets
            .iter()
            .find(|target| target["kind"].as_array().unwrap().contains(&"lib".into()));
        let library = library.unwrap_or_else(|| panic!("{} has no library", package["name"]));
        libraries.insert(relative(&library["src_path"]));
    }

    let build = [
        "test",
        "--locked",
        "--offline",
        "--lib",
        "--no-run",
        "--message-format",
        "json",
    ];
    let mut listed = BTreeSet::new();
    for line in cargo(&build).lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let Some(program) = message["executable"].as_str() else {
            continue;
        };
        let output = Command::new(program).arg("--list").output().unwrap();
        let tests = String::from_utf8(output.stdout).unwrap();
        if tests.lines().any(|line| line.ends_with(": test")) {
            listed.insert(relative(&message["target"]["src_path"]));
        }
    }

    assert_eq!(
        listed, libraries,
        "`cargo test` (left) leaves out crates of the workspace (right); add them to `default-members` in Cargo.toml"
    );
}

#[test]
fn every_crate_below_harness_is_a_member_of_the_workspace() {
    let members: BTreeSet<String> = packages()
        .iter()
        .map(|package| relative(&package["manifest_path"]))
        .collect();
    let mut manifests = BTreeSet::from(["Cargo.toml".to_owned()]);
    for entry in std::fs::read_dir(root().join("harness")).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        let manifest = format!("harness/{folder}/Cargo.toml");
        if root().join(&manifest).exists() {
            manifests.insert(manifest);
        }
    }
    assert_eq!(
        members, manifests,
        "members (left) differ from the manifests (right)"
    );
}

/// The modules of the engine with those that each may use, as docs/architecture.md lists them.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, table) = page.split_once("<!-- modules of the engine -->").unwrap();
    let rows = table
        .trim_start()
        .lines()
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let row = |line: &str| {
        let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let uses = columns[2].split(',').map(|name| name.trim().to_owned());
        let uses = uses.filter(|name| !name.is_empty()).collect();
        (columns[0].trim_matches('`').to_owned(), uses)
    };
    rows.map(row).collect()
}

/// The modules of a crate with those that each uses, from the paths in their sources; files of
/// tests are left out.
///
/// A name that the root of the crate takes from a module, such as `pub use check::Check`, stands
/// for that module.
fn modules(root_file: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root_file).unwrap();
    let (mut modules, mut for_tests) = (BTreeSet::new(), false);
    for line in text.lines() {
        let name = line
            .split_once("mod ")
            .and_then(|(_, name)| name.strip_suffix(';'));
        if let Some(name) = name.filter(|_| !for_tests) {
            modules.insert(name.to_owned());
        }
        for_tests = line == "#[cfg(test)]" || (for_tests && line.starts_with("#["));
    }
    let folder = root_file.parent().unwrap();
    let exported = exported(&text, &modules, folder);
    let module_of = |name: &String| modules.get(name).or_else(|| exported.get(name)).cloned();
    let mut graph = BTreeMap::new();
    for module in &modules {
        let mut names = BTreeSet::new();
        collect(&folder.join(format!("{module}.rs")), 1, &mut names);
        collect(&folder.join(module), 1, &mut names);
        let used = names.iter().filter_map(module_of);
        graph.insert(module.clone(), used.filter(|used| used != module).collect());
    }
    graph
}

/// The names that a crate's root takes from its modules, with the module. `*` stands for the public
/// items of the module's file.
fn exported(root: &str, modules: &BTreeSet<String>, folder: &Path) -> BTreeMap<String, String> {
    let mut exported = BTreeMap::new();
    for part in root.split("use ").skip(1) {
        let (path, _) = part.split_once(';').unwrap_or((part, ""));
        let Some((module, names)) = path.split_once("::") else {
            continue;
        };
        if modules.contains(module) {
            let names = match names {
                "*" => public_items(&folder.join(format!("{module}.rs"))),
                names => names.to_owned(),
            };
            let words = names.split(|c: char| !c.is_alphanumeric() && c != '_');
            exported.extend(words.map(|word| (word.to_owned(), module.to_owned())));
        }
    }
    exported
}

/// The names of the public items of a file.
fn public_items(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let name = |line: &str| {
        let item = line.strip_prefix("pub ")?.trim_start_matches("const ");
        let kinds = ["struct ", "enum ", "fn ", "trait ", "static ", "type "];
        let rest = kinds.iter().find_map(|kind| item.strip_prefix(kind));
        Some(rest.unwrap_or(item).to_owned())
    };
    let names = text.lines().filter_map(name).map(|rest| {
        let letters = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_');
        letters.collect::<String>()
    });
    names.collect::<Vec<_>>().join(" ")
}

/// Collects the first names of all paths from the root of the crate. `depth` is how many modules
/// the file lies below it.
fn collect(path: &Path, depth: usize, into: &mut BTreeSet<String>) {
    let name = path.file_name().unwrap().to_str().unwrap();
    if name.starts_with("tests") || !path.exists() {
        return;
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), depth + 1, into);
        }
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let (code, _) = text.split_once("#[cfg(test)]\nmod ").unwrap_or((&text, ""));
    let code: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    for root in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&root) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if !before.is_alphanumeric() && !matches!(before, '_' | ':' | '$') {
                into.extend(first_names(&code[at + root.len()..]));
            }
        }
    }
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let letters = text.trim_start().chars();
        letters
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut names, mut open, mut begins) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => {
                names.push(name(&group[begins..at]));
                break;
            }
            '}' => open -= 1,
            ',' if open == 0 => {
                names.push(name(&group[begins..at]));
                begins = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The modules that use each other in circles; of what is left, each uses another that is left.
fn in_circles(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut rest = graph.clone();
    loop {
        let free: Vec<String> = rest
            .iter()
            .filter(|(module, uses)| {
                !uses.iter().any(|used| rest.contains_key(used))
                    || !rest.values().any(|uses| uses.contains(*module))
            })
            .map(|(module, _)| module.clone())
            .collect();
        if free.is_empty() {
            let left: BTreeSet<String> = rest.keys().cloned().collect();
            for uses in rest.values_mut() {
                uses.retain(|used| left.contains(used));
            }
            return rest;
        }
        rest.retain(|module, _| !free.contains(module));
    }
}

#[test]
fn the_modules_of_each_crate_have_an_order_without_circles() {
    let mut circles = BTreeMap::new();
    for package in packages() {
        let targets = package["targets"].as_array().unwrap();
        let library = targets
            .iter()
            .find(|target| target["kind"].as_array().unwrap().contains(&"lib".into()));
        let path = Path::new(library.unwrap()["src_path"].as_str().unwrap());
        let graph = modules(path);
        let found = in_circles(&graph);
        if !found.is_empty() {
            circles.insert(package["name"].to_string(), found);
        }
    }
    assert!(
        circles.is_empty(),
        "these modules use each other in a circle: {circles:#?}"
    );
}

#[test]
fn a_circle_between_modules_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod low;\nmod high;\nmod top;\npub use low::*;\n");
    write(
        "low.rs",
        "use super::high::High;\n// crate::top is no use\npub struct Low;\npub fn make() {}\n",
    );
    write(
        "high.rs",
        "use crate::{\n    Low,\n    low::{self, more},\n};\n",
    );
    write("top.rs", "fn top() { crate::make() }\n");
    let graph = modules(&folder.path().join("lib.rs"));
    let only = |name: &str| BTreeSet::from([name.to_owned()]);
    let pair = |module: &str, uses: &str| (module.to_owned(), only(uses));
    assert_eq!(
        graph,
        BTreeMap::from([pair("low", "high"), pair("high", "low"), pair("top", "low")])
    );
    assert_eq!(
        in_circles(&graph),
        BTreeMap::from([pair("low", "high"), pair("high", "low")])
    );
}

#[test]
fn modules_of_the_engine_use_what_the_architecture_allows_and_nothing_else() {
    let allowed = allowed();
    let found = modules(&root().join("harness/engine/src/lib.rs"));
    assert_eq!(
        found, allowed,
        "the `use` paths of harness/engine/src (left) differ from the table in docs/architecture.md (right)"
    );
}

#[test]
fn the_library_crates_need_no_runtime_no_cluster_and_no_command_line() {
    for library in ["kuberay-contract", "kuberay-manifest", "kuberay-explain"] {
        let tree = cargo(&[
            "tree",
            "--locked",
            "--offline",
            "-e",
            "normal",
            "--prefix",
            "none",
            "-p",
            library,
        ]);
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap();
            assert!(
                !["tokio", "kube", "clap", "kuberay-conformance-engine"].contains(&name),
                "{library} depends on {name}"
            );
        }
    }
}

/// The words behind each `--test` in a text.
fn named_tests(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == '`')
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .filter(|pair| pair[0] == "--test")
        .map(|pair| pair[1].trim_end_matches(['.', ',', ';', ')']).to_owned())
        .collect()
}

#[test]
fn scripts_and_pages_name_tests_that_exist_and_ci_test_names_them_all() {
    let mut targets = BTreeSet::new();
    for package in packages() {
        for target in package["targets"].as_array().unwrap() {
            if target["kind"].as_array().unwrap().contains(&"test".into()) {
                targets.insert(target["name"].as_str().unwrap().to_owned());
            }
        }
    }
    let listed = Command::new("git")
        .args(["ls-files", "ci", ".ci", ".github", "*.md"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // A checkout without git, such as an unpacked archive, still has the scripts.
    let files: BTreeSet<&str> = listed
        .lines()
        .chain(["ci/test", "ci/full", "ci/browser"])
        .collect();
    for file in files {
        let text = std::fs::read_to_string(root().join(file));
        let text = text.unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
        for name in named_tests(&text) {
            let placeholder = name.chars().all(|c| c.is_ascii_uppercase());
            assert!(
                placeholder || targets.contains(&name),
                "{file} names `--test {name}`, which is none of {targets:?}"
            );
        }
    }

    let script = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let run = named_tests(&(script("ci/test") + &script("ci/browser")));
    assert_eq!(
        run, targets,
        "ci/test and ci/browser run the test targets on the left; the workspace has those on the right"
    );
}

#[test]
fn ci_repeat_shared_skips_no_test_in_which_processes_meet() {
    let script = std::fs::read_to_string(root().join("ci/repeat-shared")).unwrap();
    assert!(!script.contains("--skip"), "{script}");
    let named: BTreeSet<&str> = script
        .split_whitespace()
        .filter_map(|word| word.strip_suffix("::"))
        .collect();
    let shared = [
        "artifact::stock",
        "artifact::store",
        "container::engine",
        "meet",
        "output::lock",
        "process::identity",
        "process::lock",
        "runner::capacity",
        "runner::shared",
        "target::envtest::folder",
        "target::kind",
        "target::lock",
        "target::unpacked",
    ];
    assert_eq!(named, BTreeSet::from(shared));
    for module in named.into_iter().filter(|module| *module != "meet") {
        let file = format!("harness/engine/src/{}.rs", module.replace("::", "/"));
        let text = std::fs::read_to_string(root().join(&file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains("#[cfg(test)]"), "{file} has no tests");
    }
}

/// Adds the names of the public types in the sources of a folder, each with its files.
fn public_types(folder: &Path, into: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !["tests", "benches", "examples", "node_modules"].contains(&name.as_str()) {
                public_types(&path, into);
            }
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") || name == "tests.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for line in code.lines() {
            let Some(line) = line.trim_start().strip_prefix("pub ") else {
                continue;
            };
            let kinds = ["struct ", "enum ", "trait ", "type "];
            let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let name = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_');
            let file = path.strip_prefix(root()).unwrap().display().to_string();
            into.entry(name.collect()).or_default().insert(file);
        }
    }
}

#[test]
fn no_two_public_types_share_a_name() {
    let mut types = BTreeMap::new();
    public_types(&root().join("harness"), &mut types);
    assert!(types.len() > 100, "public types are found: {}", types.len());
    // The error of a crate is called `Error` by convention.
    types.retain(|name, files| files.len() > 1 && name != "Error");
    assert!(
        types.is_empty(),
        "these names stand for several public types: {types:#?}"
    );
}
