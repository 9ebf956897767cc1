//! `scenario init`: the folder of a new scenario.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{files, input};
use crate::args::Init;
use crate::exit::{CliError, PASSED};
use crate::scenario::{self, NewScenario, SCHEMA_FILE};

pub(super) fn run(options: &Init) -> Result<u8, CliError> {
    let sources = input::read(&options.manifests, false)?.sources;
    let made = scenario::init(&options.name, &sources)
        .map_err(|problems| CliError::Files(problems.into_diagnostics()))?;
    let root = &options.scenarios;
    let taken = made.iter().map(|one| root.join(&one.saved.name));
    if let Some(folder) = taken
        .into_iter()
        .find(|folder| folder.symlink_metadata().is_ok())
    {
        return Err(
            CliError::bad_use(format!("{} exists already", folder.display()))
                .with_help("choose another name, or remove the folder"),
        );
    }
    write_schema(root)?;
    for one in &made {
        write(one, root)?;
        let folder = root.join(&one.saved.name);
        print_lines!(
            "created {} with checks for: {}",
            folder.display(),
            one.checks.join(", ")
        );
        one.notes
            .iter()
            .for_each(|note| print_lines!("note: {note}"));
    }
    let problems: Vec<_> = made
        .iter()
        .filter_map(|one| scenario::load(&root.join(&one.saved.name)).ok())
        .flat_map(|scenario| scenario::unreachable_checks(&scenario))
        .collect();
    problems.iter().for_each(files::show);
    let folder = if root == Path::new("scenarios") {
        String::new()
    } else {
        format!(" --scenarios {}", root.display())
    };
    print_lines!("next: kuberay-conformance run {}{folder}", options.name);
    Ok(PASSED)
}

/// Writes the schema for editors, unless there is one.
fn write_schema(root: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
    let path = root.join(SCHEMA_FILE);
    let schema = format!("{:#}\n", scenario::json_schema());
    // Whole or not at all: half of one would stay for good.
    let create = || {
        let mut file = tempfile::Builder::new()
            .prefix(".init-")
            .permissions(PermissionsExt::from_mode(0o666))
            .tempfile_in(root)?;
        file.write_all(schema.as_bytes())?;
        file.persist_noclobber(&path)?;
        Ok(())
    };
    match create() {
        Err::<(), std::io::Error>(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(unwritable(&path, &error))
        }
        _ => Ok(()),
    }
}

/// Writes a folder whole or not at all.
fn write(made: &NewScenario, root: &Path) -> Result<PathBuf, CliError> {
    let stage = tempfile::Builder::new()
        .prefix(".init-")
        .tempdir_in(root)
        .map_err(|error| unwritable(root, &error))?;
    let inner = stage.path().join(&made.saved.name);
    let written = std::fs::create_dir(&inner).and_then(|()| {
        let mut files = made.saved.files.iter();
        files.try_for_each(|(name, text)| std::fs::write(inner.join(name), text))
    });
    let folder = root.join(&made.saved.name);
    written
        .and_then(|()| std::fs::rename(&inner, &folder))
        .map_err(|error| unwritable(&folder, &error))?;
    Ok(folder)
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Environment(format!("failed to write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::BAD_USE;

    const MANIFEST: &str = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: a}\nspec:\n  \
        headGroupSpec:\n    rayStartParams: {}\n    template:\n      spec:\n        containers:\n        \
        - {name: ray, image: 'rayproject/ray:2.52.0', resources: {limits: {cpu: 1}}}\n";

    fn options(folder: &Path) -> Init {
        let manifest = folder.join("m.yaml");
        std::fs::write(&manifest, MANIFEST).unwrap();
        Init {
            name: "mine".into(),
            manifests: vec![manifest],
            scenarios: folder.join("scenarios"),
        }
    }

    #[test]
    fn a_new_scenario_loads_and_has_a_schema_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        assert_eq!(run(&options).unwrap(), PASSED);
        scenario::load(&options.scenarios.join("mine")).unwrap();
        assert!(options.scenarios.join(SCHEMA_FILE).is_file());
    }

    #[test]
    fn a_folder_that_exists_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let taken = options.scenarios.join("mine");
        std::fs::create_dir_all(&taken).unwrap();
        let error = run(&options).unwrap_err();
        assert_eq!(error.exit_code(), BAD_USE);
        let left = std::fs::read_dir(&taken).unwrap().count();
        assert_eq!(left, 0, "{} was written to", taken.display());
    }
}
