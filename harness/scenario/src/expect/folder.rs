//! The snapshots beside a scenario, as one operator release sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kuberay_contract::{CLASSES, class_of};
use semver::Version;
use serde_json::Value;

use super::{Context, ExpectError, Header, SnapshotFile, SnapshotName, diff, normalise, render};
use crate::check::{Comparison, Expectations, Subject};

/// What the case runs on, for the headers of snapshots, and whether pending ones are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Release of Ray; none where nothing starts containers, so that no Ray ran.
    pub ray: Option<Version>,
    /// Images of the operator and of Ray, as `name@sha256:…`.
    pub images: Vec<String>,
    /// Write what is missing or different as pending; see [`pending_allowed`].
    pub write_pending: bool,
}

/// Whether pending snapshots may be written: not when the variable `CI` (given here) is set to
/// anything but `false`, `0` or nothing.
pub fn pending_allowed(ci: Option<&str>) -> bool {
    matches!(ci, None | Some("" | "0" | "false"))
}

/// The snapshots of one scenario's folder for one case.
#[derive(Debug)]
pub struct SnapshotFolder {
    dir: PathBuf,
    context: Context,
    verified: Verified,
    state: Mutex<FolderState>,
}

#[derive(Debug, Default)]
struct FolderState {
    /// Snapshots that were equal when last compared.
    equal: BTreeMap<Subject, PathBuf>,
    problems: BTreeSet<String>,
}

/// Cases of one run share pending files, which are read, merged and written.
static WRITING: Mutex<()> = Mutex::new(());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the mutexes here guard is whole after every statement, so a panic elsewhere does no
    // harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The snapshot that speaks for a release: of the files that exist, the one with the greatest bound
/// not above it.
pub fn snapshot_path(dir: &Path, subject: &Subject, operator: &Version) -> Option<PathBuf> {
    governing(dir, &SnapshotName::new(subject, class_of(operator)))
}

/// The existing snapshot of the named subject with the greatest bound not above the name's.
pub(super) fn governing(dir: &Path, name: &SnapshotName) -> Option<PathBuf> {
    CLASSES
        .iter()
        .rev()
        .filter(|class| class.since <= name.class.since)
        .map(|class| dir.join(name.of_class(class).to_string()))
        // What is no file is an error when it is read, not a reason to take that of an older class.
        .find(|path| path.symlink_metadata().is_ok())
}

impl SnapshotFolder {
    /// Looks at a scenario's folder for a case with this operator release in this namespace.
    pub fn new(
        dir: impl Into<PathBuf>,
        operator: Version,
        namespace: impl Into<String>,
        verified: Verified,
    ) -> SnapshotFolder {
        SnapshotFolder {
            dir: dir.into(),
            context: Context {
                namespace: namespace.into(),
                operator,
            },
            verified,
            state: Mutex::default(),
        }
    }

    /// What went wrong beside the comparisons themselves, as sentences: pending snapshots that
    /// could not be written, or that replaced one of another release.
    pub fn problems(&self) -> Vec<String> {
        lock(&self.state).problems.iter().cloned().collect()
    }

    /// Adds this case's releases and images to the headers of the snapshots that were equal when
    /// last compared; returns those that changed.
    ///
    /// # Errors
    /// When a snapshot can't be read or written.
    pub fn record_verified(&self) -> Result<Vec<PathBuf>, ExpectError> {
        let _guard = lock(&WRITING);
        let equal: BTreeSet<_> = lock(&self.state).equal.values().cloned().collect();
        let mut changed = Vec::new();
        for path in equal {
            let mut snapshot = SnapshotFile::read(&path)?;
            if snapshot.header.merge(&self.header("")) {
                snapshot.write(&path)?;
                changed.push(path);
            }
        }
        Ok(changed)
    }

    fn header(&self, expression: &str) -> Header {
        let names = |path: &Path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let folders = [self.dir.parent().and_then(names), names(&self.dir)];
        let mut source: Vec<_> = folders.into_iter().flatten().collect();
        source.push("scenario.yaml".into());
        let mut images = self.verified.images.clone();
        images.sort();
        Header {
            source: source.join("/"),
            expression: expression.into(),
            operator: vec![self.context.operator.clone()],
            ray: self.verified.ray.iter().cloned().collect(),
            images,
        }
    }

    fn write_pending(&self, name: &SnapshotName, body: &str) {
        if !self.verified.write_pending {
            return;
        }
        let _guard = lock(&WRITING);
        let path = self.dir.join(name.pending());
        let mut new = SnapshotFile {
            header: self.header(&name.subject),
            body: body.into(),
        };
        // One that can't be read is from an interrupted or foreign hand, and is replaced.
        let old = SnapshotFile::read(&path).ok();
        if let Some(old) = &old {
            if old.body == new.body {
                new.header.merge(&old.header);
            } else if old.header.operator != new.header.operator {
                let releases: Vec<_> = old
                    .header
                    .operator
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                self.problem(format!(
                    "the pending {path} of KubeRay {} was replaced by a different one of {}: run them apart, and see \
                     whether their class must be split",
                    releases.join(", "),
                    self.context.operator,
                    path = path.display(),
                ));
            }
        }
        if old.as_ref() != Some(&new)
            && let Err(error) = new.write(&path)
        {
            self.problem(error.to_string());
        }
    }

    /// Removes a pending snapshot that only this case's releases gave and that they give no more.
    fn remove_stale(&self, name: &SnapshotName) {
        if !self.verified.write_pending {
            return;
        }
        let _guard = lock(&WRITING);
        let path = self.dir.join(name.pending());
        let own = self.header("");
        match SnapshotFile::read_if_there(&path) {
            Ok(Some(old)) if old.header.operator == own.operator && old.header.ray == own.ray => {}
            _ => return,
        }
        if let Err(source) = fs::remove_file(&path)
            && source.kind() != ErrorKind::NotFound
        {
            self.problem(ExpectError::write(&path, "removed")(source).to_string());
        }
    }

    fn problem(&self, sentence: String) {
        lock(&self.state).problems.insert(sentence);
    }
}

impl Expectations for SnapshotFolder {
    /// Compares, and outside CI writes what is missing or different beside the scenario as pending.
    fn compare(&self, subject: &Subject, found: &Value) -> Comparison {
        let found = render(&normalise(found, subject.field, &self.context));
        let name = SnapshotName::new(subject, class_of(&self.context.operator));
        lock(&self.state).equal.remove(subject);
        let Some(path) = governing(&self.dir, &name) else {
            self.write_pending(&name, &found);
            let file = name.to_string();
            return Comparison::Missing { found, file };
        };
        let file = path.file_name().map_or_else(
            || name.to_string(),
            |file| file.to_string_lossy().into_owned(),
        );
        let expected = match SnapshotFile::read(&path) {
            Ok(snapshot) => snapshot,
            // Not written as pending: what stands there may hold more than a comparison may throw
            // away.
            Err(error) => {
                return Comparison::Different {
                    expected: format!("({error})"),
                    found,
                    diff: error.to_string(),
                    file,
                    unrecorded: None,
                };
            }
        };
        let unrecorded = unrecorded(&self.context.operator, &expected.header.operator);
        let expected = expected.body;
        if expected == found {
            self.remove_stale(&name);
            lock(&self.state).equal.insert(subject.clone(), path);
            return Comparison::Equal {
                body: expected,
                file,
            };
        }
        self.write_pending(&name, &found);
        let diff = diff(&expected, &found, &file);
        Comparison::Different {
            expected,
            found,
            diff,
            file,
            unrecorded,
        }
    }
}

/// What sets a release apart from the nearest one that a snapshot was verified on, where it was not
/// verified on it.
fn unrecorded(release: &Version, recorded: &[Version]) -> Option<String> {
    if recorded.contains(release) {
        return None;
    }
    let nearest = recorded
        .iter()
        .filter(|other| *other < release)
        .max()
        .or_else(|| recorded.iter().min())?;
    let (older, newer) = (nearest.min(release), nearest.max(release));
    let between = CLASSES
        .iter()
        .filter(|class| class.since > *older && class.since <= *newer)
        .map(|class| format!("\nfrom {} on: {}", class.name, class.why));
    Some(format!(
        "KubeRay {release} is not recorded; nearest: {nearest}{}",
        between.collect::<String>()
    ))
}
