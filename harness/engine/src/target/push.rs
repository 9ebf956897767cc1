//! Images into the local registry, once each.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::{ClusterError, file};
use super::names::MIRRORED;
use crate::artifact::{Image, head_local};
use crate::container::{Engine, EngineKind};
use crate::process;

/// Forms of manifests that engines push.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// Pushes an image to the registry on `port`, unless it has it; returns whether it was pushed.
///
/// `notes` is the folder that remembers which image became which manifest: engines compress layers
/// when they push, so that a manifest's digest is not known before.
pub(super) async fn push(
    engine: &Engine,
    image: &Image,
    port: u16,
    notes: &Path,
) -> Result<bool, ClusterError> {
    let (repository, tag) = place(&image.public_name)?;
    let path = format!("/v2/{repository}/manifests/{tag}");
    let note = notes.join(hash(&[&repository, &tag]));
    let id = image_id(engine, &image.local_name).await?;
    if let Some(digest) = manifest(port, &path).await?
        && std::fs::read_to_string(&note).is_ok_and(|text| text == format!("{id} {digest}"))
    {
        return Ok(false);
    }
    let target = format!("127.0.0.1:{port}/{repository}:{tag}");
    let doing = format!("pushing {} to the local registry", image.public_name);
    match engine.kind {
        EngineKind::Podman => {
            let mut push = engine.command();
            push.args([
                "push",
                "--quiet",
                "--tls-verify=false",
                &image.local_name,
                &format!("docker://{target}"),
            ]);
            process::output(push, &doing, process::TRANSFER).await?;
        }
        EngineKind::Docker => {
            // docker pushes to where an image's name says, and trusts loopback without TLS.
            for arguments in [
                ["tag", &image.local_name, &target].as_slice(),
                &["push", "--quiet", &target],
            ] {
                let mut command = engine.command();
                command.args(arguments);
                process::output(command, &doing, process::TRANSFER).await?;
            }
            let mut untag = engine.command();
            untag.args(["rmi", &target]);
            process::output(untag, &doing, process::TRANSFER).await?;
        }
    }
    let digest = manifest(port, &path).await?;
    let digest = digest.ok_or_else(|| {
        ClusterError::Registry(format!("{target} was pushed, but it is not there"))
    })?;
    std::fs::create_dir_all(notes).map_err(file("making", notes))?;
    std::fs::write(&note, format!("{id} {digest}")).map_err(file("writing", &note))?;
    Ok(true)
}

/// Where an image with a public name lies in the local registry: repository and tag.
fn place(public_name: &str) -> Result<(String, String), ClusterError> {
    let unusable = || {
        ClusterError::Registry(format!(
            "`{public_name}` can't be served: a name needs its registry ({}) and its tag",
            MIRRORED.join(" or ")
        ))
    };
    let (repository, tag) = public_name.rsplit_once(':').ok_or_else(unusable)?;
    let (registry, _) = repository.split_once('/').ok_or_else(unusable)?;
    if tag.contains('/') || !MIRRORED.contains(&registry) {
        return Err(unusable());
    }
    Ok((repository.to_owned(), tag.to_owned()))
}

async fn image_id(engine: &Engine, name: &str) -> Result<String, ClusterError> {
    let mut inspect = engine.command();
    inspect.args(["image", "inspect", "--format", "{{.Id}}", name]);
    let id = process::output(
        inspect,
        &format!("looking at the image {name}"),
        process::INSPECTION,
    )
    .await?;
    Ok(id.trim().trim_start_matches("sha256:").to_owned())
}

/// Digest of the manifest at a path, `None` when there is none.
async fn manifest(port: u16, path: &str) -> Result<Option<String>, ClusterError> {
    let answer = head_local(port, path, MANIFESTS)
        .await
        .map_err(|error| ClusterError::Registry(format!("asking it for {path}: {error}")))?;
    if answer.status() == http::StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let digest = answer
        .headers()
        .get("docker-content-digest")
        .and_then(|value| value.to_str().ok());
    match digest {
        Some(digest) if answer.status().is_success() => Ok(Some(digest.to_owned())),
        _ => Err(ClusterError::Registry(format!(
            "it answers {} to {path}",
            answer.status()
        ))),
    }
}

/// A short name for a few texts.
pub(super) fn hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hasher
        .finalize()
        .iter()
        .take(12)
        .fold(String::new(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("docker.io/rayproject/ray:2.52.0", Some(("docker.io/rayproject/ray", "2.52.0")))]
    #[case("quay.io/kuberay/operator:v1.6.2", Some(("quay.io/kuberay/operator", "v1.6.2")))]
    #[case("rayproject/ray:2.52.0", None)]
    #[case("docker.io/rayproject/ray", None)]
    #[case("localhost:5000/ray", None)]
    #[case("gcr.io/x/y:1", None)]
    fn an_image_lies_under_its_full_name(
        #[case] name: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let found = place(name).ok();
        assert_eq!(
            found
                .as_ref()
                .map(|(repository, tag)| (repository.as_str(), tag.as_str())),
            expected
        );
    }

    #[test]
    fn texts_are_kept_apart() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
