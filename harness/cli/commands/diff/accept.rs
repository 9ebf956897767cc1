//! `diff --accept-as`: writes what a new release needs into a checkout of this project.

use std::path::{Path, PathBuf};

use semver::Version;

use crate::contract::CLASSES;
use crate::diff::DiffOutcome;
use crate::exit::CliError;
use crate::report::{write_atomically, write_in_folder};
use crate::scenario::diff::{Skeleton, skeleton};

const CLASSES_FILE: &str = "harness/contract/src/classes.rs";
const FEATURES_FILE: &str = "harness/contract/src/features.rs";

/// Where a new release is written.
#[derive(Debug)]
pub(super) struct Accepting {
    new: Version,
    destination: Destination,
}

#[derive(Debug)]
enum Destination {
    /// The folder of a checkout.
    Checkout(PathBuf),
    /// A folder of its own.
    Folder(PathBuf),
}

impl Accepting {
    /// Finds where to write: `output`, else the checkout that the folder of scenarios is part of.
    pub(super) fn new(
        new: &Version,
        output: Option<&Path>,
        scenarios: &Path,
    ) -> Result<Self, CliError> {
        let newest = &CLASSES[CLASSES.len() - 1];
        if *new <= newest.since {
            let message = format!("KubeRay {new} is no new release: {} is known", newest.name);
            return Err(CliError::bad_use(message)
                .with_help("--accept-as takes a release that is newer than every class"));
        }
        let checkout = scenarios.parent().filter(|root| {
            let files = [CLASSES_FILE, FEATURES_FILE];
            files.iter().all(|file| root.join(file).is_file())
        });
        let destination = match (output, checkout) {
            (Some(folder), _) => Destination::Folder(folder.join(new.to_string())),
            (None, Some(root)) => Destination::Checkout(root.into()),
            (None, None) => {
                let scenarios = scenarios.display();
                let message = format!("{scenarios} is not in a checkout of this project");
                return Err(CliError::bad_use(message).with_help(
                    "name the checkout's scenarios with --scenarios, or a folder with --output",
                ));
            }
        };
        let new = new.clone();
        Ok(Self { new, destination })
    }

    /// Writes the snapshots and the skeleton.
    pub(super) fn write(&self, outcome: &DiffOutcome) -> Result<(), CliError> {
        let new = &self.new;
        let (snapshots, skeleton) = (&outcome.recorded, skeleton(new, &outcome.diff.entries));
        if snapshots.is_empty() && skeleton.count == 0 {
            let newest = &CLASSES[CLASSES.len() - 1];
            print_problem!(
                "KubeRay {new} belongs to the class {}; nothing is to be written",
                newest.name
            );
            return Ok(());
        }
        let root = match &self.destination {
            Destination::Checkout(root) => {
                for one in snapshots {
                    write_atomically(&one.dir.join(&one.file), &one.text)?;
                }
                add(root, &skeleton)?;
                root
            }
            Destination::Folder(folder) => {
                for one in snapshots {
                    let dir = folder.join("scenarios").join(&one.scenario);
                    write_in_folder(&dir.join(&one.file), &one.text)?;
                }
                write_in_folder(&folder.join("skeleton.rs"), &skeleton.text())?;
                folder
            }
        };
        print_problem!(
            "wrote KubeRay {new} to {}: {} snapshots, a class and {} features",
            root.display(),
            snapshots.len(),
            skeleton.count
        );
        if matches!(self.destination, Destination::Checkout(_)) {
            print_problem!("next: cargo test --workspace --lib lists what is left to do");
        }
        Ok(())
    }
}

/// Adds the class and the features to the sources of the contract.
fn add(root: &Path, skeleton: &Skeleton) -> Result<(), CliError> {
    let read = |file: &str| {
        let path = root.join(file);
        std::fs::read_to_string(&path)
            .map_err(|error| CliError::Environment(format!("reading {}: {error}", path.display())))
    };
    let (classes, features) = (read(CLASSES_FILE)?, read(FEATURES_FILE)?);
    let Some((classes, features)) = skeleton.add_to(&classes, &features) else {
        let message = format!("{CLASSES_FILE} or {FEATURES_FILE} has another form");
        return Err(CliError::Environment(message)
            .with_help("use --output DIR, and add skeleton.rs by hand"));
    };
    write_atomically(&root.join(CLASSES_FILE), &classes)?;
    write_atomically(&root.join(FEATURES_FILE), &features)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assert_matches::assert_matches;

    #[test]
    fn a_new_release_is_written_into_the_checkout_of_its_scenarios() {
        let root = tempfile::tempdir().unwrap();
        let scenarios = root.path().join("scenarios");
        let new = Version::new(99, 0, 0);
        let refused = |new: &Version| {
            let error = Accepting::new(new, None, &scenarios).unwrap_err();
            error.to_string()
        };
        assert!(
            refused(&new).contains("not in a checkout"),
            "{}",
            refused(&new)
        );
        let own = Accepting::new(&new, Some(Path::new("o")), &scenarios).unwrap();
        let expected = Path::new("o/99.0.0");
        assert_matches!(own.destination, Destination::Folder(folder) if folder == expected);
        std::fs::create_dir_all(root.path().join("harness/contract/src")).unwrap();
        for file in [CLASSES_FILE, FEATURES_FILE] {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        let own = Accepting::new(&new, None, &scenarios).unwrap();
        assert_matches!(own.destination, Destination::Checkout(folder) if folder == root.path());
        let newest = CLASSES[CLASSES.len() - 1].since.clone();
        assert!(
            refused(&newest).contains("no new release"),
            "{}",
            refused(&newest)
        );
    }
}
