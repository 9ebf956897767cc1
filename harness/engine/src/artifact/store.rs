//! The store: folders in the user's cache, one for each artifact, named by what went into it.

use std::future::Future;
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt as _;
use sha2::{Digest, Sha256};

use super::ArtifactError;
use super::error::file;

/// Hashes everything that decides what an artifact contains.
#[derive(Debug, Clone, Default)]
pub struct Key(Sha256);

impl Key {
    /// Adds one input; inputs are kept apart, so that `ab`, `c` differs from `a`, `bc`.
    #[must_use]
    pub fn with(mut self, input: impl AsRef<[u8]>) -> Self {
        let input = input.as_ref();
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    /// Twelve hexadecimal digits; enough to tell the few versions of one artifact apart.
    #[must_use]
    pub fn short(self) -> String {
        self.0.finalize().iter().take(6).fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The folder that holds artifacts between runs.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
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
        std::fs::create_dir_all(root.join("locks")).map_err(file("making the cache folder", &root))?;
        Ok(Self { root })
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

    /// The folder of an artifact; made by `make` where it is absent, which gets an empty folder to fill.
    ///
    /// A folder that is there is complete: it gets its name only when `make` has succeeded. What a killed run left
    /// unfinished is thrown away. Two runs that want the same artifact make it once.
    ///
    /// # Errors
    /// Those of `make`, and those of the file system.
    pub async fn get<F, Fut>(&self, name: &str, key: &str, make: F) -> Result<PathBuf, ArtifactError>
    where
        F: FnOnce(PathBuf) -> Fut,
        Fut: Future<Output = Result<(), ArtifactError>>,
    {
        let path = self.path(name, key);
        if path.is_dir() {
            return Ok(path);
        }
        let _lock = self.lock(&format!("{name}-{key}")).await?;
        if path.is_dir() {
            return Ok(path);
        }
        let parent = self.root.join(name);
        let unfinished = parent.join(format!(".{key}"));
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(file("removing the unfinished", &unfinished))?;
        }
        std::fs::create_dir_all(&unfinished).map_err(file("making", &unfinished))?;
        make(unfinished.clone()).await?;
        std::fs::rename(&unfinished, &path).map_err(file("naming", &path))?;
        Ok(path)
    }

    /// Waits for, and takes, the lock of one artifact; it is free again when the file is dropped.
    async fn lock(&self, name: &str) -> Result<std::fs::File, ArtifactError> {
        let path = self.root.join("locks").join(name.replace('/', "-"));
        let handle = std::fs::File::create(&path).map_err(file("opening the lock", &path))?;
        let locked = tokio::task::spawn_blocking(move || handle.lock_exclusive().map(|()| handle)).await;
        locked
            .unwrap_or_else(|join| Err(std::io::Error::other(join)))
            .map_err(file("locking", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_inputs_apart() {
        assert_ne!(
            Key::default().with("ab").with("c").short(),
            Key::default().with("a").with("bc").short()
        );
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
        assert!(failed.is_err() && !store.path("thing", "k1").exists());
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
}
