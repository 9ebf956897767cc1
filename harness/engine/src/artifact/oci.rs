//! Images of registries, without a container engine: programs out of their layers, and archives
//! that an engine loads.

mod archive;
mod remote;

use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

use super::error::file;
use super::pull::make_executable;
use super::{ArtifactError, ArtifactKey, Store};
use crate::output::Bounded;
use crate::progress::Progress;

pub(super) use archive::archive;
pub(super) use remote::{Remote, answers};

/// A program at the root of an image's file system. The client verifies each layer against the
/// manifest, and the manifest against `digest`, where one is pinned.
pub(super) async fn program(
    store: &Store,
    image: &str,
    digest: Option<&str>,
    program: &str,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let name = digest.map_or_else(
        || image.to_owned(),
        |digest| format!("{}@{digest}", without_tag(image)),
    );
    let key = ArtifactKey::default().with(&name).with(program).short();
    let folder = store
        .get(
            &format!("programs/{program}-pulled"),
            &key,
            |target| async move {
                progress.update(image, "pulling its manifest");
                let remote = Remote::open(&name).await?;
                let (manifest, _) = remote.manifest().await?;
                // Later layers cover earlier ones.
                for (number, layer) in manifest.layers.iter().enumerate().rev() {
                    let what = format!("layer {} of {}", number + 1, manifest.layers.len());
                    progress.update(image, &format!("pulling {what}"));
                    let mut blob = Vec::new();
                    remote.blob(layer, &what, &mut blob).await?;
                    let found = find(&blob, program).map_err(|error| {
                        remote.unusable(format!("a layer can't be read: {error}"))
                    })?;
                    if let Some(contents) = found {
                        let path = target.join(program);
                        std::fs::write(&path, contents).map_err(file("writing", &path))?;
                        return make_executable(&path);
                    }
                }
                Err(remote.unusable(format!("no layer contains /{program}")))
            },
        )
        .await?;
    Ok(folder.join(program))
}

/// An image's name without its tag.
pub(super) fn without_tag(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// What a layer takes at most once it is unpacked, in bytes; the operator's takes 100 MiB.
const LARGEST_LAYER: u64 = 1 << 30;

/// A file at the root of a layer, which is a tar archive, compressed or not.
fn find(layer: &[u8], name: &str) -> std::io::Result<Option<Vec<u8>>> {
    let reader: Box<dyn std::io::Read> = if layer.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(layer))
    } else {
        Box::new(layer)
    };
    let mut archive = tar::Archive::new(Bounded::new(reader, LARGEST_LAYER));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let path = path.strip_prefix("/").unwrap_or(&path);
        if path.strip_prefix(".").unwrap_or(path) == std::path::Path::new(name) {
            let mut contents = Vec::new();
            // What an entry claims to hold may be more than what the layer holds.
            Bounded::new(&mut entry, LARGEST_LAYER).read_to_end(&mut contents)?;
            return Ok(Some(contents));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "oci/tests.rs"]
mod tests;

#[cfg(test)]
#[path = "oci/mutated.rs"]
mod mutated;
