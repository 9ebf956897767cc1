//! The structure of the workspace: its packages, their layers and modules, and the names of types.

#[path = "workspace/modules.rs"]
mod modules;
#[path = "workspace/renderers.rs"]
mod renderers;
#[path = "workspace/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use modules::Modules;
use renderers::{documents, renderers};
use serde_json::Value;
use sources::{all_sources, sources, without_tests};

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

#[test]
fn no_modules_of_a_crate_use_each_other_in_a_circle() {
    let mut circles = BTreeMap::new();
    for package in packages() {
        let targets = package["targets"].as_array().unwrap();
        let library = targets
            .iter()
            .find(|target| target["kind"].as_array().unwrap().contains(&"lib".into()));
        let path = Path::new(library.unwrap()["src_path"].as_str().unwrap());
        let found = Modules::of(path).circles();
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
fn modules_of_the_engine_use_what_the_architecture_allows_and_nothing_else() {
    let allowed = allowed();
    let found = Modules::of(&root().join("harness/engine/src/lib.rs")).top();
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

/// Libraries that draw, colour or lay out text for people and CI systems.
const RENDERING: [&str; 6] = [
    "anstream",
    "clap",
    "indicatif",
    "minijinja",
    "quick-junit",
    "textwrap",
];

#[test]
fn no_crate_below_the_command_line_renders_documents() {
    let below: Vec<Value> = packages()
        .into_iter()
        .filter(|package| package["name"] != "kuberay-conformance")
        .collect();
    for package in &below {
        let dependencies = package["dependencies"].as_array().unwrap();
        for dependency in dependencies.iter().filter(|one| one["kind"].is_null()) {
            let name = dependency["name"].as_str().unwrap();
            assert!(
                !RENDERING.contains(&name),
                "{} depends on {name}; rendering belongs in harness/cli/report",
                package["name"]
            );
            // Its traits describe a diagnostic; its feature `fancy` draws one.
            let features = dependency["features"].to_string();
            assert!(
                name != "miette" || !features.contains("fancy"),
                "{} depends on miette with {features}",
                package["name"]
            );
        }
    }

    let known = documents(&root().join("harness"));
    for document in ["CheckReport", "DoctorReport", "Explanation", "RunResult"] {
        assert!(known.contains(document), "{document} is none of {known:?}");
    }
    let mut found = BTreeSet::new();
    for package in &below {
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src");
        let name = package["name"].as_str().unwrap();
        let rendered = renderers(&folder, &known).into_iter();
        found.extend(rendered.map(|function| format!("{name}: {function}")));
    }
    assert_eq!(
        found,
        BTreeSet::new(),
        "these functions render documents below the command line; move them to harness/cli/report"
    );
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
    for path in sources(folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in without_tests(&text).lines() {
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
            let file = path.strip_prefix(folder).unwrap().display().to_string();
            into.entry(name.collect()).or_default().insert(file);
        }
    }
}

/// The names that stand for several public types of a folder, with their files.
fn shared_names(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut types = BTreeMap::new();
    public_types(folder, &mut types);
    // The error of a crate is called `Error` by convention.
    types.retain(|name, files| files.len() > 1 && name != "Error");
    types
}

#[test]
fn no_two_public_types_share_a_name() {
    let shared = shared_names(&root().join("harness"));
    assert!(
        shared.is_empty(),
        "these names stand for several public types: {shared:#?}"
    );
}

#[test]
fn a_name_that_two_public_types_share_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.rs", "#[cfg(test)]\nmod tests;\n\npub struct Same;\n");
    write("b.rs", "pub enum Same {}\npub struct Other;\n");
    write(
        "c.rs",
        "pub(crate) struct Same;\n#[cfg(test)]\nmod tests {\n    pub struct Other;\n}\n",
    );
    let files = BTreeSet::from(["a.rs".to_owned(), "b.rs".to_owned()]);
    let expected = BTreeMap::from([("Same".to_owned(), files)]);
    assert_eq!(shared_names(folder.path()), expected);
}

/// Names that say nothing about a type outside of the function that uses it.
const VAGUE: [&str; 10] = [
    "Found", "Held", "Kept", "Key", "Made", "Part", "Place", "Seen", "State", "Told",
];

/// The types of a folder with a vague name, each with its file.
fn vague_types(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in all_sources(folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let visible = line
                .split_once(' ')
                .filter(|(word, _)| word.starts_with("pub"));
            let line = visible.map_or(line, |(_, rest)| rest);
            let kinds = ["struct ", "enum ", "trait ", "type "];
            let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if VAGUE.contains(&&*name) {
                let file = path.strip_prefix(folder).unwrap().display();
                found.insert(format!("{file}: {name}"));
            }
        }
    }
    found
}

#[test]
fn no_type_of_a_module_has_a_name_that_says_nothing() {
    let found = vague_types(&root().join("harness"));
    assert_eq!(
        found,
        BTreeSet::new(),
        "name these types after what they are"
    );
}

#[test]
fn vague_names_are_found_whatever_their_visibility() {
    let folder = tempfile::tempdir().unwrap();
    let text = "struct Place {\n}\npub(super) enum State {}\npub type Key<'a> = &'a str;\n\
                pub struct PlaceOfNode;\nfn f() {\n    struct Found;\n}\n";
    std::fs::write(folder.path().join("a.rs"), text).unwrap();
    let expected = ["a.rs: Key", "a.rs: Place", "a.rs: State"].map(str::to_owned);
    assert_eq!(vague_types(folder.path()), expected.into());
}

/// The source files below harness/ that hold a text.
fn files_with(text: &str) -> Vec<PathBuf> {
    let holds = |file: &PathBuf| std::fs::read_to_string(file).unwrap().contains(text);
    let files = all_sources(&root().join("harness")).into_iter();
    files.filter(holds).collect()
}

/// rstest takes a case called `test` for the attribute of a test and adds none of its own, so that
/// no case of the function runs.
#[test]
fn no_case_of_a_test_is_called_test() {
    let files = files_with(concat!("#[case::", "test("));
    assert_eq!(files, [] as [PathBuf; 0], "these functions never run");
    assert_ne!(files_with("#[case::"), [] as [PathBuf; 0], "named cases");
}
