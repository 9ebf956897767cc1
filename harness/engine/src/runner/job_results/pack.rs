//! Results and folders of evidence as bytes that fit into `ConfigMaps`.

use std::io::{Error, Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tar::EntryType;

use crate::output::{self, Bounded, too_much};

/// Largest size of a value once it is unpacked, in bytes.
const LARGEST_VALUE: u64 = 32 << 20;
/// Largest size of a folder once it is unpacked, in bytes.
const LARGEST_FOLDER: u64 = 256 << 20;
/// Files and folders in a folder at most.
const MOST_FILES: usize = 10_000;

/// A value as compressed JSON.
pub(in crate::runner) fn pack(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&serde_json::to_vec(value)?)?;
    encoder.finish()
}

/// The value of what [`pack`] made.
///
/// # Errors
/// When it is none, and when it takes more than [`LARGEST_VALUE`].
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> std::io::Result<T> {
    let mut text = Vec::new();
    Bounded::new(GzDecoder::new(bytes), LARGEST_VALUE).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// A folder as a compressed archive.
pub(in crate::runner) fn pack_folder(folder: &Path) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.follow_symlinks(false);
    archive.sparse(false);
    archive.append_dir_all(".", folder)?;
    archive.into_inner()?.finish()
}

/// Writes what [`pack_folder`] made into a folder.
///
/// # Errors
/// When it holds anything but files and folders with plain paths, more than [`MOST_FILES`] of them,
/// or more than [`LARGEST_FOLDER`]; what came before that is written.
pub(super) fn unpack_folder(bytes: &[u8], into: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(into)?;
    let mut archive = tar::Archive::new(Bounded::new(GzDecoder::new(bytes), LARGEST_FOLDER));
    let mut left = LARGEST_FOLDER;
    for (number, entry) in archive.entries()?.enumerate() {
        if number >= MOST_FILES {
            return Err(Error::other(format!(
                "it has more than {MOST_FILES} files and folders"
            )));
        }
        let mut entry = entry?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).map_err(Error::other)?;
        let path = name
            .strip_prefix("./")
            .unwrap_or(&name)
            .trim_end_matches('/');
        match entry.header().entry_type() {
            // The folder itself.
            EntryType::Directory if path.is_empty() || path == "." => {}
            EntryType::Directory => _ = output::create_folder(into, path)?,
            EntryType::Regular => {
                let mut file = output::create_file(into, path)?;
                // An entry may claim more than the archive holds.
                let written = std::io::copy(&mut (&mut entry).take(left + 1), &mut file)?;
                left = left
                    .checked_sub(written)
                    .ok_or_else(|| too_much(LARGEST_FOLDER))?;
            }
            kind => {
                return Err(Error::other(format!(
                    "{path:?} is of the type {kind:?}, neither a file nor a folder"
                )));
            }
        }
    }
    Ok(())
}

/// Cuts bytes into pieces of at most so many.
pub(super) fn pieces(bytes: &[u8], at_most: usize) -> Vec<Vec<u8>> {
    bytes.chunks(at_most).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
#[path = "pack/tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pack/mutated.rs"]
mod mutated;
