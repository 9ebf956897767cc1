use std::sync::Arc;

use rstest::rstest;

use super::super::{SourcePolicy, Store};
use super::Programs;
use crate::progress::Silent;
use crate::results::Origin;

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
    assert_eq!(
        (record.origin, record.pinned),
        (origin, pinned),
        "{record:?}"
    );
    assert_eq!(
        record
            .source
            .contains("its checksum comes from the same origin"),
        !pinned,
        "{record:?}"
    );
}
