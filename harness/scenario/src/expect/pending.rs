//! Pending snapshots: found, accepted, rejected.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kuberay_contract::CLASSES;
use semver::Version;

use super::folder::governing;
use super::name::{BOUND, PENDING};
use super::{ExpectError, SnapshotFile, SnapshotName, diff};
use crate::align::{WordChange, changes};

/// A pending snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its file, `….snap.new`.
    pub path: PathBuf,
    /// The file that it becomes when it is accepted.
    pub target: PathBuf,
    /// What it is of, and from which class of releases on.
    pub name: SnapshotName,
    /// What it holds.
    pub new: SnapshotFile,
    /// The snapshot that speaks for its releases now, and its file.
    pub old: Option<(PathBuf, SnapshotFile)>,
    /// The releases that the run covered: those of every pending snapshot of the same subject.
    pub covered: BTreeSet<Version>,
}

/// Finds every pending snapshot in a folder and the folders below it, sorted, older classes first;
/// hidden folders and `target` are left out.
///
/// # Errors
/// When a folder can't be read, or a pending snapshot or the one that it would replace is
/// malformed.
pub fn pending(root: &Path) -> Result<Vec<Pending>, ExpectError> {
    let mut found = Vec::new();
    collect(root, &mut found)?;
    let mut covered: BTreeMap<(PathBuf, String), BTreeSet<Version>> = BTreeMap::new();
    let subject = |one: &Pending| {
        let folder = one.path.parent().unwrap_or(Path::new("."));
        (folder.to_owned(), one.name.subject.clone())
    };
    for one in &found {
        let releases = covered.entry(subject(one)).or_default();
        releases.extend(one.new.header.operator.iter().cloned());
    }
    for one in &mut found {
        one.covered = covered.get(&subject(one)).cloned().unwrap_or_default();
    }
    found.sort_by_cached_key(|one| {
        let folder = one.path.parent().map(Path::to_owned);
        (
            folder,
            one.name.subject.clone(),
            one.name.class.since.clone(),
        )
    });
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<Pending>) -> Result<(), ExpectError> {
    for entry in fs::read_dir(folder).map_err(ExpectError::read(folder))? {
        let entry = entry.map_err(ExpectError::read(folder))?;
        let (path, file) = (entry.path(), entry.file_name());
        let file = file.to_string_lossy();
        let kind = entry.file_type().map_err(ExpectError::read(&path))?;
        if kind.is_dir() {
            if !file.starts_with('.') && file != "target" {
                collect(&path, found)?;
            }
        } else if file.contains(BOUND) && file.ends_with(PENDING) {
            let name = SnapshotName::parse(&file).ok_or_else(|| ExpectError::Malformed {
                path: path.clone(),
                reason:
                    "its name contains a subject or a class of releases that this release of the \
                    harness does not support"
                        .into(),
            })?;
            found.push(Pending {
                new: SnapshotFile::read(&path)?,
                target: folder.join(name.to_string()),
                path,
                old: speaking(folder, &name)?,
                name,
                covered: BTreeSet::new(),
            });
        }
    }
    Ok(())
}

/// The snapshot that speaks now for a class of releases.
fn speaking(
    folder: &Path,
    name: &SnapshotName,
) -> Result<Option<(PathBuf, SnapshotFile)>, ExpectError> {
    let Some(path) = governing(folder, name) else {
        return Ok(None);
    };
    let snapshot = SnapshotFile::read(&path)?;
    Ok(Some((path, snapshot)))
}

impl Pending {
    /// Looks again at the snapshot that speaks now for its releases; accepting another one may have
    /// changed it.
    ///
    /// # Errors
    /// When that snapshot can't be read.
    pub fn refreshed(&self) -> Result<Pending, ExpectError> {
        let folder = self.target.parent().unwrap_or(Path::new("."));
        let old = speaking(folder, &self.name)?;
        Ok(Pending {
            old,
            ..self.clone()
        })
    }

    /// How it differs from the snapshot that stands now; all of it when there is none.
    pub fn diff(&self) -> String {
        match &self.old {
            Some((path, old)) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                diff(&old.body, &self.new.body, &file)
            }
            None => format!("+{}", self.new.body.replace('\n', "\n+")),
        }
    }

    /// The words in which it differs from what stands now; none where there is nothing yet, because
    /// all of that has to be read.
    pub(super) fn changes(&self) -> Option<Vec<WordChange>> {
        let (_, old) = self.old.as_ref()?;
        Some(changes(&old.body, &self.new.body))
    }

    /// The file that speaks for its releases until it is accepted, and the releases that keep that
    /// file, where it says something else: accepting splits it.
    pub fn splits(&self) -> Option<(&Path, Vec<&Version>)> {
        let (path, old) = self.old.as_ref()?;
        let releases = old.header.operator.iter();
        let kept: Vec<&Version> = releases
            .filter(|release| !self.speaks_for(release))
            .collect();
        let splits = *path != self.target && old.body != self.new.body && !kept.is_empty();
        splits.then_some((path, kept))
    }

    fn speaks_for(&self, release: &Version) -> bool {
        (release.major, release.minor) >= (self.name.class.since.major, self.name.class.since.minor)
    }

    /// Releases that the snapshot which stands now was verified on, that accepting would take from
    /// it, and that the run which wrote this one did not cover.
    pub fn uncovered(&self) -> Vec<Version> {
        let Some((_, old)) = self
            .old
            .as_ref()
            .filter(|(_, old)| old.body != self.new.body)
        else {
            return Vec::new();
        };
        let releases = old.header.operator.iter();
        releases
            .filter(|release| self.speaks_for(release) && !self.covered.contains(release))
            .cloned()
            .collect()
    }
}

/// Makes a pending snapshot the one that counts; returns the file that now holds it.
///
/// Where the snapshot that speaks for its releases already says the same, only that one's header
/// grows, so that one file stands for all classes that are alike. Where an older class's snapshot
/// spoke for them and says something else, they leave that one's header.
///
/// # Errors
/// Without `partial`, when [`Pending::uncovered`] names releases; when a file can't be read,
/// written or removed.
pub fn accept(pending: &Pending, partial: bool) -> Result<PathBuf, ExpectError> {
    let pending = pending.refreshed()?;
    let releases = pending.uncovered();
    let target = match pending.old.clone() {
        Some((path, mut old)) if old.body == pending.new.body => {
            if old.header.merge(&pending.new.header) {
                old.write(&path)?;
            }
            path
        }
        Some((path, _)) if !releases.is_empty() && !partial => {
            return Err(ExpectError::Partial { path, releases });
        }
        old => {
            pending.new.write(&pending.target)?;
            if let Some((path, mut old)) = old.filter(|(path, _)| *path != pending.target) {
                old.header
                    .operator
                    .retain(|release| !pending.speaks_for(release));
                old.write(&path)?;
            }
            join_next(&pending)?;
            pending.target.clone()
        }
    };
    reject(&pending)?;
    Ok(target)
}

/// Joins the file of the next class with the one that was just written, where both say the same:
/// one file then stands for the releases of both.
fn join_next(pending: &Pending) -> Result<(), ExpectError> {
    let folder = pending.target.parent().unwrap_or(Path::new("."));
    let next = CLASSES
        .iter()
        .filter(|class| class.since > pending.name.class.since)
        .map(|class| folder.join(pending.name.of_class(class).to_string()))
        .find(|path| path.symlink_metadata().is_ok());
    let Some(path) = next else { return Ok(()) };
    let next = SnapshotFile::read(&path)?;
    if next.body != pending.new.body {
        return Ok(());
    }
    let mut joined = pending.new.clone();
    joined.header.merge(&next.header);
    joined.write(&pending.target)?;
    fs::remove_file(&path).map_err(ExpectError::write(&path, "removed"))
}

/// Removes a pending snapshot.
///
/// # Errors
/// When it can't be removed.
pub fn reject(pending: &Pending) -> Result<(), ExpectError> {
    fs::remove_file(&pending.path).map_err(ExpectError::write(&pending.path, "removed"))
}
