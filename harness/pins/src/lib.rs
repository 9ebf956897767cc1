//! The pinned releases of `fixtures/versions.yaml`, which is part of the program, and the texts by
//! which users select releases.

mod own;
mod pair;
mod releases;
mod support;
mod version;

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;

pub use own::OwnPins;
pub use pair::{Pair, PairError, Pairs};
pub use releases::{EmptyRange, Releases};
pub use support::Support;
pub use version::{VersionError, parse_version};

/// The text in place of a digest that could not be read from its source.
pub const UNPINNED: &str = "unpinned";

/// The content of `fixtures/versions.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The releases of a run that selects none.
    pub defaults: Pair,
    /// Releases that are run with each other on kind.
    pub pairs: Vec<Pair>,
    /// Release of Kubernetes in the node image that is built.
    pub kubernetes: Version,
    /// Releases of Kubernetes whose API server envtest can run, the oldest first.
    #[serde(rename = "apiServers")]
    pub api_servers: Vec<Version>,
    /// Release of etcd in the node image that is built.
    pub etcd: Etcd,
    /// Release of the pause image in the node image that is built.
    pub pause: Version,
    /// End of life of releases.
    pub support: Support,
    /// Go modules whose own folder is built.
    pub modules: BTreeMap<String, Module>,
    /// Releases of KubeRay.
    pub operators: Operators,
    /// Releases of Ray.
    pub ray: Ray,
    /// Public images and binaries.
    pub pull: Pull,
}

/// etcd and the tag that kubeadm gives its image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Etcd {
    /// Release.
    pub version: Version,
    /// Tag of the image.
    pub image: String,
}

/// A Go module and the program in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Module path.
    pub module: String,
    /// Version, with `v`.
    pub version: String,
    /// `h1:` hash of the module.
    pub sum: String,
    /// Package of the program, relative to the module's root.
    pub package: String,
}

/// KubeRay's operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// Module path.
    pub module: String,
    /// Public image without tag.
    pub image: String,
    /// The releases that `--operator all` means.
    pub matrix: Vec<Version>,
    /// Hash of each release's module.
    pub releases: BTreeMap<Version, OperatorRelease>,
}

/// One release of the operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRelease {
    /// `h1:` hash of the module.
    pub sum: String,
}

/// Ray.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ray {
    /// Public image without tag.
    pub image: String,
    /// Lock of each release.
    pub releases: BTreeMap<Version, RayRelease>,
}

/// One release of Ray.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RayRelease {
    /// Lock file below `fixtures/images`.
    pub lock: String,
}

/// The files and images that `--artifacts pull` fetches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// Address of a program of Kubernetes with the placeholders `{version}`, `{arch}` and
    /// `{program}`.
    pub kubernetes: String,
    /// etcd's release archive.
    pub etcd: PulledArchive,
    /// kind's release binary.
    pub kind: PulledFile,
    /// The node image.
    pub node: PulledImage,
    /// The registry image.
    pub registry: PulledImage,
    /// Digests of the operator's image by release.
    pub operator: PulledDigests,
    /// Digests of Ray's image by release.
    pub ray: PulledDigests,
}

/// A file on the web.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulledFile {
    /// Address; `{arch}` stands for `amd64` or `arm64`.
    pub url: String,
    /// Checksum, or [`UNPINNED`]: then the one that is published beside the file is used.
    pub sha256: String,
}

/// An archive on the web whose checksum is in a list that is published with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulledArchive {
    /// Address with the placeholders `{version}` and `{arch}`.
    pub url: String,
    /// Address of the list.
    pub sums: String,
}

/// A public image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulledImage {
    /// Name with tag.
    pub image: String,
    /// `sha256:…`, or [`UNPINNED`].
    pub digest: String,
}

/// Digests by release; a release that is not named is unpinned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulledDigests {
    /// `sha256:…`
    pub digests: BTreeMap<Version, String>,
}

impl Pins {
    /// Reads the pins that are part of the program.
    ///
    /// # Panics
    /// When `fixtures/versions.yaml` is not well-formed, which a test rules out.
    #[must_use]
    pub fn embedded() -> Self {
        let text = include_str!("../../../fixtures/versions.yaml");
        serde_saphyr::from_str(text).expect("fixtures/versions.yaml is well-formed")
    }

    /// Returns the module of an operator release, with its hash.
    ///
    /// # Errors
    /// When the release is not listed.
    pub fn operator(&self, version: &Version) -> Result<Module, UnknownRelease> {
        let release = self
            .operators
            .releases
            .get(version)
            .ok_or_else(|| unknown("KubeRay", version, self.operators.releases.keys()))?;
        Ok(Module {
            module: self.operators.module.clone(),
            version: format!("v{version}"),
            sum: release.sum.clone(),
            package: ".".into(),
        })
    }

    /// Returns the public image of an operator release, with its tag.
    #[must_use]
    pub fn operator_image(&self, version: &Version) -> String {
        format!("{}:v{version}", self.operators.image)
    }

    /// Returns a release of Kubernetes whose API server envtest can run.
    ///
    /// # Errors
    /// When the release is not listed.
    pub fn api_server<'a>(&self, version: &'a Version) -> Result<&'a Version, UnknownRelease> {
        if self.api_servers.contains(version) {
            return Ok(version);
        }
        Err(unknown("Kubernetes", version, self.api_servers.iter()))
    }

    /// Returns the lock of a Ray release.
    ///
    /// # Errors
    /// When the release is not listed.
    pub fn ray(&self, version: &Version) -> Result<&RayRelease, UnknownRelease> {
        self.ray
            .releases
            .get(version)
            .ok_or_else(|| unknown("Ray", version, self.ray.releases.keys()))
    }
}

/// A release that `fixtures/versions.yaml` does not list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} {version} is not pinned in this release of the harness (it has {known}): name one of these, or {own}"
)]
pub struct UnknownRelease {
    /// KubeRay, Ray or Kubernetes.
    pub what: &'static str,
    /// The release asked for.
    pub version: Version,
    /// The releases that are listed, separated by commas.
    pub known: String,
    /// The options that run a release that is not listed.
    pub own: &'static str,
}

fn unknown<'a>(
    what: &'static str,
    version: &Version,
    known: impl Iterator<Item = &'a Version>,
) -> UnknownRelease {
    UnknownRelease {
        what,
        version: version.clone(),
        known: known
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        own: match what {
            "KubeRay" => {
                "bring the operator: --operator-binary with --crds on envtest, --operator-image on kind, or --context with \
                 the cluster that it runs in"
            }
            "Kubernetes" => "run the scenarios in a cluster of that release with --context",
            _ => {
                "name the image of that release with --ray-image in a cluster of yours (--context)"
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_server_of_the_nodes_is_one_that_envtest_runs() {
        let pins = Pins::embedded();
        assert_eq!(pins.api_server(&pins.kubernetes), Ok(&pins.kubernetes));
        assert!(pins.api_servers.is_sorted(), "{:?}", pins.api_servers);
        let unknown = pins.api_server(&Version::new(1, 99, 0)).unwrap_err();
        let said = unknown.to_string();
        assert!(
            said.starts_with("Kubernetes 1.99.0 is not pinned"),
            "{said}"
        );
        assert!(
            said.ends_with("in a cluster of that release with --context"),
            "{said}"
        );
    }

    #[test]
    fn the_defaults_and_the_pairs_are_listed() {
        let pins = Pins::embedded();
        for release in &pins.operators.matrix {
            pins.operator(release).unwrap();
        }
        assert_eq!(
            pins.pairs.first(),
            Some(&pins.defaults),
            "the default pair comes first"
        );
        for pair in &pins.pairs {
            pins.operator(&pair.operator).unwrap();
            pins.ray(&pair.ray).unwrap();
        }
    }

    #[test]
    fn a_release_that_is_not_listed_is_named_with_those_that_are() {
        let error = Pins::embedded()
            .operator(&Version::new(9, 9, 9))
            .unwrap_err()
            .to_string();
        // A user of the program alone has no fixtures to edit.
        for part in ["9.9.9", "1.6.2", "--operator-binary", "--context"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("fixtures/"), "{error}");
    }
}
