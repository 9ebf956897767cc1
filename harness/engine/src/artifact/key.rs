//! The key of an artifact: a hash of everything that decides what it contains.

use sha2::{Digest, Sha256};

/// Hashes everything that decides what an artifact contains.
#[derive(Debug, Clone, Default)]
pub struct ArtifactKey(Sha256);

impl ArtifactKey {
    /// Adds one input; inputs are kept apart, so that `ab`, `c` differs from `a`, `bc`.
    #[must_use]
    pub fn with(mut self, input: impl AsRef<[u8]>) -> Self {
        let input = input.as_ref();
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    /// Returns the first twelve hexadecimal digits of the hash. They distinguish the few versions of
    /// one artifact.
    #[must_use]
    pub fn short(self) -> String {
        self.0
            .finalize()
            .iter()
            .take(6)
            .fold(String::new(), |mut text, byte| {
                use std::fmt::Write as _;
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_inputs_apart() {
        assert_ne!(
            ArtifactKey::default().with("ab").with("c").short(),
            ArtifactKey::default().with("a").with("bc").short()
        );
    }
}
