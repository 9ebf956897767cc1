use std::path::{Path, PathBuf};

use semver::Version;

/// Why a snapshot could not be read, written or accepted.
#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    /// A file or folder could not be read.
    #[error("{path} can't be read: {source}", path = .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file could not be written or removed.
    #[error("{path} can't be {doing}: {source}; is its folder writable?", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// `written` or `removed`.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file is not a snapshot.
    #[error("{path} is not a snapshot: {reason}; remove it, or restore it from version control", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Accepting would make a snapshot speak for releases that the run did not cover.
    #[error(
        "{path} was verified on {}, which this run did not cover; run them too (--operator {}), or accept with --partial",
        list(.releases, ", "), list(.releases, ","), path = .path.display()
    )]
    Partial {
        /// The snapshot that stands now.
        path: PathBuf,
        /// Releases that its header names and the run did not cover.
        releases: Vec<Version>,
    },
    /// The terminal could not be read or written during a review.
    #[error("the review can't go on: {0}")]
    Terminal(#[from] std::io::Error),
}

impl ExpectError {
    /// Whether the system is to blame, such as a full disk, and not the files.
    pub fn is_of_the_system(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Terminal(_))
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| ExpectError::Read { path, source }
    }

    pub(super) fn write(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| ExpectError::Write {
            path,
            doing,
            source,
        }
    }
}

fn list(releases: &[Version], separator: &str) -> String {
    let releases: Vec<_> = releases.iter().map(ToString::to_string).collect();
    releases.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_and_a_terminal_are_of_the_system() {
        let source = || std::io::Error::other("full");
        let path = Path::new("a.snap");
        assert!(ExpectError::write(path, "written")(source()).is_of_the_system());
        assert!(ExpectError::Terminal(source()).is_of_the_system());
        assert!(!ExpectError::read(path)(source()).is_of_the_system());
    }
}
