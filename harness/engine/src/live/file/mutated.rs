//! Bundles with faults in them, from the file to what is made of them.

use proptest::prelude::*;

use super::*;
use crate::live::doctor::diagnose;
use crate::live::doctor::tests::builder;
use crate::live::manifests;
use crate::mutated::try_texts;

#[test]
fn bundles() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.json");
    let originals = [builder::healthy(), builder::job("python a.py")];
    let originals = originals
        .iter()
        .map(|bundle| serde_json::to_vec(bundle).unwrap());
    try_texts(originals.collect(), |text| {
        std::fs::write(&path, &text).unwrap();
        match Bundle::load(&path) {
            Ok(bundle) => {
                let report = diagnose(&bundle);
                prop_assert!(report.objects.len() <= text.len());
                prop_assert!(manifests::of(&bundle).len() <= bundle.operators.len() + 1);
                bundle.save(&path).unwrap();
                prop_assert_eq!(Bundle::load(&path).unwrap(), bundle);
            }
            Err(error) => prop_assert!(error.to_string().contains("b.json"), "{}", error),
        }
        Ok(())
    });
}
