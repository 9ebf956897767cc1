//! What `--artifacts pull` asks for: the images and files that a mirror must hold for a selection
//! of releases.

use std::collections::BTreeSet;

use kuberay_conformance_pins::{Pins, UNPINNED, UnknownRelease};
use semver::Version;
use serde::Serialize;

use super::supply::Supply;
use super::{module_zip, oci, pull};

/// What a mirror must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Images of registries.
    pub images: Vec<PublicImage>,
    /// Files of web servers.
    pub files: Vec<PublicFile>,
}

/// An image as it is copied into a mirror.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PublicImage {
    /// Its public name with tag.
    pub name: String,
    /// Its pinned digest; none where it is pulled by its tag.
    pub digest: Option<String>,
    /// What to copy: the name with the digest, where one is pinned.
    pub source: String,
    /// Where the mirror must hold it; none without a mirror for its registry.
    pub mirror: Option<String>,
}

/// A file as it is copied into a mirror.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PublicFile {
    /// Its public address.
    pub url: String,
    /// What proves it: `sha256:…`, the `h1:…` of a Go module, or the address of a file with its
    /// checksum.
    pub checksum: Option<String>,
    /// Where the mirror must hold it; none without a mirror for its address.
    pub mirror: Option<String>,
}

/// For which targets something is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirroredTargets {
    /// The API servers of envtest.
    pub envtest: bool,
    /// kind clusters.
    pub kind: bool,
}

impl Supply {
    /// Lists what runs of these releases pull.
    ///
    /// # Errors
    /// When a release is not listed in `fixtures/versions.yaml`.
    pub fn inventory(
        &self,
        operators: &[Version],
        rays: &[Version],
        targets: MirroredTargets,
    ) -> Result<Inventory, UnknownRelease> {
        let pins = self.pins();
        let (mut images, mut files) = (BTreeSet::new(), BTreeSet::new());
        for version in operators {
            let module = pins.operator(version)?;
            let digest = pins.pull.operator.digests.get(version);
            images.insert(self.image(pins.operator_image(version), digest));
            let url = module_zip::address(&module);
            files.insert(self.file(url, Some(module.sum)));
        }
        let mut programs = Vec::new();
        if targets.envtest {
            programs.push("kube-apiserver");
            self.etcd(&pins, &mut files);
        }
        if targets.kind {
            programs.push("kubectl");
            for version in rays {
                pins.ray(version)?;
                let digest = pins.pull.ray.digests.get(version);
                images.insert(self.image(format!("{}:{version}", pins.ray.image), digest));
            }
            for pin in [&pins.pull.node, &pins.pull.registry] {
                let digest = Some(&pin.digest).filter(|digest| *digest != UNPINNED);
                images.insert(self.image(pin.image.clone(), digest));
            }
            let (url, sums) = pull::kind_addresses(&pins);
            match sums {
                None => {
                    let sum = format!("sha256:{}", pins.pull.kind.sha256);
                    files.insert(self.file(url, Some(sum)));
                }
                Some(sums) => self.with_sums(url, sums, &mut files),
            }
        }
        for program in programs {
            let (url, sums) = pull::kubernetes_addresses(&pins, program, &pins.kubernetes);
            self.with_sums(url, sums, &mut files);
        }
        Ok(Inventory {
            images: images.into_iter().collect(),
            files: files.into_iter().collect(),
        })
    }

    fn etcd(&self, pins: &Pins, files: &mut BTreeSet<PublicFile>) {
        let version = pins.etcd.version.to_string();
        let (url, sums) = pull::etcd_addresses(&pins.pull.etcd, &version);
        self.with_sums(url, sums, files);
    }

    /// A file and the one with its checksum, of which nothing vouches for the second.
    fn with_sums(&self, url: String, sums: String, files: &mut BTreeSet<PublicFile>) {
        files.insert(self.file(url, Some(sums.clone())));
        files.insert(self.file(sums, None));
    }

    fn file(&self, url: String, checksum: Option<String>) -> PublicFile {
        PublicFile {
            mirror: self.download_mirror(&url),
            url,
            checksum,
        }
    }

    fn image(&self, name: String, digest: Option<&String>) -> PublicImage {
        let (registry, repository) = name.split_once('/').unwrap_or(("docker.io", &name));
        let mirror = self
            .mirror(registry)
            .map(|mirror| format!("{}/{}", mirror.host(), mirror.repository(repository)));
        let source = match digest {
            Some(digest) => format!("{}@{digest}", oci::without_tag(&name)),
            None => name.clone(),
        };
        PublicImage {
            mirror,
            source,
            digest: digest.cloned(),
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::SupplySettings;

    fn supply() -> Supply {
        let settings = SupplySettings {
            mirrors: vec!["docker.io=mirror/docker".parse().unwrap()],
            download_mirrors: vec!["https://dl.k8s.io=https://files/k8s".parse().unwrap()],
            ..SupplySettings::default()
        };
        Supply::read(settings).unwrap()
    }

    const BOTH: MirroredTargets = MirroredTargets {
        envtest: true,
        kind: true,
    };

    #[test]
    fn a_selection_lists_its_images_and_files_with_their_places() {
        let (operator, ray) = (Version::new(1, 6, 2), Version::new(2, 52, 0));
        let all = supply().inventory(&[operator], &[ray], BOTH).unwrap();
        let node = all.images.iter().find(|image| image.name.contains("node"));
        let node = node.unwrap();
        assert!(node.source.contains("kindest/node@sha256:"), "{node:?}");
        let place = node.mirror.as_deref().unwrap();
        assert!(place.starts_with("mirror/docker/kindest/node:v"), "{place}");
        let operator = all.images.iter().find(|image| image.name.contains("quay"));
        assert_eq!(operator.unwrap().mirror, None, "it has no mirror");
        let mirrored = |file: &&PublicFile| file.mirror.is_some();
        for file in all.files.iter().filter(mirrored) {
            let place = file.mirror.as_deref().unwrap();
            assert!(place.starts_with("https://files/k8s/release/v"), "{place}");
        }
        // Two programs, each with its checksum.
        assert_eq!(all.files.iter().filter(mirrored).count(), 4);
    }

    #[test]
    fn envtest_needs_no_images_of_nodes() {
        let targets = MirroredTargets {
            kind: false,
            ..BOTH
        };
        let all = supply()
            .inventory(&[Version::new(1, 6, 2)], &[Version::new(2, 52, 0)], targets)
            .unwrap();
        let names: Vec<&str> = all.images.iter().map(|image| &*image.name).collect();
        assert_eq!(names, ["quay.io/kuberay/operator:v1.6.2"]);
    }

    #[test]
    fn a_release_that_is_not_listed_is_an_error() {
        let none = supply().inventory(&[Version::new(9, 9, 9)], &[], BOTH);
        assert!(none.is_err());
    }
}
