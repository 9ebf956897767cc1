//! Writes an image as an archive that podman and Docker load (`docker-archive`).

use std::collections::BTreeSet;
use std::path::Path;

use oci_client::manifest::OciDescriptor;
use serde_json::json;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::super::ArtifactError;
use super::super::error::file;
use super::Remote;
use crate::progress::Progress;

/// A block of a tar archive, in bytes.
const BLOCK: u64 = 512;
/// Two empty blocks, which end an archive.
const END: [u8; 1024] = [0; 1024];
/// What an image's configuration takes at most, in bytes.
const LARGEST_CONFIGURATION: i64 = 4 << 20;

/// What was pulled.
#[derive(Debug)]
pub(in super::super) struct Pulled {
    /// The digest that the image is known by in its registry.
    pub(in super::super) digest: String,
}

/// Pulls an image into an archive in which it has the name `name`. Layers go from the registry into
/// the archive as they are, each verified.
pub(in super::super) async fn archive(
    remote: &Remote,
    name: &str,
    task: &str,
    target: &Path,
    progress: &dyn Progress,
) -> Result<Pulled, ArtifactError> {
    progress.update(task, "pulling its manifest");
    let (manifest, digest) = remote.manifest().await?;
    if manifest.config.size > LARGEST_CONFIGURATION {
        return Err(remote.unusable("its configuration is too large".into()));
    }
    let mut configuration = Vec::new();
    let what = "its configuration";
    remote
        .blob(&manifest.config, what, &mut configuration)
        .await?;
    let mut archive = Archive::create(target).await?;
    let mut written = BTreeSet::new();
    let mut names = Vec::new();
    for (number, layer) in manifest.layers.iter().enumerate() {
        let within = hexadecimal(&layer.digest).map(|digits| format!("{digits}/layer.tar"));
        let within = within.ok_or_else(|| {
            remote.unusable("the digest of a layer is not one of SHA-256".to_owned())
        })?;
        names.push(within.clone());
        if !written.insert(within.clone()) {
            continue;
        }
        let what = format!("layer {} of {}", number + 1, manifest.layers.len());
        progress.update(task, &format!("pulling {what}"));
        archive.layer(remote, layer, &what, &within).await?;
    }
    let identity = hexadecimal(&manifest.config.digest).ok_or_else(|| {
        remote.unusable("the digest of its configuration is not one of SHA-256".to_owned())
    })?;
    let config = format!("{identity}.json");
    archive.entry(&config, &configuration).await?;
    let index = json!([{"Config": config, "RepoTags": [name], "Layers": names}]).to_string();
    archive.entry("manifest.json", index.as_bytes()).await?;
    archive.finish().await?;
    Ok(Pulled { digest })
}

/// The digits of a SHA-256 digest; `None` for anything else, which could be a path.
fn hexadecimal(digest: &str) -> Option<&str> {
    let digits = digest.strip_prefix("sha256:")?;
    let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then_some(digits)
}

/// A tar archive that is being written.
struct Archive<'a> {
    file: BufWriter<File>,
    path: &'a Path,
}

impl<'a> Archive<'a> {
    async fn create(path: &'a Path) -> Result<Self, ArtifactError> {
        let file = File::create(path).await.map_err(file("making", path))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            path,
        })
    }

    async fn header(&mut self, name: &str, size: u64) -> Result<(), ArtifactError> {
        let mut header = tar::Header::new_ustar();
        let named = header.set_path(name);
        named.map_err(file("naming an entry of", self.path))?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        self.write(header.as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError> {
        let written = self.file.write_all(bytes).await;
        written.map_err(file("writing", self.path))
    }

    async fn pad(&mut self, size: u64) -> Result<(), ArtifactError> {
        let rest = usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or(0);
        self.write(&END[..rest]).await
    }

    async fn entry(&mut self, name: &str, contents: &[u8]) -> Result<(), ArtifactError> {
        let size = contents.len() as u64;
        self.header(name, size).await?;
        self.write(contents).await?;
        self.pad(size).await
    }

    async fn layer(
        &mut self,
        remote: &Remote,
        layer: &OciDescriptor,
        what: &str,
        name: &str,
    ) -> Result<(), ArtifactError> {
        let size = u64::try_from(layer.size).unwrap_or(0);
        self.header(name, size).await?;
        remote.blob(layer, what, &mut self.file).await?;
        self.pad(size).await
    }

    async fn finish(mut self) -> Result<(), ArtifactError> {
        self.write(&END).await?;
        let flushed = self.file.flush().await;
        flushed.map_err(file("writing", self.path))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sha256:../../x", false)]
    #[case("sha512:ab", false)]
    #[case("", false)]
    fn only_a_digest_becomes_a_path(#[case] digest: &str, #[case] expected: bool) {
        assert_eq!(hexadecimal(digest).is_some(), expected);
        let digits = "0f".repeat(32);
        assert_eq!(hexadecimal(&format!("sha256:{digits}")), Some(&*digits));
    }

    #[tokio::test]
    async fn entries_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        let mut archive = Archive::create(&path).await.unwrap();
        let long = vec![7; 1000];
        archive.entry("a/layer.tar", &long).await.unwrap();
        archive.entry("manifest.json", b"[]").await.unwrap();
        archive.finish().await.unwrap();
        let mut read = tar::Archive::new(std::fs::File::open(&path).unwrap());
        let entries: Vec<(String, u64)> = read
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.path().unwrap().display().to_string(), entry.size())
            })
            .collect();
        assert_eq!(
            entries,
            [
                ("a/layer.tar".to_owned(), 1000),
                ("manifest.json".to_owned(), 2)
            ]
        );
    }
}
