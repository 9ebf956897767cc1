//! Images: built from a recipe or pulled, held by the container engine, and kept as archives in the
//! store.

use std::path::{Path, PathBuf};

use kuberay_conformance_pins::UNPINNED;
use semver::Version;

use super::error::file;
use super::recipes::{recipe_contents, write_recipe};
use super::{ArtifactError, ArtifactKey, Image, Store, Supply, oci};
use crate::container::Engine;
use crate::process;
use crate::progress::Progress;
use crate::results::{ImageRecord, Origin};

/// The prefix of every image name that is ours; a user's images never have it.
pub const LOCAL_PREFIX: &str = "localhost/kuberay-conformance";

/// Builds, pulls, saves and loads images with one container engine.
pub struct ImageStore<'a> {
    pub(super) engine: &'a Engine,
    pub(super) store: &'a Store,
    pub(super) progress: &'a dyn Progress,
    /// Certificate authorities that builds trust, in PEM.
    pub(super) authorities: String,
}

/// The file with the authorities in every build's context. What a build downloads is proven by
/// checksums and signatures, so that the result is the same with others: it is no part of the key.
const AUTHORITIES: &str = "ca.crt";

/// How an image is built; the recipe is a folder below `fixtures/images` with a `Containerfile`.
pub struct Recipe<'a> {
    /// Folder below `fixtures/images`.
    pub folder: &'a str,
    /// Name below [`LOCAL_PREFIX`].
    pub name: &'a str,
    /// Tag, to which the key is appended.
    pub tag: &'a str,
    /// `--build-arg`s.
    pub arguments: &'a [(&'a str, &'a str)],
    /// Files and folders of the context beside the recipe's own: name in the context, and where it
    /// is.
    pub context: &'a [(&'a str, PathBuf)],
    /// What else decides the contents (keys of what the context holds).
    pub key: ArtifactKey,
}

/// An image that the engine holds.
#[derive(Debug, Clone)]
pub struct HeldImage {
    /// The engine's name for it.
    pub name: String,
    /// Its archive in the store, under that name.
    pub archive: PathBuf,
    /// Digest of its configuration, `sha256:…`.
    pub id: String,
    /// The key of what went into it.
    pub key: String,
}

impl ImageStore<'_> {
    /// Builds an image, or takes it from the engine or the store.
    ///
    /// # Errors
    /// When the build fails; the error holds its last lines.
    pub async fn build(&self, recipe: Recipe<'_>) -> Result<HeldImage, ArtifactError> {
        let mut key = recipe.key.clone().with(recipe.name).with(recipe.tag);
        let own = |path: &Path| belongs_to(path, recipe.tag);
        for (path, contents) in recipe_contents(recipe.folder)
            .into_iter()
            .filter(|(path, _)| own(path))
        {
            key = key.with(path.to_string_lossy().as_bytes()).with(contents);
        }
        for (name, value) in recipe.arguments {
            key = key.with(name).with(value);
        }
        let key = key.short();
        let name = format!("{LOCAL_PREFIX}/{}:{}-{key}", recipe.name, recipe.tag);
        let folder = self
            .store
            .get(&format!("images/{}", recipe.name), &key, |target| {
                let (recipe, name) = (&recipe, &name);
                async move {
                    let task = format!("image {}:{}", recipe.name, recipe.tag);
                    self.progress.update(&task, "building");
                    // Beside the store, so that programs are linked into the context instead of
                    // copied.
                    let context = tempfile::tempdir_in(self.store.root())
                        .map_err(file("making", self.store.root()))?;
                    write_recipe(recipe.folder, context.path())
                        .map_err(file("writing", context.path()))?;
                    for (within, source) in recipe.context {
                        link(source, &context.path().join(within))
                            .map_err(file("linking", source))?;
                    }
                    let authorities = context.path().join(AUTHORITIES);
                    std::fs::write(&authorities, &self.authorities)
                        .map_err(file("writing", &authorities))?;
                    self.run_build(recipe, name, context.path(), &task, &target)
                        .await?;
                    self.progress.update(&task, "saving to the store");
                    self.save(name, &target.join("image.tar")).await?;
                    Ok(())
                }
            })
            .await?;
        self.held(name, folder.join("image.tar"), key).await
    }

    async fn run_build(
        &self,
        recipe: &Recipe<'_>,
        name: &str,
        context: &Path,
        task: &str,
        target: &Path,
    ) -> Result<(), ArtifactError> {
        let mut build = self.engine.command();
        build.args(["build", "--network=host", "--tag", name]);
        // The engine's build cache doesn't look at what a RUN mounts: steps whose result depends on
        // what they mount declare this argument. The name ends with the key of all that goes in.
        build.arg("--build-arg").arg(format!("KEY={name}"));
        for (argument, value) in recipe.arguments {
            if *argument == "target" {
                build.args(["--target", value]);
            } else {
                build.arg("--build-arg").arg(format!("{argument}={value}"));
            }
        }
        build
            .arg("--file")
            .arg(context.join("Containerfile"))
            .arg(context);
        process::logged(
            build,
            &format!("building the {task}"),
            &target.join("build.log"),
            process::BUILD,
        )
        .await?;
        Ok(())
    }

    /// Pulls an image, by digest where one is pinned; what was pulled before is not asked for
    /// again.
    ///
    /// It comes from its registry, or from the mirror of that, into an archive that the engine
    /// loads: the same checks, time limits, logins and authorities hold for every engine.
    ///
    /// # Errors
    /// When it can't be pulled, or is not what is pinned.
    pub async fn pull(&self, public_name: &str, digest: &str) -> Result<Image, ArtifactError> {
        let reference = if digest == UNPINNED {
            public_name.to_owned()
        } else {
            format!("{}@{digest}", oci::without_tag(public_name))
        };
        let key = ArtifactKey::default().with(&reference).short();
        let task = format!("image {public_name}");
        let last = public_name.rsplit('/').next().unwrap_or(public_name);
        let simple_name = last.replace(':', "-");
        // With the key: another digest of the same tag is another image.
        let name = format!("{LOCAL_PREFIX}/pulled/{last}-{key}");
        let folder = self
            .store
            .get(&format!("images/pulled-{simple_name}"), &key, |target| {
                let (name, reference, task) = (&name, &reference, &task);
                async move {
                    let remote = oci::Remote::open(reference).await?;
                    let image = target.join("image.tar");
                    let pulled = oci::archive(&remote, name, task, &image, self.progress).await?;
                    std::fs::write(target.join("digest"), pulled.digest)
                        .map_err(file("writing", &target))
                }
            })
            .await?;
        let held = self.held(name, folder.join("image.tar"), key).await?;
        let found = std::fs::read_to_string(folder.join("digest"))
            .map_err(file("reading", folder.join("digest")))?;
        let pinned = digest != UNPINNED;
        let note = Supply::of_process().pins_note();
        Ok(Image {
            public_name: public_name.to_owned(),
            local_name: held.name,
            archive: Some(held.archive),
            record: ImageRecord {
                name: public_name.to_owned(),
                origin: Origin::Pulled,
                source: if pinned { reference + &note } else { reference },
                digest: if found.is_empty() { held.id } else { found },
                pinned,
            },
        })
    }

    async fn save(&self, name: &str, archive: &Path) -> Result<(), ArtifactError> {
        let mut save = self.engine.command();
        save.arg("save").arg("--output").arg(archive).arg(name);
        process::output(save, &format!("saving the image {name}"), process::TRANSFER).await?;
        Ok(())
    }

    /// Makes sure that the engine holds what the store has.
    async fn held(
        &self,
        name: String,
        archive: PathBuf,
        key: String,
    ) -> Result<HeldImage, ArtifactError> {
        let id = if let Ok(id) = self.id(&name).await {
            id
        } else {
            self.progress
                .update(&format!("image {name}"), "loading from the store");
            let mut load = self.engine.command();
            load.arg("load").arg("--input").arg(&archive);
            process::output(
                load,
                &format!("loading the image {name} from the store"),
                process::TRANSFER,
            )
            .await?;
            self.id(&name).await?
        };
        Ok(HeldImage {
            name,
            archive,
            id,
            key,
        })
    }

    /// The digest of the configuration of an image that the engine holds, `sha256:…`.
    pub(super) async fn id(&self, name: &str) -> Result<String, ArtifactError> {
        let mut inspect = self.engine.command();
        inspect.args(["image", "inspect", "--format", "{{.Id}}", name]);
        let doing = format!("looking at the image {name}");
        let id = process::output(inspect, &doing, process::INSPECTION).await?;
        Ok(format!(
            "sha256:{}",
            id.trim().trim_start_matches("sha256:")
        ))
    }
}

/// Whether a recipe's file has a part in the image of this tag: a sub-folder that is named like a
/// release is that release's alone, so that adding a release builds no image of another one anew.
fn belongs_to(path: &Path, tag: &str) -> bool {
    path.components().all(|part| {
        let part = part.as_os_str().to_string_lossy();
        part == tag || Version::parse(&part).is_err()
    })
}

/// Links a file, or every file of a folder, and copies where linking is not possible.
fn link(source: &Path, target: &Path) -> std::io::Result<()> {
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    if source.is_dir() {
        std::fs::create_dir_all(target)?;
        for entry in std::fs::read_dir(source)? {
            let entry = entry?;
            link(&entry.path(), &target.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if std::fs::hard_link(source, target).is_err() {
        std::fs::copy(source, target)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_depends_on_its_own_release_alone() {
        let used: Vec<_> = recipe_contents("ray")
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| belongs_to(path, "2.52.0"))
            .collect();
        let expected = [
            "images/ray/2.52.0/requirements.lock",
            "images/ray/Containerfile",
        ];
        assert_eq!(used, expected.map(Path::new));
    }

    #[test]
    fn a_folder_is_linked_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c"), "x").unwrap();
        link(&folder.path().join("a"), &folder.path().join("d/e")).unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("d/e/b/c")).unwrap(),
            "x"
        );
    }
}
