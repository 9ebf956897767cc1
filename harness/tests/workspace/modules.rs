//! The modules of a crate and which of them each uses, read from the paths in their sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::sources::{sources, without_tests};

/// The names of a module and those that it lies in, from the root of the crate.
type ModulePath = Vec<String>;
/// Modules with those that each uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// How many re-exports a name may go through.
const DEPTH: usize = 8;

/// The modules of a crate.
pub struct Modules {
    files: BTreeMap<ModulePath, Names>,
    uses: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

/// The names that a file knows.
#[derive(Default)]
struct Names {
    /// Items that it defines.
    items: BTreeSet<String>,
    /// Names that it imports, with their paths.
    imports: BTreeMap<String, ModulePath>,
    /// Modules whose public names it imports as a whole.
    globs: Vec<ModulePath>,
}

impl Modules {
    /// Reads the modules of a crate with this root file.
    pub fn of(root_file: &Path) -> Self {
        let folder = root_file.parent().unwrap();
        let mut texts = BTreeMap::new();
        for file in sources(folder) {
            let module = module_path(folder, &file, root_file);
            texts.insert(
                module,
                without_tests(&std::fs::read_to_string(&file).unwrap()),
            );
        }
        let mut modules = Self {
            files: texts
                .iter()
                .map(|(path, text)| (path.clone(), Names::of(text)))
                .collect(),
            uses: BTreeMap::new(),
        };
        for (module, text) in &texts {
            let paths = modules.paths(module, text);
            let used = paths
                .iter()
                .filter_map(|path| modules.resolved(module, path, 0));
            let used: BTreeSet<ModulePath> = used.filter(|used| used != module).collect();
            modules.uses.insert(module.clone(), used);
        }
        modules
    }

    /// The modules at the root of the crate, with those of them that each uses.
    pub fn top(&self) -> Graph {
        self.siblings(&[])
    }

    /// The modules that use each other in circles, by the module that they lie in. Circles between
    /// single files below the root are not counted: a type and its error may know each other.
    pub fn circles(&self) -> BTreeMap<String, Graph> {
        let parents: BTreeSet<&[String]> = self
            .files
            .keys()
            .flat_map(|path| (0..path.len()).map(|depth| &path[..depth]))
            .collect();
        let circles = parents.into_iter().map(|parent| {
            let mut circles = in_circles(&self.siblings(parent));
            let is_folder = |name: &String| {
                let module = [parent, std::slice::from_ref(name)].concat();
                self.files
                    .keys()
                    .any(|path| path.len() > module.len() && path.starts_with(&module))
            };
            if !parent.is_empty() && !circles.keys().any(is_folder) {
                circles.clear();
            }
            (parent.join("::"), circles)
        });
        circles.filter(|(_, circles)| !circles.is_empty()).collect()
    }

    /// The modules directly in a module, with those of them that each uses.
    fn siblings(&self, parent: &[String]) -> Graph {
        let depth = parent.len();
        let child = |path: &ModulePath| {
            (path.len() > depth && path.starts_with(parent)).then(|| path[depth].clone())
        };
        let mut graph = Graph::new();
        for (module, used) in &self.uses {
            let Some(name) = child(module) else { continue };
            let used = used.iter().filter_map(child).filter(|used| *used != name);
            graph.entry(name.clone()).or_default().extend(used);
        }
        graph
    }

    /// All paths in a file: of its imports and of its code.
    fn paths(&self, module: &ModulePath, text: &str) -> Vec<ModulePath> {
        let names = &self.files[module];
        let mut paths: Vec<ModulePath> = names
            .imports
            .values()
            .chain(&names.globs)
            .cloned()
            .collect();
        for path in paths_in_code(text) {
            let first = &path[0];
            let child = [module.as_slice(), std::slice::from_ref(first)].concat();
            if ["crate", "self", "super"].contains(&first.as_str())
                || self.files.contains_key(&child)
            {
                paths.push(path);
            } else if let Some(import) = names.imports.get(first) {
                paths.push([import.as_slice(), &path[1..]].concat());
            }
        }
        paths
    }

    /// The module of this crate that a path in a module leads to.
    fn resolved(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        let (first, mut rest) = path.split_first()?;
        let mut at = module.clone();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            _ if self.files.contains_key(&[&at[..], &path[..1]].concat()) => rest = path,
            _ => return None,
        }
        while let Some((name, behind)) = rest.split_first() {
            let below = [&at[..], std::slice::from_ref(name)].concat();
            if !self.files.contains_key(&below) {
                break;
            }
            (at, rest) = (below, behind);
        }
        let names = self.files.get(&at)?;
        let Some(name) = rest.first().filter(|name| !names.items.contains(*name)) else {
            return Some(at);
        };
        if depth < DEPTH {
            if let Some(import) = names.imports.get(name) {
                // A module may hand on a name of another crate.
                return self.resolved(&at, import, depth + 1).or(Some(at));
            }
            let from_globs = names
                .globs
                .iter()
                .filter_map(|glob| self.resolved(&at, glob, depth + 1));
            for from in from_globs {
                if self.files[&from].items.contains(name) {
                    return Some(from);
                }
            }
        }
        Some(at)
    }
}

impl Names {
    fn of(text: &str) -> Self {
        let mut names = Self::default();
        for statement in use_statements(text) {
            for (path, name) in expanded(&statement) {
                match name.as_str() {
                    "*" => names.globs.push(path),
                    _ => {
                        names.imports.insert(name, path);
                    }
                }
            }
        }
        for line in text.lines() {
            names.items.extend(item(line.trim_start()));
        }
        names
    }
}

/// The module of a file.
fn module_path(folder: &Path, file: &Path, root_file: &Path) -> ModulePath {
    if file == root_file {
        return Vec::new();
    }
    let path = file.strip_prefix(folder).unwrap().with_extension("");
    path.iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect()
}

/// The name of the item that a line defines.
fn item(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let is_visibility = word == "pub" || word.starts_with("pub(") || word.ends_with(')');
        match word {
            "const" if words.peek() == Some(&"fn") => {}
            "async" | "unsafe" => {}
            "struct" | "enum" | "trait" | "type" | "fn" | "static" | "const" | "macro_rules!" => {
                let name: String = words.next()?.chars().take_while(|c| is_name(*c)).collect();
                return Some(name).filter(|name| !name.is_empty());
            }
            _ if is_visibility => {}
            _ => return None,
        }
    }
    None
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The trees of the `use` statements of a file.
fn use_statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let line = rest[..at]
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim_start();
        let is_statement = line.is_empty() || line == "pub " || line.starts_with("pub(");
        rest = &rest[at + 4..];
        if is_statement && let Some((tree, behind)) = rest.split_once(';') {
            statements.push(tree.to_owned());
            rest = behind;
        }
    }
    statements
}

/// The paths of a `use` tree, each with the name that it brings in. A path that ends in `*` is that
/// of the module.
fn expanded(tree: &str) -> Vec<(ModulePath, String)> {
    let mut found = Vec::new();
    expand(&[], tree.trim(), &mut found);
    found
}

fn expand(prefix: &[String], tree: &str, into: &mut Vec<(ModulePath, String)>) {
    if let Some((head, group)) = tree.split_once('{') {
        let prefix = [prefix, &split_path(head)].concat();
        let group = group.rsplit_once('}').map_or(group, |(inner, _)| inner);
        for part in parts(group) {
            expand(&prefix, part, into);
        }
        return;
    }
    let (path, alias) = tree
        .split_once(" as ")
        .map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut path = [prefix, &split_path(path)].concat();
    if path.len() > 1
        && path
            .last()
            .is_some_and(|name| name == "self" || name == "*")
    {
        let last = path.pop().unwrap_or_default();
        if last == "*" {
            into.push((path, last));
            return;
        }
    }
    let name = alias
        .map(|alias| alias.trim().to_owned())
        .or_else(|| path.last().cloned());
    into.extend(name.map(|name| (path, name)));
}

fn split_path(path: &str) -> ModulePath {
    let names = path
        .split("::")
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The parts of a group between its outer commas.
fn parts(group: &str) -> Vec<&str> {
    let (mut parts, mut open, mut begins) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 0 => {
                parts.push(&group[begins..at]);
                begins = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[begins..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The paths of several names in the code of a file.
fn paths_in_code(text: &str) -> Vec<ModulePath> {
    let words = text.split(|c: char| !is_name(c) && c != ':');
    let paths = words
        .map(|word| word.trim_matches(':'))
        .filter(|word| word.contains("::"));
    paths
        .map(split_path)
        .filter(|path| path.len() > 1)
        .collect()
}

/// The modules that use each other in circles; of what is left, each uses another that is left.
fn in_circles(graph: &Graph) -> Graph {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these files.
    fn modules(files: &[(&str, &str)]) -> Modules {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Modules::of(&folder.path().join("lib.rs"))
    }

    fn graph(pairs: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (module, uses) in pairs {
            graph
                .entry((*module).to_owned())
                .or_default()
                .insert((*uses).to_owned());
        }
        graph
    }

    #[test]
    fn a_circle_at_the_root_is_found_through_groups_re_exports_and_tests_in_front() {
        let modules = modules(&[
            ("lib.rs", "mod low;\nmod high;\nmod top;\npub use low::*;\n"),
            (
                "low.rs",
                "#[cfg(test)]\nmod tests;\nuse super::high::High;\n// crate::top is no use\npub struct Low;\npub fn make() {}\n",
            ),
            (
                "high.rs",
                "use crate::{\n    Low,\n    low::{self, more},\n};\npub struct High;\n",
            ),
            ("top.rs", "fn top() { crate::make() }\n"),
            ("low/tests.rs", "use crate::top::top;\n"),
        ]);
        assert_eq!(
            modules.top(),
            graph(&[("low", "high"), ("high", "low"), ("top", "low")])
        );
        let circles = modules.circles();
        let expected = graph(&[("low", "high"), ("high", "low")]);
        assert_eq!(circles, BTreeMap::from([(String::new(), expected)]));
    }

    #[test]
    fn a_circle_that_a_folder_below_the_root_is_part_of_is_found() {
        let modules = modules(&[
            ("lib.rs", "mod a;\n"),
            ("a.rs", "mod b;\nmod c;\npub use c::inner::Inner;\n"),
            ("a/b.rs", "use super::Inner;\npub fn b() {}\n"),
            ("a/c.rs", "pub mod inner;\n"),
            (
                "a/c/inner.rs",
                "pub struct Inner;\nfn f() { crate::a::b::b() }\n",
            ),
        ]);
        let circles = modules.circles();
        let expected = graph(&[("b", "c"), ("c", "b")]);
        assert_eq!(circles, BTreeMap::from([("a".to_owned(), expected)]));
    }

    #[test]
    fn files_that_know_each_other_below_the_root_are_no_circle_of_folders() {
        let modules = modules(&[
            ("lib.rs", "mod a;\n"),
            ("a.rs", "mod b;\nmod error;\n"),
            ("a/b.rs", "use super::error::Error;\npub struct B;\n"),
            ("a/error.rs", "use super::b::B;\npub struct Error;\n"),
        ]);
        assert_eq!(modules.circles(), BTreeMap::new());
    }
}
