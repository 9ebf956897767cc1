//! Journals with faults in them: each is read, or refused and left as it is.

use proptest::prelude::*;

use super::tests::{entry, head};
use super::*;
use crate::mutated::try_texts;

#[test]
fn journals() {
    let lines = [
        line(&head()).unwrap(),
        line(&entry("a")).unwrap(),
        line(&entry("b")).unwrap(),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    try_texts(vec![lines.concat()], |text| {
        std::fs::write(&path, &text).unwrap();
        let begun = FileJournal::new(folder.path()).start(&head(), true);
        let there = std::fs::read(&path).unwrap();
        match begun {
            Ok(entries) => {
                let lines = there.split_inclusive(|byte| *byte == b'\n').count();
                prop_assert_eq!(entries.len() + 1, lines);
            }
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert!(there == text, "a journal that is refused is changed");
            }
        }
        Ok(())
    });
}
