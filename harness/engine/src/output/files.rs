//! Files below a folder, made and removed without following links.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, open, openat, unlinkat};
use rustix::io::Errno;

use super::paths::{PathError, below, parts};

/// How folders on the way are opened: one that is a link is an error.
const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Creates a file below `folder`, and the folders on the way. A file or a link that has its name is
/// replaced.
///
/// # Errors
/// Fails when the path is not plain, a folder on the way is a link or a file, or the system
/// refuses.
pub(crate) fn create_file(folder: &Path, untrusted: &str) -> std::io::Result<File> {
    let parts = parts(untrusted).map_err(refused)?;
    let (name, folders) = parts.split_last().ok_or(ErrorKind::InvalidInput)?;
    let at = made(folder, folders)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = || openat(&at, *name, flags, Mode::from_raw_mode(0o666));
    let file = match create() {
        Err(Errno::EXIST) => {
            unlinkat(&at, *name, AtFlags::empty())?;
            create()?
        }
        created => created?,
    };
    Ok(file.into())
}

/// Opens a file in `folder` to read and to change it.
///
/// # Errors
/// Fails when the name is not plain, when there is no regular file of this name, or when the system
/// refuses. A pipe is not waited for.
pub(crate) fn open_file(folder: &Path, name: &str) -> std::io::Result<File> {
    opened(folder, name, OFlags::RDWR)
}

/// As [`open_file`], to read it alone.
///
/// # Errors
/// As [`open_file`].
pub(crate) fn read_file(folder: &Path, name: &str) -> std::io::Result<File> {
    opened(folder, name, OFlags::RDONLY)
}

/// As [`open_file`]; a file that is not there is made.
///
/// # Errors
/// As [`open_file`], and when the file has another name, too.
pub(crate) fn open_or_create_file(folder: &Path, name: &str) -> std::io::Result<File> {
    let file = opened(folder, name, OFlags::RDWR | OFlags::CREATE)?;
    match file.metadata()?.nlink() {
        0 | 1 => Ok(file),
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{name} is a hard link"),
        )),
    }
}

fn opened(folder: &Path, name: &str, flags: OFlags) -> std::io::Result<File> {
    let no_file = || {
        Error::new(
            ErrorKind::InvalidInput,
            format!("{name} is no regular file"),
        )
    };
    let path = below(folder, name).map_err(refused)?;
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match open(&path, flags, Mode::from_raw_mode(0o666)) {
        Err(Errno::LOOP | Errno::ISDIR) => return Err(no_file()),
        opened => File::from(opened?),
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(no_file())
    }
}

/// Creates a folder below `folder` where there is none, and the folders on the way.
///
/// # Errors
/// Fails when the path is not plain, it or a folder on the way is a link or a file, or the system
/// refuses.
pub(crate) fn create_folder(folder: &Path, untrusted: &str) -> std::io::Result<PathBuf> {
    made(folder, &parts(untrusted).map_err(refused)?)?;
    below(folder, untrusted).map_err(refused)
}

/// Opens a folder below `folder`, and makes it and those on the way where they are absent.
fn made(folder: &Path, parts: &[&str]) -> std::io::Result<OwnedFd> {
    let mut at = open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for part in parts {
        match mkdirat(&at, *part, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        at = openat(&at, *part, FOLDER, Mode::empty())?;
    }
    Ok(at)
}

/// Removes a file or a folder with all that it holds from below `folder`. That it is not there is
/// no error.
///
/// # Errors
/// Fails when the path is not plain, a folder on the way is a link, or the system refuses.
pub(crate) fn remove(folder: &Path, untrusted: &str) -> std::io::Result<()> {
    let path = match without_links(folder, untrusted) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        path => path?,
    };
    if path.symlink_metadata()?.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// Returns the path of a folder below `folder`.
///
/// # Errors
/// Fails when the path is not plain, when it or a folder on the way is a link, and when it is no
/// folder.
pub(crate) fn folder_without_links(folder: &Path, untrusted: &str) -> std::io::Result<PathBuf> {
    let path = without_links(folder, untrusted)?;
    if path.symlink_metadata()?.is_dir() {
        Ok(path)
    } else {
        Err(ErrorKind::NotADirectory.into())
    }
}

/// Returns the path of a file or folder below `folder`, of which no folder on the way is a link.
fn without_links(folder: &Path, untrusted: &str) -> std::io::Result<PathBuf> {
    let parts = parts(untrusted).map_err(refused)?;
    let mut on_the_way = folder.to_path_buf();
    for part in &parts[..parts.len().saturating_sub(1)] {
        on_the_way.push(part);
        if !on_the_way.symlink_metadata()?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
    }
    let path = below(folder, untrusted).map_err(refused)?;
    path.symlink_metadata().map(|_| path)
}

fn refused(error: PathError) -> Error {
    Error::new(ErrorKind::InvalidInput, error)
}

#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;
