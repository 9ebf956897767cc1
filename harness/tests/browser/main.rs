//! Pages in a real browser: `index.html` of a run, and the site of the documentation. The tests are
//! `page.test.mjs` and `site.test.mjs`; this makes what they open, and runs them.

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

/// Runs tests of a file on the pages of a folder.
fn run(tests: &str, pages: &Path) {
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
        .arg(here.join(tests))
        .env("PAGES", pages)
        .env("DOCS", Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"))
        .env("MODULES", &modules)
        .env(
            "CHROMIUM",
            program(&["chromium", "chromium-browser", "google-chrome"]),
        )
        .status()
        .unwrap();
    assert!(status.success(), "the pages have faults; see above");
}

#[test]
#[ignore = "needs a browser"]
fn the_page_works_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    pages::write(folder.path());
    run("page.test.mjs", folder.path());
}

#[test]
#[ignore = "needs a browser and the site that ci/browser builds"]
fn the_site_works_in_a_browser() {
    let site = std::env::var_os("KUBERAY_CONFORMANCE_SITE");
    let site = site.expect("KUBERAY_CONFORMANCE_SITE is the folder that `ci/site` wrote into");
    run("site.test.mjs", Path::new(&site));
}
