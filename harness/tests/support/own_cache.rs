//! A cache folder of a test's own.

use std::path::{Path, PathBuf};

use kuberay_conformance::artifact::Store;

/// A cache in a folder, which shares only the programs with the user's; made at the first call.
pub fn own_cache(folder: &Path) -> PathBuf {
    let (cache, store) = (folder.join("cache"), Store::open().unwrap());
    std::fs::create_dir_all(&cache).unwrap();
    for shared in ["programs", "artifacts-source"] {
        let link = cache.join(shared);
        if store.root().join(shared).exists() && !link.exists() {
            std::os::unix::fs::symlink(store.root().join(shared), link).unwrap();
        }
    }
    cache
}
