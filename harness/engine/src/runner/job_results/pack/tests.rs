use assertables::{assert_gt, assert_le};

use super::*;

#[test]
fn a_folder_comes_back_as_it_was() {
    let from = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(from.path().join("logs/pod")).unwrap();
    std::fs::write(from.path().join("logs/pod/ray.log"), "123 456\n").unwrap();
    let bytes = pack_folder(from.path()).unwrap();
    let cut = pieces(&bytes, 7);
    assert_gt!(cut.len(), 1);
    for piece in &cut {
        assert_le!(piece.len(), 7);
    }
    let to = tempfile::tempdir().unwrap();
    unpack_folder(&cut.concat(), &to.path().join("evidence")).unwrap();
    let text = std::fs::read_to_string(to.path().join("evidence/logs/pod/ray.log")).unwrap();
    assert_eq!(text, "123 456\n");
}

#[test]
fn a_value_comes_back_as_it_was() {
    let value = vec!["a".to_owned(), "b".repeat(1000)];
    let bytes = pack(&value).unwrap();
    assert!(bytes.len() < 200, "it is compressed");
    assert_eq!(unpack::<Vec<String>>(&bytes).unwrap(), value);
    assert!(
        unpack::<Vec<String>>(&bytes[..10]).is_err(),
        "half of it is no value"
    );
}

/// A gzip bomb: a few kilobytes that unpack to more than results ever take.
#[test]
fn a_value_that_unpacks_to_too_much_is_refused() {
    let bytes = pack(&"a".repeat(33 << 20)).unwrap();
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    let error = unpack::<String>(&bytes).unwrap_err().to_string();
    assert!(error.contains("more than 32 MiB"), "{error}");
}

/// An archive with these entries: path, type, and what a link points to.
fn archive(entries: impl IntoIterator<Item = (String, tar::EntryType, &'static str)>) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, kind, link) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(0);
        // Written by hand: the library refuses such names itself.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_folder_of_too_many_files_is_refused() {
    let bytes =
        archive((0..10_001).map(|number| (format!("f{number}"), tar::EntryType::Regular, "")));
    let folder = tempfile::tempdir().unwrap();
    let error = unpack_folder(&bytes, &folder.path().join("evidence"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 10000"), "{error}");
}

#[rstest::rstest]
#[case::up("../escaped", tar::EntryType::Regular, "")]
#[case::up_within("a/../../escaped", tar::EntryType::Regular, "")]
#[case::absolute("/escaped", tar::EntryType::Regular, "")]
#[case::link("a", tar::EntryType::Symlink, "..")]
#[case::hard_link("a", tar::EntryType::Link, "/etc/hostname")]
#[case::pipe("a", tar::EntryType::Fifo, "")]
fn only_files_and_folders_of_the_folder_itself_are_unpacked(
    #[case] path: &str,
    #[case] kind: tar::EntryType,
    #[case] link: &'static str,
) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = archive([(path.to_owned(), kind, link)]);
    let done = unpack_folder(&bytes, &folder.path().join("evidence"));
    assert!(
        done.is_err(),
        "{:?}",
        std::fs::read_dir(folder.path().join("evidence"))
            .unwrap()
            .count()
    );
    assert!(!folder.path().join("escaped").exists());
}
