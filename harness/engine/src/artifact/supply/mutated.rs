//! Pins of a user's own with faults in them.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn own_pins_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pins.yaml");
    let digest = format!("sha256:{}", "0f".repeat(32));
    let original = format!(
        "node: {{name: docker.io/kindest/node, tag: v1.34.0, digest: \"{digest}\"}}\nkind: {}\n\
         operator:\n  1.6.2: {digest}\n  1.5.0: {digest}\nray: {{2.52.0: \"{digest}\"}}\n",
        "0f".repeat(32)
    );
    try_texts(vec![original.into()], |text| {
        std::fs::write(&path, &text).unwrap();
        match own_pins(&path) {
            Ok(own) => Pins::embedded().replace(&own),
            Err(error) => prop_assert!(error.to_string().contains("pins.yaml"), "{}", error),
        }
        Ok(())
    });
}
