//! Lists the artifacts of the store with their use, and removes those that are not needed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::file;
use super::store::{self, Store};
use super::{ArtifactError, recipes};
use crate::process::{FileLock, LockError, LockMode};

/// How deep artifacts lie below the store's folder: `images/control-plane/coredns/coredns/KEY`.
const DEPTH: usize = 5;
/// Folders of artifacts that this module never removes: clusters mount them, and the harness itself
/// keeps only the last few.
const OF_CLUSTERS: &str = "unpacked";

/// How an artifact is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A running process uses it, or makes it.
    Used,
    /// It was used with the pins and recipes of this program.
    Pinned,
    /// Clusters mount it; the harness keeps the last few.
    Mounted,
    /// It was last used with other pins or recipes.
    Outdated,
    /// It is older than the records of use.
    Unknown,
    /// A run that was killed left it.
    Unfinished,
}

impl Need {
    /// How people read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Used => "in use",
            Self::Pinned => "pinned",
            Self::Mounted => "mounted by clusters",
            Self::Outdated => "outdated",
            Self::Unknown => "not used lately",
            Self::Unfinished => "unfinished",
        }
    }
}

/// An artifact in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name, such as `programs/etcd`.
    pub name: String,
    /// The key of what went into it.
    pub key: String,
    /// What its files hold, in bytes.
    pub bytes: u64,
    /// When it was last used or made.
    pub used: SystemTime,
    /// How it is used.
    pub need: Need,
    folder: PathBuf,
}

/// What is freed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prune {
    /// Also what is pinned, if it was not used for so long.
    pub unused_for: Option<Duration>,
    /// Only find out what would be freed.
    pub dry_run: bool,
}

impl Prune {
    /// Whether an artifact is to be freed, before its lock is asked.
    fn is_for(&self, artifact: &Stored, now: SystemTime) -> bool {
        let age = now.duration_since(artifact.used).unwrap_or_default();
        match artifact.need {
            Need::Used | Need::Mounted => false,
            Need::Outdated | Need::Unfinished => true,
            Need::Pinned | Need::Unknown => self.unused_for.is_some_and(|limit| age >= limit),
        }
    }
}

impl Store {
    /// Lists the artifacts, the largest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn stock(&self) -> Result<Vec<Stored>, ArtifactError> {
        let mut found = Vec::new();
        let root = self.root();
        collect(root, root, DEPTH, &mut found).map_err(file("reading the cache", root))?;
        found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.folder.cmp(&b.folder)));
        Ok(found)
    }

    /// Frees artifacts that nobody needs, and returns them. A process that uses or makes one keeps
    /// it.
    ///
    /// # Errors
    /// When one can't be removed.
    pub fn prune(&self, rule: Prune) -> Result<Vec<Stored>, ArtifactError> {
        let now = SystemTime::now();
        let mut freed = Vec::new();
        for artifact in self.stock()? {
            if rule.is_for(&artifact, now) && (rule.dry_run || artifact.remove()?) {
                freed.push(artifact);
            }
        }
        Ok(freed)
    }
}

impl Stored {
    /// Removes it; returns false where another process holds it by now.
    fn remove(&self) -> Result<bool, ArtifactError> {
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let lock = store::lock(parent, &self.key);
        let _lock = match FileLock::try_hold(&lock, "remove it from the cache") {
            Ok(lock) => lock,
            Err(LockError::Held { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let gone = |done: std::io::Result<()>| match done {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done,
        };
        // First another name: what is half removed must not be taken for whole.
        let going = store::unfinished(parent, &self.key);
        if self.folder != going {
            gone(std::fs::remove_dir_all(&going)).map_err(file("removing", &going))?;
            gone(std::fs::rename(&self.folder, &going)).map_err(file("removing", &self.folder))?;
        }
        gone(std::fs::remove_dir_all(&going)).map_err(file("removing", &going))?;
        let mark = store::mark(parent, &self.key);
        gone(std::fs::remove_file(&mark)).map_err(file("removing", &mark))?;
        gone(std::fs::remove_file(&lock)).map_err(file("removing", &lock))?;
        Ok(true)
    }
}

/// Finds the artifacts below a folder. Links are followed to folders of artifacts, which stores may
/// share, and to nothing else.
fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<Stored>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = name.strip_prefix('.').unwrap_or(&name);
        if !path.is_dir() {
            continue;
        }
        if is_key(key) && folder != root {
            let within = folder.strip_prefix(root).unwrap_or(folder);
            let is_whole = !name.starts_with('.');
            found.push(Stored {
                name: within.to_string_lossy().into_owned(),
                key: key.to_owned(),
                bytes: size(&path),
                used: last_use(folder, key, &path),
                need: need(within, folder, key, is_whole),
                folder: path.clone(),
            });
        } else if depth > 0 && is_of_artifacts(root, folder, &name) {
            collect(root, &path, depth - 1, found)?;
        }
    }
    Ok(())
}

/// Keys of the store have 12 digits, those of unpacked images 24.
fn is_key(name: &str) -> bool {
    [12, 24].contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a folder may hold artifacts; others of the cache are clusters, compiled code and data of
/// the registry.
fn is_of_artifacts(root: &Path, folder: &Path, name: &str) -> bool {
    const ROOTS: [&str; 6] = [
        "images",
        "manifests",
        "modules",
        "programs",
        "stored-crds",
        OF_CLUSTERS,
    ];
    folder != root || ROOTS.contains(&name)
}

fn need(within: &Path, folder: &Path, key: &str, is_whole: bool) -> Need {
    if within.starts_with(OF_CLUSTERS) {
        return Need::Mounted;
    }
    let lock = store::lock(folder, key);
    let is_held = lock.exists()
        && matches!(
            FileLock::try_take(&lock, LockMode::Exclusive),
            Err(LockError::Held { .. })
        );
    let known = std::fs::read_to_string(store::mark(folder, key));
    match known {
        _ if is_held => Need::Used,
        _ if !is_whole => Need::Unfinished,
        Ok(text) if text == recipes::fingerprint() => Need::Pinned,
        Ok(_) => Need::Outdated,
        Err(_) => Need::Unknown,
    }
}

fn last_use(folder: &Path, key: &str, path: &Path) -> SystemTime {
    let of = |path: &Path| path.metadata().and_then(|data| data.modified());
    of(&store::mark(folder, key))
        .or_else(|_| of(path))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// What files hold; a file that two names have counts for each.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
#[path = "stock/tests.rs"]
mod tests;
