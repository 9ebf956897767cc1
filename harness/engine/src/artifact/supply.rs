//! Where this process gets artifacts from: mirrors, the authority that vouches for them, and pins
//! of the user's own.
//!
//! The settings hold for the whole process, as those of the environment for proxies and authorities
//! do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use kuberay_conformance_pins::{OwnPins, Pins};

use super::error::file;
use super::logins::Logins;
use super::mirrors::{DownloadMirror, ImageMirror, MirrorError};
use super::{ArtifactError, certificates};
use crate::scenario::files;

/// Mirrors of registries, with commas between them.
pub const MIRRORS: &str = "KUBERAY_CONFORMANCE_MIRRORS";
/// Mirrors of files, with commas between them.
pub const DOWNLOAD_MIRRORS: &str = "KUBERAY_CONFORMANCE_DOWNLOAD_MIRRORS";
/// The file with the authority of the mirrors.
pub const MIRROR_CA: &str = "KUBERAY_CONFORMANCE_MIRROR_CA";
/// The file with the user's own pins.
pub const PINS: &str = "KUBERAY_CONFORMANCE_PINS";

/// What a file of settings may hold at most, in bytes.
const LARGEST: u64 = 1 << 20;

static OF_PROCESS: OnceLock<Arc<Supply>> = OnceLock::new();

/// What the user sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupplySettings {
    /// Mirrors of registries; of two for one registry, the first counts.
    pub mirrors: Vec<ImageMirror>,
    /// Mirrors of files; of two for one address, the longer beginning counts.
    pub download_mirrors: Vec<DownloadMirror>,
    /// A file with the authorities of the mirrors, in PEM.
    pub authority: Option<PathBuf>,
    /// A file with digests and checksums that replace those of `fixtures/versions.yaml`.
    pub pins: Option<PathBuf>,
}

impl SupplySettings {
    /// Reads the settings of the environment.
    ///
    /// # Errors
    /// When a variable names no mirror.
    pub fn from_environment() -> Result<Self, MirrorError> {
        let text = |name| std::env::var(name).unwrap_or_default();
        let path = |name| {
            let value = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        Ok(Self {
            mirrors: list(&text(MIRRORS))?,
            download_mirrors: list(&text(DOWNLOAD_MIRRORS))?,
            authority: path(MIRROR_CA),
            pins: path(PINS),
        })
    }

    /// Adds settings that count where these say nothing.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for mirror in other.mirrors {
            if !self
                .mirrors
                .iter()
                .any(|own| own.registry == mirror.registry)
            {
                self.mirrors.push(mirror);
            }
        }
        for mirror in other.download_mirrors {
            let is_set = |own: &DownloadMirror| own.public == mirror.public;
            if !self.download_mirrors.iter().any(is_set) {
                self.download_mirrors.push(mirror);
            }
        }
        self.authority = self.authority.or(other.authority);
        self.pins = self.pins.or(other.pins);
        self
    }
}

fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words.map(str::parse).collect()
}

/// The settings, with what their files hold.
#[derive(Debug, Default)]
pub struct Supply {
    settings: SupplySettings,
    authority: Option<String>,
    pins: Option<OwnPins>,
    pub(super) logins: Logins,
}

impl Supply {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// When one can't be read, or does not hold what it should.
    pub fn read(settings: SupplySettings) -> Result<Self, ArtifactError> {
        let authority = settings.authority.as_deref().map(authority).transpose()?;
        let pins = settings.pins.as_deref().map(own_pins).transpose()?;
        Ok(Self {
            settings,
            authority,
            pins,
            logins: Logins::of_user(),
        })
    }

    /// Makes these the settings of this process, unless it has some already.
    pub fn install(self) {
        let _ = OF_PROCESS.set(Arc::new(self));
    }

    /// Returns the settings of this process; no mirrors where none were installed.
    pub fn of_process() -> Arc<Self> {
        let default = || {
            Arc::new(Self {
                logins: Logins::of_user(),
                ..Self::default()
            })
        };
        OF_PROCESS.get().cloned().unwrap_or_else(default)
    }

    /// The mirror of a registry.
    pub fn mirror(&self, registry: &str) -> Option<&ImageMirror> {
        let mut mirrors = self.settings.mirrors.iter();
        mirrors.find(|mirror| mirror.registry == registry)
    }

    /// All mirrors of registries.
    pub fn mirrors(&self) -> &[ImageMirror] {
        &self.settings.mirrors
    }

    /// Where a public file is downloaded from; `None` for its own address.
    pub fn download_mirror(&self, url: &str) -> Option<String> {
        DownloadMirror::choose(&self.settings.download_mirrors, url)
    }

    /// The authorities of the mirrors, in PEM.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The pins of the program with the user's own in their place.
    pub fn pins(&self) -> Pins {
        let mut pins = Pins::embedded();
        if let Some(own) = &self.pins {
            pins.replace(own);
        }
        pins
    }

    /// What reports add to an artifact that is pinned by a file of the user's own.
    pub(super) fn pins_note(&self) -> String {
        let file = self.settings.pins.as_deref();
        file.map(|path| format!(" (own pins: {})", path.display()))
            .unwrap_or_default()
    }

    /// The variables that give another process the same settings.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        fn joined<T: ToString>(mirrors: &[T]) -> OsString {
            let words: Vec<String> = mirrors.iter().map(ToString::to_string).collect();
            words.join(",").into()
        }
        let whole = |path: &Option<PathBuf>| {
            let path = path.as_deref().unwrap_or(Path::new(""));
            std::path::absolute(path).map_or_else(|_| path.into(), Into::into)
        };
        vec![
            (MIRRORS, joined(&self.settings.mirrors)),
            (DOWNLOAD_MIRRORS, joined(&self.settings.download_mirrors)),
            (MIRROR_CA, whole(&self.settings.authority)),
            (PINS, whole(&self.settings.pins)),
        ]
    }
}

/// Reads a small file that the user names.
fn small(doing: &'static str, path: &Path) -> Result<String, ArtifactError> {
    let text = files::read_text(path, LARGEST).map_err(std::io::Error::from);
    text.map_err(file(doing, path))
}

fn authority(path: &Path) -> Result<String, ArtifactError> {
    let text = small("reading the mirrors' authority", path)?;
    certificates::certificates(&text).map_err(|problem| ArtifactError::Answer {
        doing: format!("reading the mirrors' authority {}", path.display()),
        answer: problem,
    })?;
    Ok(text)
}

fn own_pins(path: &Path) -> Result<OwnPins, ArtifactError> {
    let text = small("reading the pins", path)?;
    OwnPins::parse(&text).map_err(|problem| ArtifactError::Answer {
        doing: format!("reading the pins {}", path.display()),
        answer: problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(mirrors: &str, downloads: &str) -> SupplySettings {
        SupplySettings {
            mirrors: list(mirrors).unwrap(),
            download_mirrors: list(downloads).unwrap(),
            ..SupplySettings::default()
        }
    }

    #[test]
    fn the_first_that_names_a_mirror_counts() {
        let first = settings("docker.io=a", "https://x=https://a");
        let second = settings(
            "docker.io=b, quay.io=b",
            "https://x=https://b,https://y=https://b",
        );
        let both = first.or(second);
        assert_eq!(
            both,
            settings(
                "docker.io=a,quay.io=b",
                "https://x=https://a,https://y=https://b"
            )
        );
    }

    #[test]
    fn another_process_gets_the_same_mirrors() {
        let supply = Supply::read(settings("docker.io=a/b", "https://x=https://a")).unwrap();
        let environment = supply.environment();
        assert_eq!(environment[0], (MIRRORS, "docker.io=a/b".into()));
        assert_eq!(
            environment[1],
            (DOWNLOAD_MIRRORS, "https://x=https://a".into())
        );
        assert_eq!(
            environment[2],
            (MIRROR_CA, "".into()),
            "an empty one is none"
        );
    }

    #[test]
    fn files_that_hold_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "node: [").unwrap();
        for settings in [
            SupplySettings {
                authority: Some(path.clone()),
                ..SupplySettings::default()
            },
            SupplySettings {
                pins: Some(path.clone()),
                ..SupplySettings::default()
            },
            SupplySettings {
                pins: Some(folder.path().join("absent")),
                ..SupplySettings::default()
            },
        ] {
            let error = Supply::read(settings).unwrap_err().to_string();
            assert!(error.contains(&*folder.path().to_string_lossy()), "{error}");
        }
    }
}

#[cfg(test)]
#[path = "supply/mutated.rs"]
mod mutated;
