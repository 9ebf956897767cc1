//! Values and folders of `ConfigMaps` with faults in them, packed and unpacked.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::mutated::try_texts;
use crate::results::{CaseResult, example};

/// Bytes in the form of gzip; what stands in them may have any fault.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn values() {
    let cases = example::run().cases;
    let plain = serde_json::to_vec(&cases).unwrap();
    let packed = pack(&cases).unwrap();
    try_texts(vec![plain, packed], |text| {
        for bytes in [gzip(&text), text] {
            match unpack::<Vec<CaseResult>>(&bytes) {
                Ok(cases) => prop_assert!(unpack::<Value>(&pack(&cases).unwrap()).is_ok()),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
        Ok(())
    });
}

#[test]
fn folders() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    std::fs::create_dir_all(from.join("logs/pod")).unwrap();
    std::fs::write(from.join("logs/pod/ray.log"), "123 456\n").unwrap();
    std::fs::write(from.join("objects.yaml"), "kind: Pod\n").unwrap();
    let packed = pack_folder(&from).unwrap();
    let mut plain = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut plain).unwrap();
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let outside = root.path().join("outside");
    try_texts(vec![plain, packed], |text| {
        for bytes in [gzip(&text), text] {
            let into = outside.join("into");
            std::fs::create_dir_all(&outside).unwrap();
            if let Err(error) = unpack_folder(&bytes, &into) {
                prop_assert!(!error.to_string().is_empty());
            }
            prop_assert_eq!(names(root.path()), ["from", "outside"]);
            prop_assert_eq!(names(&outside), ["into"]);
            std::fs::remove_dir_all(&outside).unwrap();
        }
        Ok(())
    });
}
