//! Release binaries from the web, verified by a pinned checksum or by the one published beside them.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::file;
use super::pins::{PulledFile, UNPINNED};
use super::{ArtifactError, Key, Store};
use crate::process;
use crate::report::Progress;

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
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let url = pin.url.replace("{arch}", architecture);
    let key = Key::default().with(&url).with(&pin.sha256).short();
    let folder = store
        .get(&format!("programs/{name}-pulled"), &key, |target| async move {
            progress.update(name, "downloading");
            let path = target.join(name);
            download(&url, &path).await?;
            let expected = if pin.sha256 == UNPINNED {
                let sum = target.join("sha256sum");
                download(&format!("{url}.sha256sum"), &sum).await?;
                let text = std::fs::read_to_string(&sum).map_err(file("reading", &sum))?;
                text.split_whitespace().next().unwrap_or_default().to_owned()
            } else {
                pin.sha256.clone()
            };
            verify(&path, &url, &expected)?;
            let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, executable).map_err(file("making executable", &path))
        })
        .await?;
    Ok(folder.join(name))
}

async fn download(url: &str, target: &Path) -> Result<(), ArtifactError> {
    let mut curl = process::command("curl");
    curl.args([
        "--fail",
        "--silent",
        "--show-error",
        "--location",
        "--proto",
        "=https",
        "--retry",
        "3",
    ]);
    curl.arg("--output").arg(target).arg(url);
    process::output(curl, &format!("downloading {url}")).await?;
    Ok(())
}

fn verify(path: &Path, what: &str, expected: &str) -> Result<(), ArtifactError> {
    let contents = std::fs::read(path).map_err(file("reading", path))?;
    let found = Sha256::digest(&contents)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
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

    #[test]
    fn what_is_not_as_pinned_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "abc").unwrap();
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        verify(&path, "f", sum).unwrap();
        std::fs::write(&path, "abd").unwrap();
        assert!(matches!(verify(&path, "f", sum), Err(ArtifactError::Checksum { .. })));
    }
}
