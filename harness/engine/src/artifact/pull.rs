//! Release binaries from the web, verified by a pinned checksum or by the one published beside
//! them.

use std::path::{Path, PathBuf};

use kuberay_conformance_pins::{Pins, PulledArchive, PulledFile, UNPINNED};
use semver::Version;
use sha2::{Digest, Sha256};

use super::download::{Schemes, download};
use super::error::file;
use super::{ArtifactError, ArtifactKey, Store};
use crate::process;
use crate::progress::Progress;

/// What a program or an archive takes at most, in bytes; the API server takes 90 MiB.
const LARGEST: u64 = 1 << 30;
/// What a list of checksums takes at most, in bytes.
const LARGEST_SUMS: u64 = 1 << 20;

/// Downloads a program, verifies it and makes it executable.
///
/// # Errors
/// When it can't be downloaded, or is not what the checksum says.
pub async fn program(
    store: &Store,
    name: &str,
    pin: &PulledFile,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let url = pin.url.replace("{arch}", architecture());
    let sums = kind_sums(&url);
    let key = ArtifactKey::default().with(&url).with(&pin.sha256).short();
    let folder = store
        .get(
            &format!("programs/{name}-pulled"),
            &key,
            |target| async move {
                progress.update(name, "downloading");
                let path = target.join(name);
                fetch(&url, &path).await?;
                let expected = if pin.sha256 == UNPINNED {
                    let text = fetch_sums(&sums, &target.join("sha256sum")).await?;
                    text.split_whitespace()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                } else {
                    pin.sha256.clone()
                };
                verify(&path, &url, &expected)?;
                make_executable(&path)
            },
        )
        .await?;
    Ok(folder.join(name))
}

/// A program of a Kubernetes release, verified by the checksum that is published beside it.
pub(super) async fn kubernetes(
    store: &Store,
    (name, release): (&str, &Version),
    pins: &Pins,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let (url, sums) = kubernetes_addresses(pins, name, release);
    let key = ArtifactKey::default().with(&url).short();
    let folder = store
        .get(
            &format!("programs/{name}-pulled"),
            &key,
            |target| async move {
                progress.update(name, "downloading");
                let (path, sum) = (target.join(name), target.join("sha256"));
                fetch(&url, &path).await?;
                let text = fetch_sums(&sums, &sum).await?;
                verify(
                    &path,
                    &url,
                    text.split_whitespace().next().unwrap_or_default(),
                )?;
                make_executable(&path)
            },
        )
        .await?;
    Ok(folder.join(name))
}

/// etcd of a release, out of the archive that is published with a list of checksums.
pub(super) async fn etcd(
    store: &Store,
    pin: &PulledArchive,
    version: &str,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let (url, sums_url) = etcd_addresses(pin, version);
    let key = ArtifactKey::default().with(&url).short();
    let folder = store
        .get("programs/etcd-pulled", &key, |target| async move {
            progress.update("etcd", "downloading");
            let (archive, sums) = (target.join("etcd.tar.gz"), target.join("sums"));
            fetch(&url, &archive).await?;
            let text = fetch_sums(&sums_url, &sums).await?;
            let name = url.rsplit('/').next().unwrap_or_default();
            let expected = sum_of(&text, name).ok_or_else(|| ArtifactError::Answer {
                doing: format!("looking for {name} in {sums_url}"),
                answer: text.clone(),
            })?;
            verify(&archive, &url, expected)?;
            let folder = name.trim_end_matches(".tar.gz");
            let mut unpack = process::command("tar");
            unpack
                .arg("--extract")
                .arg("--file")
                .arg(&archive)
                .arg("--directory")
                .arg(&target);
            unpack.args(["--strip-components=1", &format!("{folder}/etcd")]);
            process::output(unpack, "unpacking etcd", process::CHANGE).await?;
            std::fs::remove_file(&archive).map_err(file("removing", &archive))
        })
        .await?;
    Ok(folder.join("etcd"))
}

/// The addresses of a Kubernetes program and of its checksum.
pub(super) fn kubernetes_addresses(
    pins: &Pins,
    program: &str,
    release: &Version,
) -> (String, String) {
    let version = release.to_string();
    let url = pins.pull.kubernetes.replace("{version}", &version);
    let url = url.replace("{program}", program);
    let url = url.replace("{arch}", architecture());
    let sums = format!("{url}.sha256");
    (url, sums)
}

/// The addresses of etcd's archive and of the list with its checksum.
pub(super) fn etcd_addresses(pin: &PulledArchive, version: &str) -> (String, String) {
    let named = |text: &str| {
        text.replace("{version}", version)
            .replace("{arch}", architecture())
    };
    (named(&pin.url), named(&pin.sums))
}

/// The address of kind's program, and that of its checksum where none is pinned.
pub(super) fn kind_addresses(pins: &Pins) -> (String, Option<String>) {
    let pin = &pins.pull.kind;
    let url = pin.url.replace("{arch}", architecture());
    let sums = (pin.sha256 == UNPINNED).then(|| kind_sums(&url));
    (url, sums)
}

fn kind_sums(url: &str) -> String {
    format!("{url}.sha256sum")
}

/// The checksum of a file in a list as `sha256sum` writes it.
fn sum_of<'a>(sums: &'a str, name: &str) -> Option<&'a str> {
    sums.lines().find_map(|line| {
        let (sum, file) = line.split_once(char::is_whitespace)?;
        (file.trim_start_matches([' ', '*']) == name).then_some(sum)
    })
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    }
}

/// Lets a program be started.
pub(super) fn make_executable(path: &Path) -> Result<(), ArtifactError> {
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, executable).map_err(file("making executable", path))
}

/// Returns the SHA-256 of a file's contents, in hexadecimal digits.
///
/// # Errors
/// When the file can't be read.
pub fn digest_of(path: &Path) -> Result<String, ArtifactError> {
    let contents = std::fs::read(path).map_err(file("reading", path))?;
    Ok(hexadecimal(&Sha256::digest(&contents)))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Downloads a program or an archive.
async fn fetch(url: &str, target: &Path) -> Result<(), ArtifactError> {
    download(url, target, Schemes::Https, LARGEST).await
}

/// Downloads a list of checksums and returns its text.
async fn fetch_sums(url: &str, target: &Path) -> Result<String, ArtifactError> {
    download(url, target, Schemes::Https, LARGEST_SUMS).await?;
    std::fs::read_to_string(target).map_err(file("reading", target))
}

fn verify(path: &Path, what: &str, expected: &str) -> Result<(), ArtifactError> {
    let found = digest_of(path)?;
    if found == expected {
        return Ok(());
    }
    Err(ArtifactError::Checksum {
        what: what.into(),
        expected: expected.into(),
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assert_matches::assert_matches;

    #[test]
    fn the_checksum_of_a_file_is_found_by_its_whole_name() {
        let sums = "aa  etcd-v3.6.5-linux-arm64.tar.gz\nbb  etcd-v3.6.5-linux-amd64.tar.gz\ncc *etcd.zip\n";
        assert_eq!(sum_of(sums, "etcd-v3.6.5-linux-amd64.tar.gz"), Some("bb"));
        assert_eq!(sum_of(sums, "etcd.zip"), Some("cc"));
        assert_eq!(sum_of(sums, "linux-amd64.tar.gz"), None);
    }

    #[test]
    fn what_is_not_as_pinned_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "abc").unwrap();
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        verify(&path, "f", sum).unwrap();
        std::fs::write(&path, "abd").unwrap();
        assert_matches!(verify(&path, "f", sum), Err(ArtifactError::Checksum { .. }));
    }
}
