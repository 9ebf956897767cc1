//! The operator's own samples bring no warning, except those of a committed list.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use kuberay_explain::check::{Options, check, may_hold_objects};
use kuberay_manifest::{Severity, Source, yaml};

use crate::load::RELEASES;

/// What `check` reports on samples and why it stays: the finding, the sample and, for some, the
/// place.
fn accepted() -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/samples.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let document = yaml::parse(&Source::new(&path, &text)).unwrap()[0].to_json();
    let mut all = BTreeSet::new();
    for (id, entry) in document.as_object().unwrap() {
        assert!(
            entry["why"].as_str().is_some_and(|why| why.ends_with('.')),
            "{id}"
        );
        for sample in entry["samples"].as_array().unwrap() {
            all.insert((id.clone(), sample.as_str().unwrap().to_owned()));
        }
    }
    all
}

fn samples(release: &str) -> Option<PathBuf> {
    let output = Command::new("go")
        .args(["env", "GOMODCACHE"])
        .output()
        .ok()?;
    let modules = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let module = format!("github.com/ray-project/kuberay/ray-operator@v{release}");
    let folder = modules.join(module).join("config/samples");
    folder.is_dir().then_some(folder)
}

/// `go mod download github.com/ray-project/kuberay/ray-operator@vX.Y.Z` brings a release's samples.
#[test]
#[ignore = "needs go and the operator's modules"]
fn samples_bring_no_warning_but_those_that_are_accepted() {
    let accepted = accepted();
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    let (mut read, mut releases) = (0, 0);
    for release in RELEASES {
        let Some(folder) = samples(release) else {
            continue;
        };
        releases += 1;
        let options = Options::new(vec![release.parse().unwrap()]);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "yaml")
            })
            .collect();
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).unwrap();
            if !may_hold_objects(&text) {
                continue;
            }
            read += 1;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let report = check(&[Source::new(&path, &text)], &options).unwrap();
            for one in report.findings {
                if one.severity == Severity::Note {
                    continue;
                }
                let key = (one.id.clone(), name.clone());
                if !accepted.contains(&key) {
                    wrong.push(format!(
                        "{release} {name}:{}: {}: {}",
                        one.line, one.id, one.message
                    ));
                }
                found.insert(key);
            }
        }
    }
    assert!(releases > 0, "no module of the operator in Go's cache");
    println!("{read} samples of {releases} releases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = accepted.difference(&found).collect();
    assert!(
        unused.is_empty() || releases < RELEASES.len() - 2,
        "nothing reports {unused:?}"
    );
}
