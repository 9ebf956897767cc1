//! The content of a node image.

/// The content of a node image, as far as the configuration depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Release of Kubernetes, such as `v1.34.4`.
    pub kubernetes: String,
    /// The `version` that the image's `/etc/containerd/config.toml` declares; its patches must use
    /// the same keys.
    pub containerd_config: u32,
    /// Whether the image brings a network of its own (kindnet), which kind installs.
    pub default_cni: bool,
}

impl NodeFacts {
    /// Minor release of Kubernetes; 0 where it can't be read.
    pub(super) fn minor(&self) -> u32 {
        self.kubernetes
            .split('.')
            .nth(1)
            .and_then(|minor| minor.parse().ok())
            .unwrap_or(0)
    }
}
