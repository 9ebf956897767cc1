//! Which image a name means on the nodes of a cluster.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;

/// Returns the digest of the image that a name means, `sha256:…`; none where no node tells, or
/// where nodes have different images of that name.
pub(super) fn digest_on(nodes: &[Node], image: &str) -> Option<String> {
    if let Some((_, digest)) = image.split_once('@') {
        return Some(digest.into());
    }
    let wanted = in_full(image);
    let (repository, _) = wanted.rsplit_once(':')?;
    let images = nodes
        .iter()
        .filter_map(|node| node.status.as_ref()?.images.as_ref())
        .flatten()
        .filter_map(|image| image.names.as_ref())
        .filter(|names| names.iter().any(|name| in_full(name) == wanted));
    // One without a digest is as good as a different one.
    let digests: BTreeSet<Option<&str>> = images
        .map(|names| {
            let mut digests = names.iter().filter_map(|name| name.split_once('@'));
            digests
                .find(|(name, _)| in_full(name) == repository)
                .map(|(_, digest)| digest)
        })
        .collect();
    match digests.len() {
        1 => digests.into_iter().next().flatten().map(str::to_owned),
        _ => None,
    }
}

/// Returns a name with the registry and the folder that container runtimes put before short ones.
fn in_full(image: &str) -> String {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    match first {
        "" => format!("docker.io/library/{rest}"),
        registry if registry.contains(['.', ':']) || registry == "localhost" => image.into(),
        _ => format!("docker.io/{image}"),
    }
}

#[cfg(test)]
#[path = "node_images/tests.rs"]
mod tests;
