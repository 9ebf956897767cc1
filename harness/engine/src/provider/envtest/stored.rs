//! CRDs that an API server has stored once are given to later ones as they are: creating a
//! release's CRDs anew takes more of an API server than all else that is asked of it in a run.

use std::io::Write as _;
use std::path::Path;

use crate::artifact::{ArtifactError, ArtifactKey, Store};
use crate::output;
use crate::target::StoredObjects;

/// The CRDs of a folder, as an API server of a certain program stores them.
pub(super) struct StoredCrds {
    store: Store,
    key: String,
}

/// The folder of the store that holds them.
const CALLED: &str = "stored-crds";

impl StoredCrds {
    /// Those of a folder; they are others when a file or the API server's program (`digest`) is
    /// another.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(super) fn of(store: Store, digest: &str, folder: &Path) -> std::io::Result<Self> {
        let mut key = ArtifactKey::default().with(digest);
        for (name, text) in files(folder)? {
            key = key.with(name).with(text);
        }
        Ok(Self {
            store,
            key: key.short(),
        })
    }

    /// Returns the objects that an API server has stored; `None` where none are stored yet.
    ///
    /// # Errors
    /// When they can't be read.
    pub(super) fn read(&self) -> std::io::Result<Option<StoredObjects>> {
        let folder = self.store.path(CALLED, &self.key);
        let found = folder.is_dir().then(|| files(&folder)).transpose()?;
        Ok(found.filter(|found| !found.is_empty()))
    }

    /// Keeps what an API server has stored.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) async fn keep(&self, crds: &StoredObjects) -> Result<(), ArtifactError> {
        let write = async |folder: std::path::PathBuf| {
            for (name, bytes) in crds {
                let written =
                    output::create_file(&folder, name).and_then(|mut file| file.write_all(bytes));
                written.map_err(|source| ArtifactError::File {
                    doing: "writing",
                    path: folder.join(name),
                    source,
                })?;
            }
            Ok(())
        };
        self.store.get(CALLED, &self.key, write).await.map(|_| ())
    }
}

fn files(folder: &Path) -> std::io::Result<StoredObjects> {
    let mut found = StoredObjects::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            found.insert(
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path())?,
            );
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn they_are_of_these_files_and_this_program_only() {
        let (root, crds) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = || Store::at(root.path()).unwrap();
        std::fs::write(crds.path().join("a.yaml"), "kind: A").unwrap();
        let stored = |digest: &str| StoredCrds::of(store(), digest, crds.path()).unwrap();
        assert_eq!(stored("one").read().unwrap(), None);
        let objects = StoredObjects::from([("as.b.io".to_owned(), vec![0, 1, 255])]);
        stored("one").keep(&objects).await.unwrap();
        assert_eq!(stored("one").read().unwrap(), Some(objects));
        assert_eq!(
            stored("another").read().unwrap(),
            None,
            "another API server may store them otherwise"
        );
        std::fs::write(crds.path().join("a.yaml"), "kind: B").unwrap();
        assert_eq!(stored("one").read().unwrap(), None, "another CRD");
    }
}
