//! Names of the local registry that several modules use.

/// The name of the process that starts the registry. Its only argument is the instance, so that
/// `cluster down` knows it.
pub(super) const HELPER_NAME: &str = "kuberay-conformance-registry-helper";

/// Registries whose names the nodes resolve to ours.
pub(super) const MIRRORED: [&str; 2] = ["docker.io", "quay.io"];
