//! Files that others have made: those of a scenario, and results, reports, bundles and settings.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use kuberay_manifest::decode;
use rustix::fs::OFlags;

/// The size of the largest file of a scenario in bytes, which is far above what the API server
/// accepts.
const LARGEST: u64 = 4 << 20;

/// Why a file is not read. The text continues a sentence that begins with the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system's answer.
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
    /// Once links are followed, it lies elsewhere.
    #[error("is a link that leaves the scenario's folder")]
    Leaves,
    /// A pipe, a device, a socket or a folder.
    #[error("is not a regular file")]
    NotRegular,
    /// It is larger than any such file, of so many bytes.
    #[error("has more than {} MiB", .0 >> 20)]
    TooLarge(u64),
}

impl FileError {
    /// Returns whether there is no such file.
    pub fn is_absence(&self) -> bool {
        matches!(self, FileError::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            other => io::Error::other(format!("it {other}")),
        }
    }
}

/// Returns an error where something that is no regular file stands in the place of a file that is
/// to be written as a whole: the new file would take the place of a pipe or of a device.
///
/// # Errors
/// When it is a folder, a pipe, a device or a socket, also behind a link.
pub fn check_replaceable(path: &Path) -> Result<(), FileError> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(FileError::NotRegular),
        _ => Ok(()),
    }
}

/// Opens a file for reading. Every file of a scenario is opened here, because anyone may have made
/// the folder: a link could show a file of this machine in a report, and a pipe could keep the
/// reader waiting for ever.
///
/// # Errors
/// When it is not a regular file of at most `LARGEST` bytes inside the folder.
pub fn open(folder: &Path, path: &Path) -> Result<File, FileError> {
    if !path.canonicalize()?.starts_with(folder.canonicalize()?) {
        return Err(FileError::Leaves);
    }
    let file = open_regular(path)?;
    if file.metadata()?.len() > LARGEST {
        return Err(FileError::TooLarge(LARGEST));
    }
    Ok(file)
}

/// Reads a file as a whole, opened by [`open`].
///
/// # Errors
/// As [`open`], and when it can't be read.
pub fn read(folder: &Path, path: &Path) -> Result<Vec<u8>, FileError> {
    whole(open(folder, path)?, LARGEST)
}

/// Opens a file for reading. Every file that somebody else may have made is opened here: a pipe
/// without a writer would keep the reader waiting for ever, and a device has no end.
///
/// # Errors
/// When it can't be opened, or is not a regular file.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    // A pipe without a writer opens at once, and is then refused.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(FileError::NotRegular)
    }
}

/// Reads a file of at most so many bytes as a whole, opened by [`open_regular`].
///
/// # Errors
/// As [`open_regular`], and when it can't be read or is larger.
pub fn read_regular(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    whole(open_regular(path)?, most)
}

/// As [`read_regular`], for a file of text; see [`decode`].
///
/// # Errors
/// As [`read_regular`], and when it is no text.
pub fn read_text(path: &Path, most: u64) -> Result<String, FileError> {
    Ok(decode(read_regular(path, most)?)?)
}

/// Reads to the end.
///
/// # Errors
/// When it can't be read, or has more than `most` bytes: a file may still grow, and a pipe or a
/// device may have no end.
pub fn whole(reader: impl io::Read, most: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    reader
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(FileError::TooLarge(most));
    }
    Ok(bytes)
}
