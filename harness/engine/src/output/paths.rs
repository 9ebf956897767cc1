//! Paths that come from data.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folder that evidence lies below.
const EVIDENCE: &str = "evidence";
/// The longest name of a file, in bytes; that of Linux's file systems.
const LONGEST_NAME: usize = 255;
/// The longest path below a folder, in bytes.
const LONGEST_PATH: usize = 2048;
/// The longest name that [`file_name`] makes: it leaves room for a number and an extension.
const LONGEST_MADE: usize = 200;

/// A path in data that does not name a file below its folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path below its folder: {why}")]
pub(crate) struct PathError {
    path: String,
    why: &'static str,
}

/// Returns the path that `untrusted` names below `folder`.
///
/// # Errors
/// Fails unless every part of `untrusted` is a plain name.
pub(crate) fn below(folder: &Path, untrusted: &str) -> Result<PathBuf, PathError> {
    Ok(folder.join(parts(untrusted)?.iter().collect::<PathBuf>()))
}

/// Returns the parts of a relative path, each a plain name: neither empty (as in an absolute path)
/// nor `.` or `..`, and without control characters.
///
/// # Errors
/// Fails on every other path.
pub(crate) fn parts(untrusted: &str) -> Result<Vec<&str>, PathError> {
    let refused = |why| {
        Err(PathError {
            path: untrusted.chars().take(LONGEST_NAME).collect(),
            why,
        })
    };
    if untrusted.len() > LONGEST_PATH {
        return refused("it is too long");
    }
    if untrusted.starts_with('/') {
        return refused("it is absolute");
    }
    let parts: Vec<&str> = untrusted.split('/').collect();
    for part in &parts {
        match *part {
            "" => return refused("a part of it is empty"),
            "." | ".." => return refused("it leads to another folder"),
            long if long.len() > LONGEST_NAME => return refused("a part of it is too long"),
            part if part.chars().any(char::is_control) => {
                return refused("it has control characters");
            }
            _ => {}
        }
    }
    Ok(parts)
}

/// Returns the parts of the path of a case's evidence, which lies in a folder below `evidence`.
///
/// # Errors
/// Fails on every other path.
pub(crate) fn evidence_parts(untrusted: &str) -> Result<Vec<&str>, PathError> {
    match parts(untrusted)? {
        parts if parts.len() > 1 && parts[0] == EVIDENCE => Ok(parts),
        _ => Err(PathError {
            path: untrusted.into(),
            why: "evidence is in a folder below `evidence`",
        }),
    }
}

/// Returns one plain file name for a name in data. Letters and digits of ASCII and `.-_+` stay as
/// they are; a name that loses something gets eight digits of its hash, so that different names
/// stay different.
pub(crate) fn file_name(data: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
    let made: String = data
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(LONGEST_MADE)
        .collect();
    if made == data && !made.is_empty() && !made.starts_with('.') {
        return made;
    }
    let hash = format!("{:x}", Sha256::digest(data));
    format!("{}-{}", made.trim_start_matches('.'), &hash[..8])
}

#[cfg(test)]
#[path = "paths/tests.rs"]
mod tests;
