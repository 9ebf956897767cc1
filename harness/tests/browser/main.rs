//! `index.html` in a real browser: makes pages and runs `page.test.mjs` on them, which is the test.

mod pages;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The first program of these on the PATH.
fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut found = candidates.filter(|path| path.is_file());
    found
        .next()
        .unwrap_or_else(|| panic!("none of {names:?} is on the PATH; `ci/browser` installs it"))
}

#[test]
#[ignore = "needs a browser"]
fn the_page_works_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    pages::write(folder.path());
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/browser");
    let modules = std::env::var_os("KUBERAY_CONFORMANCE_BROWSER_MODULES");
    let modules = modules.map_or_else(|| here.clone(), PathBuf::from);
    assert!(
        modules.join("node_modules").is_dir(),
        "{} has no node_modules; `ci/browser` installs them",
        modules.display()
    );
    let status = Command::new(program(&["node"]))
        .arg("--test")
        .arg(here.join("page.test.mjs"))
        .env("PAGES", folder.path())
        .env("MODULES", &modules)
        .env(
            "CHROMIUM",
            program(&["chromium", "chromium-browser", "google-chrome"]),
        )
        .status()
        .unwrap();
    assert!(status.success(), "the page has faults; see above");
}
