use super::*;

#[test]
fn a_folder_comes_back_as_it_was() {
    let from = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(from.path().join("logs/pod")).unwrap();
    std::fs::write(from.path().join("logs/pod/ray.log"), "123 456\n").unwrap();
    let bytes = pack_folder(from.path()).unwrap();
    let cut = pieces(&bytes, 7);
    assert!(cut.len() > 1 && cut.iter().all(|piece| piece.len() <= 7));
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
    assert!(unpack::<Vec<String>>(&bytes[..10]).is_err(), "half of it is no value");
}
