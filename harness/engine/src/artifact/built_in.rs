//! The scenarios that are part of the program.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::ArtifactError;
use super::error::file;

/// The scenarios of a release build; empty in a debug build.
static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scenarios.tar.gz"));

/// The folder that the scenarios of a debug build lie in.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");

/// Returns the folder with the scenarios that are part of the program. A release build unpacks them
/// into the folder `scenarios` of the cache; a debug build uses those of its source tree.
///
/// # Errors
/// When they can't be written into the cache.
pub fn built_in_scenarios(cache: &Path) -> Result<PathBuf, ArtifactError> {
    if ARCHIVE.is_empty() {
        let source = Path::new(SOURCE);
        return source.canonicalize().map_err(file("reading", source));
    }
    unpacked(ARCHIVE, &cache.join("scenarios"))
}

/// Unpacks an archive into a folder that is named by its content, unless it is there.
fn unpacked(archive: &[u8], root: &Path) -> Result<PathBuf, ArtifactError> {
    let digest = Sha256::digest(archive);
    let name: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = root.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    std::fs::create_dir_all(root).map_err(file("making", root))?;
    // Another process may unpack it, too: the first one to rename wins, and both have the same
    // files.
    let stage = tempfile::tempdir_in(root).map_err(file("making", root))?;
    tar::Archive::new(flate2::read::GzDecoder::new(archive))
        .unpack(stage.path())
        .map_err(file("unpacking into", stage.path()))?;
    if let Err(error) = std::fs::rename(stage.path(), &folder)
        && !folder.is_dir()
    {
        return Err(file("making", &folder)(error));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(text: &str) -> Vec<u8> {
        let coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(coder);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, "a/scenario.yaml", text.as_bytes())
            .unwrap();
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn an_archive_is_unpacked_once() {
        let root = tempfile::tempdir().unwrap();
        let first = unpacked(&archive("one"), root.path()).unwrap();
        let file = first.join("a/scenario.yaml");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
        std::fs::write(&file, "kept").unwrap();
        assert_eq!(unpacked(&archive("one"), root.path()).unwrap(), first);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        assert_ne!(unpacked(&archive("two"), root.path()).unwrap(), first);
        assert_eq!(
            std::fs::read_dir(root.path()).unwrap().count(),
            2,
            "no stage is left"
        );
    }

    #[test]
    fn the_built_in_scenarios_are_there() {
        let cache = tempfile::tempdir().unwrap();
        let folder = built_in_scenarios(cache.path()).unwrap();
        assert!(folder.join("before-ray-start/scenario.yaml").is_file());
    }
}
