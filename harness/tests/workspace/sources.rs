//! Source files without their tests.

use std::path::{Path, PathBuf};

/// Folders and files of tests and of code that is no part of a crate.
const LEFT_OUT: [&str; 6] = [
    "tests",
    "tests.rs",
    "benches",
    "examples",
    "mutated.rs",
    "node_modules",
];

/// Returns the source files below a folder, those of tests left out.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    below(folder, &LEFT_OUT)
}

/// Returns all source files below a folder.
pub fn all_sources(folder: &Path) -> Vec<PathBuf> {
    below(folder, &[])
}

fn below(folder: &Path, left_out: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if left_out.contains(&name) {
            continue;
        }
        if path.is_dir() {
            files.extend(below(&path, left_out));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Returns the code of a file without comment lines and without what is compiled for tests alone.
///
/// `mod tests;` may stand anywhere; a module of tests in the file ends it.
pub fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line != "#[cfg(test)]" {
            code.push_str(line);
            code.push('\n');
            continue;
        }
        while lines.peek().is_some_and(|next| next.starts_with("#[")) {
            lines.next();
        }
        // The item that the attribute belongs to.
        match lines.next() {
            Some(item) if item.ends_with(';') => {}
            Some(item) if item.starts_with("mod ") => break,
            _ => while lines.next().is_some_and(|inner| !inner.starts_with('}')) {},
        }
    }
    code
}

#[test]
fn what_is_compiled_for_tests_is_left_out() {
    let text = "#[cfg(test)]\nmod tests;\n// a comment\nuse a;\n#[cfg(test)]\n#[path = \"x\"]\nmod x;\n\
                #[cfg(test)]\nfn helper() {\n    b();\n}\nfn kept() {}\n#[cfg(test)]\nmod inner {\n    use c;\n}\n";
    assert_eq!(without_tests(text), "use a;\nfn kept() {}\n");
}
