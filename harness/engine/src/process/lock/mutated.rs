//! Records of processes with faults in them, which are in locks, marks of use and folders of
//! API servers.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn records_of_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let original = serde_json::to_vec(&Holder::me("up")).unwrap();
    try_texts(vec![original], |text| {
        std::fs::write(&path, &text).unwrap();
        let holder = Holder::read(&File::open(&path).unwrap());
        // A reader asks whether the holder lives, and shows it.
        if let Some(process) = &holder.process {
            process.liveness();
            prop_assert_eq!(process.short().len(), 8);
        }
        prop_assert!(!holder.to_string().is_empty());
        let lock = FileLock::try_hold(&path, "down").expect("nobody holds it");
        drop(lock);
        Ok(())
    });
}
