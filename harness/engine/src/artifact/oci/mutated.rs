//! Layers of images with faults in them.

use proptest::prelude::*;

use super::tests::layer;
use super::*;
use crate::mutated::try_texts;

#[test]
fn layers() {
    let originals = vec![
        layer("manager", true),
        layer("./manager", false),
        layer("a/b", false),
    ];
    try_texts(originals, |text| {
        match find(&text, "manager") {
            Ok(found) => prop_assert!(found.unwrap_or_default().len() <= 64 << 20),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        Ok(())
    });
}
