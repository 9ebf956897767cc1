//! An operator that runs, and how it differs from its release's manifests.

use std::collections::BTreeMap;

use semver::Version;

/// The annotation that holds what a Deployment was made of.
pub(super) const FINGERPRINT: &str = "kuberay-conformance/fingerprint";

/// Departures from the release's own manifests, for tests of the harness itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallOptions {
    /// Another image than the release's.
    pub image: Option<String>,
    /// Environment variables of the operator's container.
    pub env: BTreeMap<String, String>,
}

/// An operator that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its release.
    pub release: Version,
    /// Namespace of its Deployment.
    pub namespace: String,
    /// Name of its Deployment.
    pub deployment: String,
    /// Whether it ran already.
    pub reused: bool,
}
