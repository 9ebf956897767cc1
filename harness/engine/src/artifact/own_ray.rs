//! A Ray image of the user's own, in the place of a release's.

use std::path::Path;

use semver::Version;

use super::artifacts::built;
use super::error::file;
use super::image::{ImageStore, LOCAL_PREFIX, Recipe};
use super::{ArtifactError, ArtifactKey, Artifacts, Image, RaySource, digest_of};
use crate::process;
use crate::results::{ImageRecord, Origin};

/// How much of a digest a tag holds.
const SHORT: usize = 12;

impl Artifacts {
    /// Ray's image, from where the user says. `version` is the release that the user's Ray is
    /// compared with.
    ///
    /// # Errors
    /// When the release's image can be neither pulled nor built; when the container engine neither
    /// holds nor can pull the user's image; when the wheel can't be read or installed.
    pub async fn ray_image_of(
        &self,
        source: &RaySource,
        version: &Version,
    ) -> Result<Image, ArtifactError> {
        match source {
            RaySource::Release => self.ray_image(version).await,
            RaySource::Image(name) => {
                let repository = &self.pins().ray.image;
                self.images().own(name, repository, version).await
            }
            RaySource::Wheel(path) => self.ray_image_with(path, version).await,
        }
    }

    /// The image of a release, with a wheel in the place of its Ray.
    async fn ray_image_with(
        &self,
        wheel: &Path,
        version: &Version,
    ) -> Result<Image, ArtifactError> {
        let name = wheel_name(wheel)?;
        // Reading anything else might never end.
        if !std::fs::metadata(wheel)
            .map_err(file("reading", wheel))?
            .is_file()
        {
            return Err(ArtifactError::NoWheel { path: wheel.into() });
        }
        let digest = digest_of(wheel)?;
        let base = self.ray_image(version).await?;
        let place = format!("wheel/{name}");
        let tag = format!("{version}-wheel");
        let arguments = [("RAY", base.local_name.as_str())];
        let context = [(place.as_str(), wheel.to_path_buf())];
        let recipe = Recipe {
            folder: "ray-wheel",
            name: "ray",
            tag: &tag,
            arguments: &arguments,
            context: &context,
            key: ArtifactKey::default().with(&digest),
        };
        let held = self.images().build(recipe).await?;
        let public_name = format!("{}:{tag}-{}", self.pins().ray.image, &digest[..SHORT]);
        let source = format!("the wheel {name} (sha256:{digest}) in the image of Ray {version}");
        Ok(built(public_name, held, source, false))
    }
}

impl ImageStore<'_> {
    /// An image that the engine holds or can pull, under a public name that ends with its digest:
    /// a node that has an older image of the user's name asks for this one.
    async fn own(
        &self,
        name: &str,
        repository: &str,
        version: &Version,
    ) -> Result<Image, ArtifactError> {
        let digest = if let Ok(digest) = self.id(name).await {
            digest
        } else {
            let task = format!("image {name}");
            self.progress.update(&task, "pulling");
            let mut pull = self.engine.command();
            pull.args(["pull", "--quiet", name]);
            process::output(
                pull,
                &format!("pulling the image {name}"),
                process::TRANSFER,
            )
            .await?;
            self.id(name).await?
        };
        let hexadecimal = digest.trim_start_matches("sha256:");
        let short = hexadecimal.get(..SHORT).unwrap_or(hexadecimal);
        let local_name = format!("{LOCAL_PREFIX}/ray:own-{short}");
        let mut tag = self.engine.command();
        tag.args(["tag", name, &local_name]);
        process::output(
            tag,
            &format!("naming the image {name}"),
            process::INSPECTION,
        )
        .await?;
        let public_name = format!("{repository}:{version}-own-{short}");
        Ok(Image {
            record: ImageRecord {
                name: public_name.clone(),
                origin: Origin::Existing,
                source: format!("the image {name} of the user, compared with Ray {version}"),
                digest,
                pinned: false,
            },
            public_name,
            local_name,
            archive: None,
        })
    }
}

/// The file name of a wheel of Ray, which pip reads its release and platform from.
fn wheel_name(path: &Path) -> Result<&str, ArtifactError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let is_wheel = |name: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        name.starts_with("ray-")
            && path.extension().is_some_and(|ending| ending == "whl")
            && name.chars().all(plain)
    };
    name.filter(is_wheel).ok_or_else(|| ArtifactError::NoWheel {
        path: path.to_path_buf(),
    })
}

#[cfg(test)]
mod tests {
    use assert_matches::assert_matches;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/a/ray-3.0.0.dev0-cp311-cp311-manylinux2014_x86_64.whl", true)]
    #[case("ray-2.60.0+abc-cp311-cp311-linux_x86_64.whl", true)]
    #[case("ray-2.60.0.tar.gz", false)]
    #[case("numpy-2.0.0-cp311-cp311-linux_x86_64.whl", false)]
    #[case("ray-2.60.0 $(id).whl", false)]
    #[case("/", false)]
    fn a_wheel_of_ray_is_known_by_its_name(#[case] path: &str, #[case] known: bool) {
        let found = wheel_name(Path::new(path));
        if known {
            let expected = Path::new(path).file_name().unwrap().to_str().unwrap();
            assert_matches!(found, Ok(name) if name == expected);
        } else {
            assert_matches!(found, Err(ArtifactError::NoWheel { path: of }) if of == Path::new(path));
        }
    }
}
