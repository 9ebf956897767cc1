//! What images are built on: a Debian file system, and the pause program.

use std::path::{Path, PathBuf};

use kuberay_conformance_pins::Pins;

use super::error::file;
use super::go::Go;
use super::image::{HeldImage, LOCAL_PREFIX};
use super::recipes::{recipe_contents, text_of};
use super::{ArtifactError, ArtifactKey, Store, system};
use crate::container::Engine;
use crate::process;
use crate::progress::Progress;
use crate::results::Outcome;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The image with Debian's minimal file system, made by debootstrap from the signed archive.
///
/// # Errors
/// When debootstrap can't be installed or fails.
pub(super) async fn base(
    engine: &Engine,
    store: &Store,
    progress: &dyn Progress,
) -> Result<HeldImage, ArtifactError> {
    let mut key = ArtifactKey::default();
    for (path, contents) in recipe_contents("debian") {
        key = key.with(path.to_string_lossy().as_bytes()).with(contents);
    }
    let key = key.short();
    let name = format!("{LOCAL_PREFIX}/debian:bookworm-{key}");
    let folder = store
        .get("images/debian", &key, |target| async move {
            system::ensure(&[system::DEBOOTSTRAP], progress).await?;
            let task = "Debian file system";
            progress.update(task, "debootstrap");
            let root = tempfile::tempdir_in(store.root()).map_err(file("making", store.root()))?;
            let mut bootstrap = process::command("debootstrap");
            // The archive's signature is checked by default where the keyring is installed; never
            // do without it.
            if Path::new(KEYRING).exists() {
                bootstrap
                    .arg("--force-check-gpg")
                    .arg(format!("--keyring={KEYRING}"));
            }
            let arguments: Vec<&str> = text_of("images/debian/debootstrap.txt")
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let (suite, options) = arguments.split_last().unwrap_or((&"bookworm", &[]));
            bootstrap.args(options).arg(suite).arg(root.path());
            if let Ok(mirror) = std::env::var("KUBERAY_CONFORMANCE_DEBIAN_MIRROR") {
                bootstrap.arg(mirror);
            }
            process::logged(
                bootstrap,
                "making Debian's file system",
                &target.join("build.log"),
                process::BUILD,
            )
            .await?;
            progress.update(task, "packing");
            let mut tar = process::command("tar");
            tar.arg("--create")
                .arg("--file")
                .arg(target.join("root.tar"))
                .arg("--directory")
                .arg(root.path())
                .arg(".");
            process::output(tar, "packing Debian's file system", process::CHANGE).await?;
            progress.finish(task, Outcome::Passed, "made");
            Ok(())
        })
        .await?;
    let archive = folder.join("root.tar");
    let mut exists = engine.command();
    exists.args(["image", "inspect", "--format", "{{.Id}}", &name]);
    let doing = "looking at Debian's file system image";
    if process::output(exists, doing, process::INSPECTION)
        .await
        .is_err()
    {
        let mut import = engine.command();
        import
            .args(["import", "--change", "CMD [\"/bin/bash\"]"])
            .arg(&archive)
            .arg(&name);
        process::output(import, "importing Debian's file system", process::TRANSFER).await?;
    }
    Ok(HeldImage {
        name,
        archive,
        id: String::new(),
        key,
    })
}

/// The pause program, compiled from the source that the Kubernetes module carries.
///
/// # Errors
/// When there is no C compiler.
pub(super) async fn pause(
    store: &Store,
    go: &Go,
    pins: &Pins,
    progress: &dyn Progress,
) -> Result<PathBuf, ArtifactError> {
    let key = ArtifactKey::default()
        .with(pins.kubernetes.to_string())
        .with(pins.pause.to_string())
        .short();
    let folder = store
        .get("programs/pause", &key, |target| async move {
            system::ensure(&[system::CC], progress).await?;
            let source = go
                .locked_module("kubernetes", "k8s.io/kubernetes")
                .await?
                .join("build/pause/linux/pause.c");
            let mut compile = process::command("gcc");
            compile.args([
                "-Os",
                "-static",
                "-s",
                &format!("-DVERSION=v{}", pins.pause),
                "-o",
            ]);
            compile.arg(target.join("pause")).arg(source);
            process::output(compile, "compiling the pause program", process::CHANGE).await?;
            Ok(())
        })
        .await?;
    Ok(folder.join("pause"))
}
