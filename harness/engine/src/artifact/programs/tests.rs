use std::sync::{Arc, Mutex};

use rstest::rstest;

use super::super::{SourcePolicy, Store};
use super::Programs;
use crate::progress::{Progress, Silent};
use crate::results::{Origin, Outcome};

/// What was said of tasks, in order.
#[derive(Default)]
struct RecordedLines(Mutex<Vec<String>>);

impl Progress for RecordedLines {
    fn update(&self, _task: &str, _message: &str) {}
    fn finish(&self, task: &str, _outcome: Outcome, message: &str) {
        self.line(&format!("{task}: {message}"));
    }
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_said_with_the_choice_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let told = Arc::new(RecordedLines::default());
    let progress: Arc<dyn Progress> = Arc::clone(&told) as _;
    let programs = || {
        let store = Store::at(folder.path()).unwrap();
        let mut programs = Programs::new(store, SourcePolicy::Auto, Arc::clone(&progress));
        // Nothing listens there.
        programs.pins.pull.registry.image = "127.0.0.1:1/library/registry".into();
        programs
    };
    assert!(!programs().pulls().await);
    let said = std::mem::take(&mut *told.0.lock().unwrap());
    let [line] = &said[..] else {
        panic!("{said:?}")
    };
    for part in [
        "image registry: it does not answer, so images and programs are built here",
        "later runs do the same (`--artifacts build`, recorded in ",
        "artifacts-source",
    ] {
        assert!(line.contains(part), "{line}");
    }
    // What was chosen stands, and is not asked again.
    std::fs::write(folder.path().join("artifacts-source"), "pull").unwrap();
    assert!(programs().pulls().await);
    assert_eq!(*told.0.lock().unwrap(), [""; 0]);
}

#[rstest]
#[case::pulled(SourcePolicy::Pull, Origin::Pulled, false)]
#[case::built(SourcePolicy::Build, Origin::Built, true)]
#[tokio::test]
async fn a_program_whose_checksum_comes_from_its_own_origin_is_not_pinned(
    #[case] source: SourcePolicy,
    #[case] origin: Origin,
    #[case] pinned: bool,
) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("etcd");
    std::fs::write(&file, "elf").unwrap();
    let programs = Programs::new(Store::at(folder.path()).unwrap(), source, Arc::new(Silent));
    let record = programs
        .record("etcd", "etcd v3.6.5".into(), &file)
        .await
        .unwrap();
    assert_eq!(record.origin, origin, "{record:?}");
    assert_eq!(record.pinned, pinned, "{record:?}");
    assert_eq!(
        record
            .source
            .contains("its checksum comes from the same origin"),
        !pinned,
        "{record:?}"
    );
}
