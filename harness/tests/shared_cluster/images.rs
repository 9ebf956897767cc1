//! The images that the store hands out contain what their names say.
//!
//! They need a container engine, and building the images takes long.

use std::sync::Arc;

use kuberay_conformance::artifact::{Artifacts, Image, SourcePolicy, Store};
use kuberay_conformance::container::Engine;
use kuberay_conformance::process;
use kuberay_conformance::report::Silent;
use rstest::rstest;
use semver::Version;
use tokio::sync::MutexGuard;

use crate::support::exclusive_within;

struct Images {
    artifacts: Artifacts,
    engine: Engine,
    /// A Ray that starts here would be slow beside those of cases.
    _exclusive: MutexGuard<'static, ()>,
}

async fn images() -> Images {
    let store = Store::open().unwrap();
    let engine = Engine::detect(None, store.root()).await.unwrap();
    let artifacts = Artifacts::new(engine.clone(), store, SourcePolicy::Auto, Arc::new(Silent));
    Images {
        artifacts,
        engine,
        _exclusive: exclusive_within().await,
    }
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
        process::output(run, "looking into an image", process::TRANSFER)
            .await
            .unwrap()
            .trim()
            .to_owned()
    }

    fn default_ray(&self) -> Vec<Version> {
        vec![self.artifacts.pins().defaults.ray.clone()]
    }

    fn all_rays(&self) -> Vec<Version> {
        self.artifacts.pins().ray.releases.keys().cloned().collect()
    }

    /// The digests of an image's layers, lowest first.
    async fn layers(&self, image: &Image) -> Vec<String> {
        let mut inspect = self.engine.command();
        inspect.args([
            "job",
            "image",
            "inspect",
            "--format",
            "{{json .RootFS.Layers}}",
            &image.local_name,
        ]);
        let layers = process::output(inspect, "looking at an image", process::TRANSFER)
            .await
            .unwrap();
        serde_json::from_str(&layers).unwrap()
    }

    async fn are_the_releases(&self, versions: &[Version], shell: &str) {
        for version in versions {
            let image = self.artifacts.ray_image(version).await.unwrap();
            assert!(
                image
                    .public_name
                    .ends_with(&format!("rayproject/ray:{version}")),
                "{}",
                image.public_name
            );
            let program = "python -c 'import ray; print(ray.__version__)' && ray --version";
            let answer = self.inside(&image, &["/bin/bash", shell, program]).await;
            assert_eq!(answer, format!("{version}\nray, version {version}"));
            for needed in ["wget", "grep", "openssl", "/bin/sh"] {
                self.inside(
                    &image,
                    &["/bin/bash", shell, &format!("command -v {needed}")],
                )
                .await;
            }
        }
    }

    async fn start_and_list_a_job(&self, versions: &[Version]) {
        let program = "ulimit -n 4096; ray start --head --num-cpus=1 --dashboard-host=0.0.0.0 >&2 \
                       && python -c 'import ray; ray.init(address=\"auto\")' >&2 \
                       && for second in $(seq 60); do \
                            jobs=$(wget -q -O- http://127.0.0.1:8265/api/jobs/) \
                              && [[ $jobs == *SUCCEEDED* ]] && break; \
                            sleep 1; \
                          done; echo \"$jobs\"";
        for version in versions {
            let image = self.artifacts.ray_image(version).await.unwrap();
            let answer = self.inside(&image, &["/bin/bash", "-c", program]).await;
            let jobs: serde_json::Value =
                serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{version}: {answer}"));
            assert_eq!(jobs[0]["type"], "DRIVER", "{version}: {jobs}");
            assert_eq!(jobs[0]["status"], "SUCCEEDED", "{version}: {jobs}");
        }
    }
}

/// A login shell is what KubeRay starts Ray in up to 1.3, a plain one is what it does since.
#[rstest]
#[case::plain_shell("-c")]
#[case::login_shell("-lc")]
#[tokio::test]
#[ignore = "needs kind"]
async fn ray_is_the_release_that_the_tag_says(#[case] shell: &str) {
    let images = images().await;
    images.are_the_releases(&images.default_ray(), shell).await;
}

/// Packages that Ray can be installed with may still be too new for its dashboard, which then never
/// answers.
#[tokio::test]
#[ignore = "needs kind"]
async fn ray_starts_and_its_dashboard_lists_a_job() {
    let images = images().await;
    images.start_and_list_a_job(&images.default_ray()).await;
}

mod slow {
    use super::*;

    #[rstest]
    #[case::plain_shell("-c")]
    #[case::login_shell("-lc")]
    #[tokio::test]
    #[ignore = "needs kind, takes minutes"]
    async fn every_ray_is_the_release_that_the_tag_says(#[case] shell: &str) {
        let images = images().await;
        images.are_the_releases(&images.all_rays(), shell).await;
    }

    #[tokio::test]
    #[ignore = "needs kind, takes minutes"]
    async fn every_ray_starts_and_its_dashboard_lists_a_job() {
        let images = images().await;
        images.start_and_list_a_job(&images.all_rays()).await;
    }

    /// Only the packages differ: the nodes and the registry hold the rest once.
    #[tokio::test]
    #[ignore = "needs kind, takes minutes"]
    async fn the_images_of_ray_share_all_layers_but_the_last() {
        let images = images().await;
        let mut all = Vec::new();
        for version in images.all_rays() {
            let image = images.artifacts.ray_image(&version).await.unwrap();
            let mut layers = images.layers(&image).await;
            let own = layers.pop().unwrap();
            println!("{version}: own layer {own}, below it {layers:?}");
            all.push((own, layers));
        }
        assert!(all.len() > 1, "one release shares nothing");
        for pair in all.windows(2) {
            assert_eq!(pair[0].1, pair[1].1);
            assert_ne!(pair[0].0, pair[1].0);
        }
    }
}

#[tokio::test]
#[ignore = "needs kind"]
async fn the_node_is_the_release_that_the_tag_says() {
    let images = images().await;
    let image = images.artifacts.node_image().await.unwrap();
    let tag = image.public_name.rsplit(':').next().unwrap().to_owned();
    assert_eq!(images.inside(&image, &["cat", "/kind/version"]).await, tag);
    assert_eq!(
        images.inside(&image, &["kubelet", "--version"]).await,
        format!("Kubernetes {tag}")
    );
}

#[tokio::test]
#[ignore = "needs kind"]
async fn a_second_look_builds_nothing() {
    let images = images().await;
    let version = images.artifacts.pins().defaults.ray.clone();
    let first = images.artifacts.ray_image(&version).await.unwrap();
    let second = images.artifacts.ray_image(&version).await.unwrap();
    assert_eq!(first, second);
    assert!(
        first.record.digest.starts_with("sha256:"),
        "{:?}",
        first.record
    );
}
