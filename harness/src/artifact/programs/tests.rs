use std::sync::Arc;

use super::super::{Source, Store};
use super::Programs;
use crate::report::{Origin, Silent};

#[tokio::test]
async fn a_built_program_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("etcd");
    std::fs::write(&file, "elf").unwrap();
    let programs = Programs::new(Store::at(folder.path()).unwrap(), Source::Build, Arc::new(Silent));
    let record = programs.record("etcd", "etcd v3.6.5".into(), &file).await.unwrap();
    assert_eq!((record.origin, record.pinned), (Origin::Built, true), "{record:?}");
}
