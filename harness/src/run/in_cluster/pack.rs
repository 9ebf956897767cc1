//! Results and folders of evidence as bytes that fit into `ConfigMaps`.

use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as compressed JSON.
pub(super) fn pack(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&serde_json::to_vec(value)?)?;
    encoder.finish()
}

/// The value of what [`pack`] made.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> std::io::Result<T> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// A folder as a compressed archive.
pub(super) fn pack_folder(folder: &Path) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.append_dir_all(".", folder)?;
    archive.into_inner()?.finish()
}

/// Writes what [`pack_folder`] made into a folder. Entries that would lie outside of it are left out.
pub(super) fn unpack_folder(bytes: &[u8], into: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(into)?;
    tar::Archive::new(GzDecoder::new(bytes)).unpack(into)
}

/// Cuts bytes into pieces of at most so many.
pub(super) fn pieces(bytes: &[u8], at_most: usize) -> Vec<Vec<u8>> {
    bytes.chunks(at_most).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
#[path = "pack/tests.rs"]
mod tests;
