//! Digests and checksums of the user's own, in place of those of `fixtures/versions.yaml`.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;

use super::{Pins, PulledImage};

/// A file with the user's own digests, which `--artifacts pull` expects in place of those of the
/// program. The names of the images stay public.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnPins {
    /// The node image.
    node: Option<PulledImage>,
    /// The registry image.
    registry: Option<PulledImage>,
    /// SHA-256 of kind's release binary.
    kind: Option<String>,
    /// Digests of the operator's image by release.
    #[serde(default)]
    operator: BTreeMap<Version, String>,
    /// Digests of Ray's image by release.
    #[serde(default)]
    ray: BTreeMap<Version, String>,
}

impl OwnPins {
    /// Parses the text of a file.
    ///
    /// # Errors
    /// When the text does not have this form, or a value is not a digest or checksum.
    pub fn parse(text: &str) -> Result<Self, String> {
        let own: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let images = own.node.iter().chain(&own.registry);
        let digests = images
            .map(|image| &image.digest)
            .chain(own.operator.values())
            .chain(own.ray.values());
        for digest in digests {
            let digits = digest.strip_prefix("sha256:").unwrap_or_default();
            if !is_sum(digits) {
                return Err(format!(
                    "`{digest}` is no digest: write sha256: and 64 digits"
                ));
            }
        }
        match own.kind.as_deref().filter(|sum| !is_sum(sum)) {
            Some(sum) => Err(format!("`{sum}` is no checksum of kind: write 64 digits")),
            None => Ok(own),
        }
    }
}

fn is_sum(digits: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 64 && digits.bytes().all(is_digit)
}

impl Pins {
    /// Replaces the digests and checksums that are part of the program with the user's own.
    pub fn replace(&mut self, own: &OwnPins) {
        let pull = &mut self.pull;
        if let Some(node) = &own.node {
            pull.node.clone_from(node);
        }
        if let Some(registry) = &own.registry {
            pull.registry.clone_from(registry);
        }
        if let Some(kind) = &own.kind {
            pull.kind.sha256.clone_from(kind);
        }
        pull.operator.digests.extend(own.operator.clone());
        pull.ray.digests.extend(own.ray.clone());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn own_digests_replace_those_of_the_program_and_nothing_else() {
        let sum = "0f".repeat(32);
        let text = format!(
            "node: {{image: \"docker.io/kindest/node:v1.34.4\", digest: \"sha256:{sum}\"}}\n\
             kind: {sum}\noperator: {{1.6.2: \"sha256:{sum}\"}}\n"
        );
        let (mut pins, embedded) = (Pins::embedded(), Pins::embedded());
        pins.replace(&OwnPins::parse(&text).unwrap());
        assert_eq!(pins.pull.node.image, "docker.io/kindest/node:v1.34.4");
        assert_eq!(pins.pull.kind.sha256, sum);
        assert_eq!(
            pins.pull.operator.digests[&Version::new(1, 6, 2)],
            format!("sha256:{sum}")
        );
        assert_eq!(pins.pull.registry, embedded.pull.registry);
        assert_eq!(pins.operators.matrix, embedded.operators.matrix);
    }

    #[rstest]
    #[case("operator: {1.6.2: unpinned}", "is no digest")]
    #[case("operator: {1.6.2: \"sha256:12\"}", "is no digest")]
    #[case("kind: unpinned", "is no checksum")]
    #[case("kubernetes: 1.34.4", "kubernetes")]
    fn what_is_no_digest_is_refused(#[case] text: &str, #[case] expected: &str) {
        let error = OwnPins::parse(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
