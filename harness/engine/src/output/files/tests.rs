use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_file_is_made_with_the_folders_on_the_way_and_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["first, and longer", "second"] {
        let mut file = create_file(folder.path(), "a/b/c.txt").unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("a/b/c.txt")).unwrap(),
        "second"
    );
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_one_on_the_way_is_refused() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("target");
    fs::write(&target, "as it was").unwrap();
    symlink(&target, folder.path().join("file")).unwrap();
    create_file(folder.path(), "file")
        .unwrap()
        .write_all(b"ours")
        .unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "as it was");
    assert_eq!(
        fs::read_to_string(folder.path().join("file")).unwrap(),
        "ours"
    );

    symlink(elsewhere.path(), folder.path().join("way")).unwrap();
    create_file(folder.path(), "way/file").unwrap_err();
    remove(folder.path(), "way/target").unwrap_err();
    folder_without_links(folder.path(), "way").unwrap_err();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    assert!(target.is_file());
}

#[test]
fn what_is_removed_is_gone_and_a_links_target_stays() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("target"), "").unwrap();
    create_file(folder.path(), "a/b/c.txt").unwrap();
    symlink(elsewhere.path(), folder.path().join("a/b/link")).unwrap();
    remove(folder.path(), "a/b").unwrap();
    assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
    assert!(elsewhere.path().join("target").is_file());
    remove(folder.path(), "a/b").unwrap();
    remove(folder.path(), "never/there").unwrap();
    remove(folder.path(), "../a").unwrap_err();
}
