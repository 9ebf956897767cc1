//! The store: folders in the user's cache, one for each artifact, named by what went into it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::file;
use super::{ArtifactError, recipes};
use crate::process::{FileLock, Holder};
use crate::progress::{Progress, Silent};

/// The folder that holds artifacts between runs.
#[derive(Clone)]
pub struct Store {
    root: PathBuf,
    progress: Arc<dyn Progress>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Store")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `KUBERAY_CONFORMANCE_CACHE`, else `kuberay-conformance` in the user's cache folder.
    ///
    /// # Errors
    /// When neither is known or the folder can't be made.
    pub fn open() -> Result<Self, ArtifactError> {
        let variable = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let root = variable("KUBERAY_CONFORMANCE_CACHE")
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("kuberay-conformance")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/kuberay-conformance")))
            .ok_or(ArtifactError::NoCacheFolder)?;
        Self::at(root)
    }

    /// Opens a folder as a store, and makes it where it is absent.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, ArtifactError> {
        let root = root.into();
        std::fs::create_dir_all(root.join("locks"))
            .map_err(file("making the cache folder", &root))?;
        Ok(Self {
            root,
            progress: Arc::new(Silent),
        })
    }

    /// Reports to `progress` when an artifact waits for another process that makes it.
    #[must_use]
    pub fn reporting(self, progress: Arc<dyn Progress>) -> Self {
        Self { progress, ..self }
    }

    /// The store's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of an artifact, whether it is there or not.
    #[must_use]
    pub fn path(&self, name: &str, key: &str) -> PathBuf {
        self.root.join(name).join(key)
    }

    /// The folder of an artifact; made by `make` where it is absent, which gets an empty folder to
    /// fill. As long as this process lives, no other removes it.
    ///
    /// A folder that is there is complete: it gets its name only when `make` has succeeded. What a
    /// killed run left unfinished is thrown away. Processes that want the same artifact at once
    /// make it once: the others wait as long as the first makes it, or until the future is dropped.
    ///
    /// # Errors
    /// Those of `make`, and those of the file system.
    pub async fn get<F, Fut>(
        &self,
        name: &str,
        key: &str,
        make: F,
    ) -> Result<PathBuf, ArtifactError>
    where
        F: FnOnce(PathBuf) -> Fut,
        Fut: Future<Output = Result<(), ArtifactError>>,
    {
        let path = self.path(name, key);
        let parent = self.root.join(name);
        if path.is_dir() {
            keep(&parent, key).await;
            if path.is_dir() {
                return Ok(path);
            }
        }
        // What was removed in spite of this process's own lock.
        release(&parent, key);
        std::fs::create_dir_all(&parent).map_err(file("making", &parent))?;
        let mut told = false;
        let waits = |holder: &Holder, _| {
            if !std::mem::replace(&mut told, true) {
                self.progress
                    .line(&format!("waiting for {holder}, which builds {name}"));
            }
            true
        };
        let held = FileLock::hold(&lock(&parent, key), &format!("make {name}"), waits).await?;
        if !path.is_dir() {
            let unfinished = unfinished(&parent, key);
            if unfinished.exists() {
                std::fs::remove_dir_all(&unfinished)
                    .map_err(file("removing the unfinished", &unfinished))?;
            }
            std::fs::create_dir_all(&unfinished).map_err(file("making", &unfinished))?;
            make(unfinished.clone()).await?;
            name_it(&unfinished, &path)?;
        }
        // Before another process could take it for one that nobody has used.
        note_use(&parent, key);
        drop(held);
        keep(&parent, key).await;
        Ok(path)
    }
}

/// Gives a finished folder its name. Where a process that does not share the lock (of another
/// release of the harness, or on a file system without locks) has made the same artifact meanwhile,
/// that one stays: it has the same key.
fn name_it(unfinished: &Path, path: &Path) -> Result<(), ArtifactError> {
    match std::fs::rename(unfinished, path) {
        Err(error)
            if path.is_dir()
                && matches!(
                    error.kind(),
                    ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
                ) =>
        {
            std::fs::remove_dir_all(unfinished).map_err(file("removing", unfinished))
        }
        named => named.map_err(file("naming", path)),
    }
}

/// Returns the lock of an artifact, beside it: two stores may share a folder of artifacts by a
/// link. A process that makes or removes the artifact holds the lock alone; processes that use it
/// share the lock.
pub(super) fn lock(parent: &Path, key: &str) -> PathBuf {
    parent.join(format!(".{key}.lock"))
}

/// Where an artifact is made, and what is left of one that is half removed.
pub(super) fn unfinished(parent: &Path, key: &str) -> PathBuf {
    parent.join(format!(".{key}"))
}

/// The file that says when an artifact was last used, and with which pins.
pub(super) fn mark(parent: &Path, key: &str) -> PathBuf {
    parent.join(format!(".{key}.used"))
}

/// The locks of the artifacts that this process uses, for its whole life: programs run until it
/// ends.
static KEPT: Mutex<BTreeMap<PathBuf, FileLock>> = Mutex::new(BTreeMap::new());

/// Shares the lock of an artifact and notes its use. A folder that can't be written to is one that
/// nobody frees.
async fn keep(parent: &Path, key: &str) {
    let lock = lock(parent, key);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if !kept().contains_key(&lock) {
        // A process that holds it alone will soon have made or removed the artifact.
        if let Ok(shared) = FileLock::share(&lock, |_, _| true).await {
            kept().insert(lock, shared);
        }
    }
    note_use(parent, key);
}

fn release(parent: &Path, key: &str) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.remove(&lock(parent, key));
}

/// Notes that an artifact is used now, with the pins and recipes of this program.
fn note_use(parent: &Path, key: &str) {
    let _ = std::fs::write(mark(parent, key), recipes::fingerprint());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::other::{Other, role};
    use crate::process::stop_point;
    use crate::results::Outcome;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Progress for Lines {
        fn update(&self, _task: &str, _message: &str) {}
        fn finish(&self, _task: &str, _outcome: Outcome, _message: &str) {}
        fn line(&self, text: &str) {
            self.0.lock().unwrap().push(text.into());
        }
    }

    #[tokio::test]
    async fn an_artifact_is_made_once_and_only_when_making_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path()).unwrap();
        let failed = store
            .get("thing", "k1", |unfinished| async move {
                std::fs::write(unfinished.join("half"), "x").unwrap();
                Err(ArtifactError::NoCacheFolder)
            })
            .await;
        assert!(failed.is_err());
        assert!(!store.path("thing", "k1").exists());
        let made = store
            .get("thing", "k1", |unfinished| async move {
                assert!(
                    !unfinished.join("half").exists(),
                    "what was left unfinished is thrown away"
                );
                std::fs::write(unfinished.join("whole"), "x").unwrap();
                Ok(())
            })
            .await
            .unwrap();
        assert!(made.join("whole").exists());
        let again = store
            .get("thing", "k1", |_| async { panic!("made twice") })
            .await
            .unwrap();
        assert_eq!(made, again);
    }

    /// It shares no lock, as a process of another release of the harness may.
    #[tokio::test]
    async fn an_artifact_that_another_process_has_made_meanwhile_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path()).unwrap();
        let path = store.path("thing", "k1");
        let make = async |unfinished: PathBuf| {
            std::fs::write(unfinished.join("program"), "ours").unwrap();
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("program"), "theirs").unwrap();
            Ok(())
        };
        let made = store.get("thing", "k1", make).await.unwrap();
        let program = std::fs::read_to_string(made.join("program")).unwrap();
        assert_eq!(program, "theirs");
        assert!(!store.root().join("thing/.k1").exists());
    }

    const SELF: &str =
        "artifact::store::tests::an_artifact_of_two_stores_that_share_its_folder_is_made_once";

    /// Each of the two stores is a cache of its own; only the folder of programs is the same.
    #[tokio::test]
    async fn an_artifact_of_two_stores_that_share_its_folder_is_made_once() {
        let make = |said: &'static str| {
            async move |unfinished: PathBuf| {
                println!("{said}");
                std::fs::write(unfinished.join("program"), "x").unwrap();
                Ok(())
            }
        };
        if let Some((_, folder)) = role() {
            let store = Store::at(folder).unwrap();
            let result = store.get("programs/thing", "k1", async |unfinished: PathBuf| {
                println!("it makes it");
                stop_point("artifact-begun");
                make("it has made it")(unfinished).await
            });
            println!("{:?}", result.await.map(|_| "it is done"));
            return;
        }
        let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        std::fs::create_dir(first.path().join("programs")).unwrap();
        std::os::unix::fs::symlink(
            first.path().join("programs"),
            second.path().join("programs"),
        )
        .unwrap();
        let mut other = Other::start(SELF, "make", first.path(), Some("artifact-begun"));
        other.until_stopped();
        let lines = Arc::new(Lines::default());
        let store = Store::at(second.path())
            .unwrap()
            .reporting(Arc::clone(&lines) as _);
        let waits = store.get("programs/thing", "k1", make("both made it"));
        let early = tokio::time::timeout(Duration::from_millis(300), waits).await;
        assert!(early.is_err(), "it was made twice: {early:?}");
        let told = lines.0.lock().unwrap().join("\n");
        let expected = format!("waiting for process {} (", other.id());
        assert!(told.starts_with(&expected), "{told}");
        other.go_on();
        other.until("Ok(\"it is done\")");
        let never = async |_| panic!("made twice");
        let result = store.get("programs/thing", "k1", never).await.unwrap();
        assert!(result.join("program").exists());
    }
}
