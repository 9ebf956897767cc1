//! Everything that can be found wrong with a folder of scenarios without a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kuberay_conformance_pins::Pins;
use kuberay_contract::CLASSES;
use kuberay_manifest::yaml::Node;
use kuberay_manifest::{Diagnostic, Location, Source, each_object, sort};

use semver::{Version, VersionReq};

use super::load::read_file;
use super::scope::is_cluster_scoped;
use super::{Check, Scenario, files, load, unreachable_checks};
use crate::expect::{SnapshotFile, SnapshotName};
use crate::plan::includes;

/// Checks every scenario below a folder: the files themselves, their manifests and their snapshots.
pub fn lint(root: &Path) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let folders = match load::folders(root) {
        Ok(folders) => folders,
        Err(problems) => return problems,
    };
    if folders.is_empty() {
        return vec![load::none_found(root)];
    }
    if !folders.iter().any(|folder| load::file_of(folder).exists()) {
        problems.push(load::none_found(root));
    }
    let mut names = BTreeMap::new();
    for folder in folders {
        problems.extend(lint_folder(&folder, &mut names));
    }
    sort(&mut problems);
    problems
}

/// `names` holds the names seen so far and the files that gave them.
fn lint_folder(folder: &Path, names: &mut BTreeMap<String, PathBuf>) -> Vec<Diagnostic> {
    let file = load::file_of(folder);
    if !file.exists() {
        let problem = Diagnostic::of_file(folder, "this folder contains no scenario.yaml");
        let problem = problem.with_help("add one, or remove the folder");
        // What lies here was to be a scenario, and never runs.
        let looks_like_one = file_names(folder).iter().map(Path::new).any(|name| {
            is_yaml(name)
                || name
                    .extension()
                    .is_some_and(|extension| extension == "snap")
        });
        return vec![if looks_like_one {
            problem
        } else {
            problem.into_warning()
        }];
    }
    let (source, tree) =
        match load::read(&file).and_then(|source| Ok((load::parse(&source)?, source))) {
            Ok((tree, source)) => (source, tree),
            Err(problems) => return problems,
        };
    let mut problems = unique_name(&source, &tree, names);
    problems.extend(lint_manifests(&source, &tree));
    match load::build(&source, &tree) {
        Ok(scenario) => {
            problems.extend(unreachable_checks(&scenario));
            problems.extend(empty_ranges(&source, &tree, &scenario));
            problems.extend(lint_snapshots(&source, &scenario));
        }
        Err(found) => problems.extend(found),
    }
    problems
}

fn unique_name(
    source: &Source,
    tree: &Node,
    names: &mut BTreeMap<String, PathBuf>,
) -> Vec<Diagnostic> {
    let node = tree
        .get("metadata")
        .and_then(|metadata| metadata.get("name"));
    let Some((node, name)) = node.and_then(|node| Some((node, node.text()?))) else {
        return Vec::new();
    };
    match names.insert(name.to_string(), source.path.clone()) {
        Some(first) => {
            let message = format!("the name `{name}` is already that of {}", first.display());
            vec![source.error(&node.place, message)]
        }
        None => Vec::new(),
    }
}

/// The manifests beside the scenario must be readable, and each of them listed.
fn lint_manifests(source: &Source, tree: &Node) -> Vec<Diagnostic> {
    let folder = source.folder();
    let manifests = tree.get("spec").and_then(|spec| spec.get("manifests"));
    let steps = tree.get("spec").and_then(|spec| spec.get("steps"));
    let later = ["apply", "applyBetween"]
        .into_iter()
        .filter_map(|key| steps.and_then(|steps| steps.get(key)));
    let listed: BTreeSet<&str> = manifests
        .map_or(&[][..], Node::items)
        .iter()
        .chain(later)
        .filter_map(Node::text)
        .collect();
    let mut problems = Vec::new();
    for name in file_names(folder) {
        let file = folder.join(&name);
        if listed.contains(name.as_str()) {
            // A file that may not be read is reported where the scenario names it.
            if files::open(folder, &file).is_ok() {
                let found = read_file(folder, &file).map(|file| lint_manifest(&file));
                problems.extend(found.unwrap_or_else(|problems| problems));
            }
        } else if is_yaml(&file) && file != source.path {
            let problem = Diagnostic::of_file(&file, "no entry of `manifests` names this file");
            problems.push(
                problem
                    .with_help("list it in the scenario, or remove it")
                    .into_warning(),
            );
        }
    }
    problems
}

/// A manifest must be readable, and each of its objects belong to a namespace.
fn lint_manifest(source: &Source) -> Vec<Diagnostic> {
    let found = each_object(source, |object| {
        let api_version = object.get("apiVersion")?.text()?;
        let kind = object.get("kind")?;
        let name = kind.text()?;
        is_cluster_scoped(api_version, name).then(|| {
            let message =
                format!("a {name} belongs to no namespace, so that it would outlive the run");
            let help = "leave it out: a run refuses it; scenarios may hold namespaced objects only";
            source.error(&kind.place, message).with_help(help)
        })
    });
    found.map_or_else(
        |problems| problems,
        |found| found.into_iter().flatten().collect(),
    )
}

/// Each `pod` check needs its snapshots, and each snapshot its check. Names and contents are read
/// as a run reads them.
fn lint_snapshots(source: &Source, scenario: &Scenario) -> Vec<Diagnostic> {
    let present: Vec<(PathBuf, Option<SnapshotName>)> = file_names(&scenario.dir)
        .into_iter()
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "snap")
        })
        .map(|name| (scenario.dir.join(&name), SnapshotName::parse(&name)))
        .collect();
    let mut problems = Vec::new();
    let mut needed = BTreeSet::new();
    let mut missing = Vec::new();
    for (check, location) in scenario
        .file
        .spec
        .checks
        .iter()
        .zip(&scenario.check_locations)
    {
        let Check::Pod(pod) = check else { continue };
        for subject in pod.subjects() {
            let subject = subject.name();
            if !present
                .iter()
                .flat_map(|(_, name)| name)
                .any(|name| name.subject == subject)
            {
                missing.push((subject.clone(), *location));
            }
            needed.insert(subject);
        }
    }
    problems.extend(no_snapshots(source, scenario, &missing));
    for (path, name) in present {
        match name {
            None => {
                let problem = Diagnostic::of_file(&path, "the name is not that of a snapshot");
                problems.push(problem.with_help(name_help(&path)));
            }
            Some(name) if !needed.contains(&name.subject) => {
                let problem = Diagnostic::of_file(&path, "no check refers to this snapshot");
                problems.push(problem.with_help("remove it, or add its field to a `pod` check"));
            }
            Some(_) => {
                let read = SnapshotFile::read(&path);
                problems.extend(
                    read.err()
                        .map(|error| Diagnostic::of_file(&path, error.to_string())),
                );
            }
        }
    }
    problems
}

/// A range of versions without a pinned release leaves the scenario out of every run, and nothing
/// tells.
fn empty_ranges(source: &Source, tree: &Node, scenario: &Scenario) -> Vec<Diagnostic> {
    let pins = Pins::embedded();
    let operators: Vec<&Version> = pins.operators.releases.keys().collect();
    let rays: Vec<&Version> = pins.ray.releases.keys().collect();
    let ranges = [
        ("operator", "KubeRay", &scenario.operator, operators),
        ("ray", "Ray", &scenario.ray, rays),
    ];
    let problem = |(key, name, range, releases): (&str, &str, &VersionReq, Vec<&Version>)| {
        if releases.iter().any(|release| includes(range, release)) {
            return None;
        }
        let node = tree.get("spec")?.get(key)?;
        let message = format!("no pinned release of {name} is in the range, so no run includes it");
        let names: Vec<String> = releases.iter().map(ToString::to_string).collect();
        let help = format!("widen the range; pinned are {}", names.join(", "));
        Some(source.error(&node.place, message).with_help(help))
    };
    ranges.into_iter().filter_map(problem).collect()
}

/// One line for all snapshots that a scenario lacks, at the first check that needs one.
fn no_snapshots(
    source: &Source,
    scenario: &Scenario,
    missing: &[(String, Location)],
) -> Option<Diagnostic> {
    let (first, location) = missing.first()?;
    let place = source.rest_of_line(*location);
    let message = match missing.len() - 1 {
        0 => format!("there is no snapshot `{first}@ge-X.Y.Z.snap`"),
        more => format!("there is no snapshot `{first}@ge-X.Y.Z.snap` (nor {more} more)"),
    };
    let name = scenario.name();
    let help =
        format!("`kuberay-conformance run {name}`, then `kuberay-conformance snapshot review`");
    Some(source.error(&place, message).with_help(help))
}

/// What the name of a snapshot should be.
fn name_help(path: &Path) -> String {
    let form = "a snapshot is named like `head.args@ge-1.4.0.snap`";
    if !path.to_string_lossy().contains("@ge-") {
        return form.into();
    }
    let classes: Vec<_> = CLASSES.iter().map(|class| class.name).collect();
    format!("{form}, with one of the classes {}", classes.join(", "))
}

fn is_yaml(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Names of what lies in a folder beside other folders, sorted.
fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
