//! Allocations with faults in them, whose holders live.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn allocations() {
    let folder = tempfile::tempdir().unwrap();
    let shared = Shared::new(folder.path().into()).unwrap();
    let lock = shared.lock().unwrap().unwrap();
    let path = folder.path().join("1-0-0");
    let half = serde_json::to_vec(&Resources::new(0.5, 10.0)).unwrap();
    try_texts(vec![[&[RUNS][..], &half].concat()], |text| {
        std::fs::write(&path, &text).unwrap();
        let holder = FileLock::try_take(&path, LockMode::Exclusive).unwrap();
        match shared.used(&lock) {
            Ok(used) => prop_assert!(used.cases <= 1),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        drop(holder);
        Ok(())
    });
}
