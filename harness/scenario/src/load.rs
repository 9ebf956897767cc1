//! A scenario folder becomes a [`Scenario`], or everything that is wrong with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kuberay_manifest::yaml::{self, Node};
use kuberay_manifest::{Diagnostic, DiagnosticResult, Diagnostics, Source};
use semver::{Version, VersionReq};

use super::{Location, Scenario, ScenarioFile, files, json_schema, parse_duration, rules, shape};

/// The name that every scenario file has.
const FILE_NAME: &str = "scenario.yaml";

/// Lines of a check after its first one that reports show.
const EXCERPT: usize = 14;

/// Reads one scenario; `path` is its folder or its `scenario.yaml`.
///
/// # Errors
/// Everything that is wrong with the file, each with its place.
pub fn load(path: &Path) -> Result<Scenario, Diagnostics> {
    let file = if path.is_dir() {
        path.join(FILE_NAME)
    } else {
        path.into()
    };
    let source = read(&file)?;
    let tree = parse(&source)?;
    Ok(build(&source, &tree)?)
}

/// Reads a scenario file, which must lie in its folder.
pub(super) fn read(file: &Path) -> DiagnosticResult<Source> {
    read_file(
        file.parent()
            .filter(|folder| *folder != "")
            .unwrap_or(Path::new(".")),
        file,
    )
}

/// Reads every `<root>/*/scenario.yaml`, sorted by name; `root` may also be the folder of one
/// scenario.
///
/// # Errors
/// Everything that is wrong with any of the files, or that there are none.
pub fn load_all(root: &Path) -> Result<Vec<Arc<Scenario>>, Diagnostics> {
    let mut scenarios = Vec::new();
    let mut problems = Vec::new();
    let folders = folders(root)?;
    for file in folders
        .iter()
        .map(|folder| folder.join(FILE_NAME))
        .filter(|file| file.exists())
    {
        match load(&file) {
            Ok(scenario) => scenarios.push(Arc::new(scenario)),
            Err(errors) => problems.extend(errors.into_diagnostics()),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if scenarios.is_empty() {
        return Err(vec![none_found(root)].into());
    }
    scenarios.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(scenarios)
}

/// Reads a file of a folder.
///
/// # Errors
/// When [`files::read`] refuses it, or it is not UTF-8.
pub(super) fn read_file(folder: &Path, path: &Path) -> DiagnosticResult<Source> {
    let failed = |why: String| {
        vec![Diagnostic::of_file(
            path,
            format!("{} {why}", path.display()),
        )]
    };
    let bytes = files::read(folder, path).map_err(|error| failed(error.to_string()))?;
    let text =
        String::from_utf8(bytes).map_err(|error| failed(format!("can't be read: {error}")))?;
    Ok(Source::new(path, &text))
}

/// The root itself where it is a scenario's folder, else the folders below it that are not hidden,
/// sorted. A link to a folder is an error: what it links to may be another scenario's folder, and
/// two cases would have one id.
pub(super) fn folders(root: &Path) -> DiagnosticResult<Vec<PathBuf>> {
    if root.is_file() {
        let problem = Diagnostic::of_file(root, format!("{} is a file", root.display()));
        let help =
            "name a scenario's folder, or the folder that contains them, with --scenarios DIR";
        return Err(vec![problem.with_help(help)]);
    }
    if root.join(FILE_NAME).exists() {
        return Ok(vec![root.to_owned()]);
    }
    let failed = |error: std::io::Error| {
        let message = format!(
            "the scenario folder {} can't be read: {error}",
            root.display()
        );
        vec![Diagnostic::of_file(root, message).with_help(
            "name the folder with the scenarios with --scenarios DIR, or change to the folder above `scenarios`",
        )]
    };
    let mut folders = Vec::new();
    let mut links = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden || !entry.path().is_dir() {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_symlink() {
            let problem = Diagnostic::of_file(&entry.path(), "the scenario folder is a link");
            links.push(problem.with_help("put the folder itself here, or remove the link"));
        }
        folders.push(entry.path());
    }
    if !links.is_empty() {
        return Err(links);
    }
    folders.sort();
    Ok(folders)
}

pub(super) fn none_found(root: &Path) -> Diagnostic {
    Diagnostic::of_file(root, format!("{} contains no scenario", root.display())).with_help(
        format!("each scenario is a folder of its own with a {FILE_NAME}"),
    )
}

pub(super) fn file_of(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Reads the one document of a scenario file.
pub(super) fn parse(source: &Source) -> DiagnosticResult<Node> {
    let mut documents = yaml::parse(source)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(tree), true) => Ok(tree),
        (Some(second), false) => {
            let problem = source.error(&second.place, "a scenario file contains one document");
            Err(vec![
                problem.with_help("put each scenario in a folder of its own"),
            ])
        }
        (None, _) => Err(vec![Diagnostic::of_file(
            &source.path,
            "the scenario file is empty",
        )]),
    }
}

/// Checks a tree and makes a scenario of it.
pub(super) fn build(source: &Source, tree: &Node) -> DiagnosticResult<Scenario> {
    let dir = source.folder();
    let folder = dir
        .canonicalize()
        .ok()
        .and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned()));
    let mut problems = shape::check(&json_schema(), source, tree);
    problems.extend(rules::check(source, tree, &folder.unwrap_or_default()));
    if !problems.is_empty() {
        return Err(problems);
    }
    // The schema is made from the same types, so what follows can only fail where the two disagree.
    let unexpected =
        |error: &dyn std::error::Error| vec![Diagnostic::of_file(&source.path, error.to_string())];
    let file: ScenarioFile =
        serde_json::from_value(tree.to_json()).map_err(|error| unexpected(&error))?;
    let checks = tree.get("spec").and_then(|spec| spec.get("checks"));
    let checks = checks.map_or(&[][..], Node::items).iter();
    let check_locations: Vec<Location> = checks.map(|check| check.place.location).collect();
    let lines: Vec<&str> = source.text.lines().collect();
    Ok(Scenario {
        dir: dir.into(),
        path: source.path.clone(),
        check_texts: check_locations
            .iter()
            .map(|location| excerpt(&lines, *location))
            .collect(),
        check_locations,
        operator: VersionReq::parse(&file.spec.operator).map_err(|error| unexpected(&error))?,
        ray: VersionReq::parse(&file.spec.ray).map_err(|error| unexpected(&error))?,
        upgrade_from: match &file.spec.upgrade_from {
            Some(text) => Some(Version::parse(text).map_err(|error| unexpected(&error))?),
            None => None,
        },
        timeout: match &file.spec.timeout {
            Some(text) => parse_duration(text).map_err(|error| unexpected(&error))?,
            None => super::model::DEFAULT_TIMEOUT,
        },
        file,
    })
}

/// The lines of the entry of a list that begins at a location: up to the first line that is
/// indented less.
fn excerpt(lines: &[&str], location: Location) -> String {
    let indent = location.column.saturating_sub(1);
    let is_deeper = |line: &&&str| {
        let bare = line.trim_start_matches(' ');
        bare.is_empty() || line.len() - bare.len() >= indent
    };
    let mut rest = lines.iter().skip(location.line.saturating_sub(1));
    let first = rest.next().copied().unwrap_or_default();
    let more = rest.take_while(is_deeper).take(EXCERPT).copied();
    let text: Vec<&str> = std::iter::once(first).chain(more).collect();
    text.join("\n").trim_end().to_owned()
}
