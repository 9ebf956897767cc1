//! The images that the store hands out contain what their names say.
//!
//! They are looked at only where `KUBERAY_CONFORMANCE_REQUIRE` asks for the lane `kind`; else these tests say that
//! they were left out, because building the images takes long.

use std::sync::Arc;

use kuberay_conformance::artifact::{Artifacts, Image, Source, Store};
use kuberay_conformance::cluster::Engine;
use kuberay_conformance::process;
use kuberay_conformance::report::Silent;
use rstest::rstest;

struct Images {
    artifacts: Artifacts,
    engine: Engine,
}

async fn images() -> Option<Images> {
    let required = std::env::var("KUBERAY_CONFORMANCE_REQUIRE").unwrap_or_default();
    if !required.split(',').any(|lane| lane == "kind") {
        println!("left out: KUBERAY_CONFORMANCE_REQUIRE does not ask for kind");
        return None;
    }
    let store = Store::open().unwrap();
    let engine = Engine::detect(None, store.root()).await.unwrap();
    let artifacts = Artifacts::new(engine.clone(), store, Source::Auto, Arc::new(Silent));
    Some(Images { artifacts, engine })
}

impl Images {
    async fn inside(&self, image: &Image, command: &[&str]) -> String {
        let mut run = self.engine.command();
        run.args([
            "run",
            "--rm",
            "--network=none",
            "--entrypoint",
            command[0],
            &image.local_name,
        ])
        .args(&command[1..]);
        process::output(run, "looking into an image")
            .await
            .unwrap()
            .trim()
            .to_owned()
    }
}

/// A login shell is what KubeRay starts Ray in up to 1.3, a plain one is what it does since.
#[rstest]
#[case::plain_shell("-c")]
#[case::login_shell("-lc")]
#[tokio::test]
async fn ray_is_the_release_that_the_tag_says(#[case] shell: &str) {
    let Some(images) = images().await else { return };
    let version = images.artifacts.pins().defaults.ray.clone();
    let image = images.artifacts.ray_image(&version).await.unwrap();
    assert!(
        image.public_name.ends_with(&format!("rayproject/ray:{version}")),
        "{}",
        image.public_name
    );
    let program = "python -c 'import ray; print(ray.__version__)' && ray --version";
    let answer = images.inside(&image, &["/bin/bash", shell, program]).await;
    assert_eq!(answer, format!("{version}\nray, version {version}"));
    for needed in ["wget", "grep", "openssl", "/bin/sh"] {
        images
            .inside(&image, &["/bin/bash", shell, &format!("command -v {needed}")])
            .await;
    }
}

#[tokio::test]
async fn the_node_is_the_release_that_the_tag_says() {
    let Some(images) = images().await else { return };
    let image = images.artifacts.node_image().await.unwrap();
    let tag = image.public_name.rsplit(':').next().unwrap().to_owned();
    assert_eq!(images.inside(&image, &["cat", "/kind/version"]).await, tag);
    assert_eq!(
        images.inside(&image, &["kubelet", "--version"]).await,
        format!("Kubernetes {tag}")
    );
}

#[tokio::test]
async fn a_second_look_builds_nothing() {
    let Some(images) = images().await else { return };
    let version = images.artifacts.pins().defaults.ray.clone();
    let first = images.artifacts.ray_image(&version).await.unwrap();
    let second = images.artifacts.ray_image(&version).await.unwrap();
    assert_eq!(first, second);
    assert!(first.record.digest.starts_with("sha256:"), "{:?}", first.record);
}
