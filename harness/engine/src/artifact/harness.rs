//! The harness's own image, for Jobs in a cluster.

use std::path::{Path, PathBuf};

use kuberay_conformance_pins::UNPINNED;

use super::error::file;
use super::image::Recipe;
use super::{ArtifactError, ArtifactKey, Artifacts, Image, module_zip, pull, system};
use crate::process;
use crate::results::Origin;
use crate::scenario;

/// Where a harness image belongs that nobody gives another name; nodes of the harness's own
/// clusters get it from the local registry.
const PUBLIC_NAME: &str = "docker.io/kuberay-conformance/harness";
/// What the image is built on where public images are pulled.
const PUBLIC_DEBIAN: &str = "docker.io/library/debian:bookworm-slim";

impl Artifacts {
    /// The image with a program of the harness, a folder of scenarios, and the samples of every
    /// release of the matrix.
    ///
    /// # Errors
    /// When the image can't be built; also when the program needs a newer C library than the image
    /// has.
    pub async fn harness_image(
        &self,
        program: &Path,
        scenarios: &Path,
    ) -> Result<Image, ArtifactError> {
        let store = &self.programs().store;
        let debian = self.base().await?;
        let stage = tempfile::tempdir_in(store.root()).map_err(file("making", store.root()))?;
        let place = |name: &str| stage.path().join(name);
        copy(scenarios, &place("scenarios")).map_err(file("copying", scenarios))?;
        let mut key = ArtifactKey::default()
            .with(&debian)
            .with(pull::digest_of(program)?);
        for path in files(&place("scenarios")).map_err(file("reading", scenarios))? {
            key = key.with(path.to_string_lossy().as_bytes());
            key = key.with(
                std::fs::read(place("scenarios").join(&path)).map_err(file("reading", &path))?,
            );
        }
        // No registry is asked from inside a Pod.
        let cache = place("cache");
        std::fs::create_dir_all(&cache).map_err(file("making", &cache))?;
        std::fs::write(cache.join("artifacts-source"), "build").map_err(file("writing", &cache))?;
        for release in &self.pins().operators.matrix {
            if self.programs().unavailable(release).await.is_some() {
                continue;
            }
            let module = self.pins().operator(release)?;
            let samples = self
                .programs()
                .operator_module(release)
                .await?
                .join("config/samples");
            let target = cache
                .join(module_zip::place(&module))
                .join("config/samples");
            copy(&samples, &target).map_err(file("copying", &samples))?;
            key = key.with(&module.sum);
        }
        let own = place("kuberay-conformance");
        stripped(program, &own).await?;
        let context: Vec<(&str, PathBuf)> = ["kuberay-conformance", "cache", "scenarios"]
            .into_iter()
            .map(|name| (name, place(name)))
            .collect();
        let tag = env!("CARGO_PKG_VERSION");
        let arguments = [("DEBIAN", debian.as_str())];
        let recipe = Recipe {
            folder: "harness",
            name: "harness",
            tag,
            arguments: &arguments,
            context: &context,
            key,
        };
        let held = self.images().build(recipe).await?;
        let name = format!("{PUBLIC_NAME}:{tag}-{}", held.key);
        Ok(super::artifacts::built(
            name,
            held,
            format!("kuberay-conformance {tag}, on {debian}"),
            false,
        ))
    }

    async fn base(&self) -> Result<String, ArtifactError> {
        let pulls = self.node_origin().await == Origin::Pulled;
        Ok(if pulls {
            // Through the mirror, which an engine that builds would not ask.
            self.images()
                .pull(PUBLIC_DEBIAN, UNPINNED)
                .await?
                .local_name
        } else {
            self.debian().await?.name.clone()
        })
    }
}

/// A copy without what only a debugger needs, where there is a `strip`.
async fn stripped(program: &Path, target: &Path) -> Result<(), ArtifactError> {
    if system::is_present("strip") {
        let mut strip = process::command("strip");
        strip.arg("-o").arg(target).arg(program);
        process::output(
            strip,
            "making the harness smaller for its image",
            process::CHANGE,
        )
        .await?;
        return Ok(());
    }
    std::fs::copy(program, target).map_err(file("copying", program))?;
    Ok(())
}

/// Copies files and folders; pending snapshots are nobody's scenarios.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&path, &target)?;
        } else if path.extension().is_none_or(|extension| extension != "new") {
            // Modules are kept without write permission, which the copy need not have.
            std::fs::write(&target, scenario::files::read(from, &path)?)?;
        }
    }
    Ok(())
}

/// Every file below a folder, relative to it, in order.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fn collect(root: &Path, folder: &Path, all: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                collect(root, &path, all)?;
            } else {
                all.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
            }
        }
        Ok(())
    }
    let mut all = Vec::new();
    collect(folder, folder, &mut all)?;
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_copied_without_pending_snapshots() {
        let from = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(from.path().join("a")).unwrap();
        for name in [
            "a/scenario.yaml",
            "a/head.args@ge-1.4.0.snap",
            "a/head.args@ge-1.4.0.snap.new",
        ] {
            std::fs::write(from.path().join(name), name).unwrap();
        }
        let to = tempfile::tempdir().unwrap();
        copy(from.path(), to.path()).unwrap();
        let names = ["a/head.args@ge-1.4.0.snap", "a/scenario.yaml"].map(PathBuf::from);
        assert_eq!(files(to.path()).unwrap(), names);
    }
}
